//go:build linux && (amd64 || arm64)

package rawnet

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// pair is a loopback connection: our raw end and the other one.
func pair(t *testing.T) (fd int, other net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if fd, err = Take(ours); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close(); Close(fd) })
	if err := Stamp(fd); err != nil {
		t.Fatal(err)
	}
	return fd, other
}

// wait is one Wait that must report the keys.
func wait(t *testing.T, p *Poller, limit time.Duration, want ...int64) {
	t.Helper()
	var got []int64
	if err := p.Wait(limit, func(key int64) { got = append(got, key) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
		t.Fatalf("ready %v, want %v", got, want)
	}
}

func newPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A receive stamp lies between the write and the read, and does not wait for the reader.
func TestReceiveStamp(t *testing.T) {
	fd, other := pair(t)
	p := newPoller(t)
	if err := p.Add(fd, 7); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if _, err := other.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	after := time.Now() // on loopback the bytes have arrived when the write returns
	time.Sleep(20 * time.Millisecond)
	wait(t, p, time.Second, 7)
	var r Receiver
	buf := make([]byte, 100)
	n, stamp, err := r.Recv(fd, buf)
	if err != nil || string(buf[:n]) != "hello" {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
	if at := time.Unix(0, stamp); at.Before(before.Round(0)) || at.After(after.Round(0)) {
		t.Errorf("stamp %v outside of %v .. %v", at, before, after)
	}
	if _, _, err := r.Recv(fd, buf); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("nothing to read: %v", err)
	}
	other.Close()
	wait(t, p, time.Second, 7)
	if n, _, err := r.Recv(fd, buf); n != 0 || err != nil {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
}

func TestSendAndIdle(t *testing.T) {
	fd, other := pair(t)
	if !Idle(fd) {
		t.Error("a quiet open connection is idle")
	}
	if n, err := Send(fd, []byte("question")); n != 8 || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	got := make([]byte, 8)
	if _, err := io.ReadFull(other, got); err != nil || string(got) != "question" {
		t.Fatalf("the other end got %q, %v", got, err)
	}
	big := make([]byte, 64<<20)
	for {
		n, err := Send(fd, big)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil || n == 0 {
			t.Fatalf("sent %d, %v", n, err)
		}
	}
	go io.Copy(io.Discard, other)
	if _, err := WaitWritable(fd, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := Send(fd, []byte("x")); err != nil {
		t.Errorf("writable and yet: %v", err)
	}
	Shutdown(fd)
	if Idle(fd) {
		t.Error("a connection that was shut down is not idle")
	}
}

func TestWake(t *testing.T) {
	p := newPoller(t)
	p.Wake()
	wait(t, p, -1) // would hang if the wake were lost
	wait(t, p, 0)
}

func TestRemove(t *testing.T) {
	fd, other := pair(t)
	p := newPoller(t)
	if err := p.Add(fd, 1); err != nil {
		t.Fatal(err)
	}
	p.Remove(fd)
	other.Write([]byte("unseen"))
	wait(t, p, 0)
}

func TestTakeNeedsASocket(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := Take(a); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a pipe in memory: %v", err)
	}
}

func TestConnect(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Logf("%s: %v", host, err) // a machine without IPv6
			continue
		}
		to := netip.MustParseAddrPort(l.Addr().String())
		fd, pending, err := Connect(to)
		if err != nil {
			t.Fatal(err)
		}
		if pending {
			p := newPoller(t)
			if err := p.AddWritable(fd, 3); err != nil {
				t.Fatal(err)
			}
			wait(t, p, time.Second, 3)
		}
		if err := ConnectError(fd); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		Close(fd)
		l.Close()
		if fd, pending, err = Connect(to); err == nil && pending {
			p := newPoller(t)
			if err := p.AddWritable(fd, 3); err != nil {
				t.Fatal(err)
			}
			wait(t, p, time.Second, 3)
			err = ConnectError(fd)
			Close(fd)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s with nobody there: %v", host, err)
		}
	}
}

// A read costs no allocation.
func BenchmarkRecv(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	fd, err := Take(ours)
	if err != nil {
		b.Fatal(err)
	}
	peer, err := Take(other)
	if err != nil {
		b.Fatal(err)
	}
	defer Close(fd)
	defer Close(peer)
	if err := Stamp(fd); err != nil {
		b.Fatal(err)
	}
	event := make([]byte, 240)
	buf := make([]byte, 64<<10)
	var r Receiver
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Send(peer, event); err != nil {
			b.Fatal(err)
		}
		if _, _, err := r.Recv(fd, buf); err != nil {
			b.Fatal(err)
		}
	}
}
