package rawnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// socket is one end of a loopback connection as a descriptor, and the other.
func socket(t *testing.T) (int, net.Conn) {
	t.Helper()
	if !Supported {
		t.Skip("needs Linux on a 64-bit processor")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	fd, err := Take(ours)
	if err != nil {
		t.Fatal(err)
	}
	return fd, theirs
}

// What is fed is read, then nothing for now, then the end; what is written goes out at a flush and not before it has to.
func TestConn(t *testing.T) {
	fd, theirs := socket(t)
	c := NewConn(fd)
	buf := make([]byte, 3)
	if n, err := c.Read(buf); n != 0 || !errors.Is(err, ErrDry) {
		t.Errorf("before it is fed: %d, %v", n, err)
	}
	c.Feed([]byte("abcd"), io.EOF)
	for _, want := range []string{"abc", "d"} {
		if n, err := c.Read(buf); string(buf[:n]) != want || err != nil {
			t.Errorf("%q, %v; want %q", buf[:n], err, want)
		}
	}
	if _, err := c.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for _, part := range []string{"he", "llo"} {
		if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Error(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(theirs, got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

// A peer that does not read holds nobody up, and what waits for it arrives in order once it reads.
func TestConnWaitsForNobody(t *testing.T) {
	fd, theirs := socket(t)
	c := NewConn(fd)
	var sent bytes.Buffer
	for err := error(nil); err == nil; err = c.Flush() {
		part := bytes.Repeat([]byte{byte(sent.Len() >> 16)}, 64<<10)
		sent.Write(part)
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("full: %v", err)
	}
	for range 1 << 20 {
		if _, err := c.Write(make([]byte, 64<<10)); err != nil {
			break
		}
		sent.Write(make([]byte, 64<<10))
	}
	if _, err := c.Write(make([]byte, 64<<10)); err == nil {
		t.Error("a peer that never reads can make it hold any amount")
	}
	got := make(chan []byte, 1)
	go func() {
		b := make([]byte, sent.Len())
		io.ReadFull(theirs, b)
		got <- b
	}()
	for errors.Is(c.Flush(), syscall.EAGAIN) {
		WaitWritable(fd, 100*time.Millisecond)
	}
	if b := <-got; !bytes.Equal(b, sent.Bytes()) {
		t.Error("what arrived is not what was written")
	}
	c.Close()
}
