package endpoint

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/workload"
)

// onLoopback opens an endpoint on a real socket.
func onLoopback(t *testing.T, url string, change func(*Config)) Endpoint {
	t.Helper()
	cfg := Config{Approach: workload.Approach{URL: url, Model: "m"}, Epoch: time.Now(), KeepText: true}
	if change != nil {
		change(&cfg)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// scriptedOnLoopback starts a scripted server, and an endpoint of its own for it.
func scriptedOnLoopback(t *testing.T, epoch time.Time, start func(addr string) (*scripted.Server, error)) (*scripted.Server, Endpoint) {
	t.Helper()
	if !rawnet.Supported {
		t.Skip("the scripted server needs Linux on a 64-bit processor")
	}
	s, err := start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s, onLoopback(t, s.URL, func(c *Config) {
		c.Epoch = epoch
		if s.Authority != nil {
			cert, err := x509.ParseCertificate(s.Authority)
			if err != nil {
				t.Fatal(err)
			}
			c.RootCAs = x509.NewCertPool()
			c.RootCAs.AddCert(cert)
		}
	})
}

// bothWays runs a test against a scripted server without and with TLS.
func bothWays(t *testing.T, test func(t *testing.T, start func(addr string) (*scripted.Server, error))) {
	t.Run("plain", func(t *testing.T) { test(t, scripted.Start) })
	t.Run("TLS", func(t *testing.T) { test(t, scripted.StartTLS) })
}

// Many streams at once on one loop, each with its own answer, and connections used again.
func TestLoopKeepsStreamsApart(t *testing.T) { bothWays(t, keepsStreamsApart) }

func keepsStreamsApart(t *testing.T, start func(addr string) (*scripted.Server, error)) {
	_, e := scriptedOnLoopback(t, time.Now(), start)
	var wg sync.WaitGroup
	var dialled atomic.Int32
	const streams = 40
	for round := range 3 {
		for i := range streams {
			wg.Go(func() {
				script := scripted.Script{Index: round*streams + i, TTFT: 2 * time.Millisecond, Gap: time.Millisecond, Events: 1 + i, Jitter: 1}
				obs := &events{}
				r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: script.Prompt()}}}, obs)
				if r.Class != OK || obs.count(Answer) != 1+i || *r.Usage.Output != 1+i {
					t.Errorf("stream %d: %s %q, %d answers", i, r.Class, r.Error, obs.count(Answer))
				}
				if r.NewConnection {
					dialled.Add(1)
				}
				if r.Stamps != StampsKernel && round > 0 { // the kernel begins a moment after it was first asked
					t.Errorf("stream %d of round %d: stamps by %q", i, round, r.Stamps)
				}
				last := time.Duration(-1)
				for _, ev := range obs.all {
					if ev.At < last && ev.Kind != Headers { // the answer's head can overtake our look at the clock
						t.Errorf("stream %d: %v at %s after %s", i, ev.Kind, ev.At, last)
					}
					last = ev.At
				}
			})
		}
		wg.Wait()
	}
	if n := dialled.Load(); n > streams {
		t.Errorf("%d connections for %d streams at a time", n, streams)
	}
}

// An event's time is when the kernel received it, however late it is read: here by an observer that sleeps, which holds
// the loop up.
func TestArrivalsDoNotWaitForTheReader(t *testing.T) { bothWays(t, arrivalsDoNotWait) }

func arrivalsDoNotWait(t *testing.T, start func(addr string) (*scripted.Server, error)) {
	epoch := time.Now()
	s, e := scriptedOnLoopback(t, epoch, start)
	const pause = 30 * time.Millisecond
	slow := make([]*sleeper, 2)
	var wg sync.WaitGroup
	for i := range slow {
		slow[i] = &sleeper{pause: pause}
		script := scripted.Script{Index: i, TTFT: 20 * time.Millisecond, Gap: time.Hour, Events: 1}
		wg.Go(func() {
			e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: script.Prompt()}}}, slow[i])
		})
	}
	wg.Wait()
	truth := map[int]scripted.Served{}
	for _, served := range waitLog(s, 2) {
		truth[served.Index] = served
	}
	late := time.Duration(0)
	for i, o := range slow {
		got, _ := o.first(Answer)
		at := epoch.UnixNano() + int64(got.At)
		wrote := truth[i].Writes[0]
		// The server's stamp is taken before its write; a machine that takes its core away in between is its matter.
		if at < wrote {
			t.Errorf("stream %d: stamped %s before it was written", i, time.Duration(wrote-at))
		}
		late = max(late, got.Late)
	}
	if late < pause/2 {
		t.Errorf("the loop stood still for %s at a time, and the latest read was late by %s", pause, late)
	}
}

// sleeper is an observer that takes its time over the head of an answer.
type sleeper struct {
	events
	pause time.Duration
}

func (s *sleeper) Observe(e Event) {
	s.events.Observe(e)
	if e.Kind == Headers || e.Kind == Other {
		time.Sleep(s.pause)
	}
}

func waitLog(s *scripted.Server, n int) (log []scripted.Served) {
	for range 2000 {
		if log = append(log, s.Log()...); len(log) >= n {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return log
}

// A stamp of the wall clock is used as long as that clock goes on as the monotonic one does.
func TestWallClockSteps(t *testing.T) {
	start := time.Now()
	at := func(mono time.Duration) time.Time { return start.Add(mono) }
	stamp := func(now time.Time, ago time.Duration) int64 { return now.UnixNano() - int64(ago) }
	var w wallClock
	now := at(0)
	if late, ok := w.late(now, stamp(now, 3*time.Millisecond)); !ok || late != 3*time.Millisecond {
		t.Errorf("at first: %s, %v", late, ok)
	}
	now = at(time.Second)
	if late, ok := w.late(now, stamp(now, -500*time.Microsecond)); !ok || late != 0 {
		t.Errorf("a stamp a little ahead: %s, %v", late, ok)
	}
	if _, ok := w.late(now, stamp(now, -time.Second)); ok {
		t.Error("a stamp of the future was used")
	}
	if _, ok := w.late(now, stamp(now, time.Hour)); ok {
		t.Error("a stamp of an hour ago was used")
	}
	if _, ok := w.late(now, 0); ok {
		t.Error("no stamp was used")
	}
	// Interrupted between the two clocks: the monotonic one is read late, and the offset looks too small.
	interrupted := at(time.Second + 100*time.Millisecond + 400*time.Microsecond)
	w.offset += int64(400 * time.Microsecond) // as if the wall clock had been read that much earlier
	if late, ok := w.late(interrupted, stamp(interrupted, 2*time.Millisecond)); !ok || late != 2*time.Millisecond+400*time.Microsecond-(interrupted.Sub(now)/slewShare).Round(0) {
		t.Errorf("interrupted: %s, %v", late, ok)
	}
	w.offset -= int64(400 * time.Microsecond)
	now = at(time.Second + 101*time.Millisecond)
	w.late(now, stamp(now, 0))
	// Somebody sets the wall clock: its offset to the monotonic clock is another one than a moment ago.
	w.offset -= int64(time.Minute)
	if _, ok := w.late(now, stamp(now, time.Millisecond)); ok {
		t.Error("a stamp from before a step was used")
	}
	now = at(time.Second + 111*time.Millisecond)
	if _, ok := w.late(now, stamp(now, 20*time.Millisecond)); ok {
		t.Error("a stamp that seems to be from before the step was used")
	}
	if late, ok := w.late(now, stamp(now, time.Millisecond)); !ok || late != time.Millisecond {
		t.Errorf("after the step: %s, %v", late, ok)
	}
}

// rawServer answers each connection with what answer writes, after it has read a request's head.
func rawServer(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				answer(c)
			})
		}
	})
	return "http://" + l.Addr().String() + "/v1"
}

// readRequest reads up to the end of a request's body, which ends with a brace.
func readRequest(c net.Conn) error {
	buf := make([]byte, 64<<10)
	head, found := "", false
	for {
		n, err := c.Read(buf)
		if !found {
			head += string(buf[:n])
			found = strings.Contains(head, "\r\n\r\n")
		}
		if found && n > 0 && buf[n-1] == '}' {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A server that closes each connection right after its answer loses no request on it, although it had promised to keep
// it (llama-server 0.7.0 does so).
func TestAConnectionThatDiedIsNotUsedAgain(t *testing.T) {
	answer := sseHead + chunked(content("a")+doneEvent) + lastChunk
	url := rawServer(t, func(c net.Conn) {
		if readRequest(c) == nil {
			_, _ = io.WriteString(c, answer)
		}
	})
	e := onLoopback(t, url, nil)
	for i := range 20 {
		r := e.Do(t.Context(), &testRequest, &events{})
		if r.Class != OK || !r.NewConnection {
			t.Fatalf("request %d: %s %q, new connection %v", i, r.Class, r.Error, r.NewConnection)
		}
		time.Sleep(5 * time.Millisecond) // for the end to arrive
	}
}

// The ends of a request on a real socket.
func TestEndsOnASocket(t *testing.T) {
	cancelled := func(ctx context.Context, cause error) context.Context {
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		return ctx
	}
	hold := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) } // until the client leaves
	tests := []struct {
		name   string
		answer func(net.Conn)
		cause  error
		class  Class
	}{
		{"reset", func(c net.Conn) { readRequest(c); c.(*net.TCPConn).SetLinger(0) }, nil, Truncated},
		{"closed", func(c net.Conn) { readRequest(c) }, nil, Truncated},
		{"cancelled while waiting", func(c net.Conn) { readRequest(c); hold(c) }, ErrUnfinished, Unfinished},
		{"cancelled in the middle", func(c net.Conn) { readRequest(c); io.WriteString(c, sseHead+chunked(content("a"))); hold(c) }, ErrCancelled, Cancelled},
		{"cancelled in a body without an end of its own", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"+content("a"))
			hold(c)
		}, ErrUnfinished, Unfinished},
		{"an early refusal, before the request was read", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			hold(c)
		}, nil, HTTPStatus},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := onLoopback(t, rawServer(t, tt.answer), nil)
			ctx := t.Context()
			if tt.cause != nil {
				ctx = cancelled(ctx, tt.cause)
			}
			r := e.Do(ctx, &testRequest, &events{})
			if r.Class != tt.class || r.Error == "" {
				t.Errorf("%s %q, want %s", r.Class, r.Error, tt.class)
			}
		})
	}
}

// A request larger than the socket's buffers waits for a server that reads slowly, and Sent is when its last byte went.
func TestLargeRequestToASlowReader(t *testing.T) {
	answer := sseHead + chunked(content("a")+doneEvent) + lastChunk
	url := rawServer(t, func(c net.Conn) {
		time.Sleep(50 * time.Millisecond)
		buf := make([]byte, 1<<20)
		for total := 0; total < 16<<20; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			total += n
		}
		_, _ = io.WriteString(c, answer)
		_, _ = io.Copy(io.Discard, c)
	})
	e := onLoopback(t, url, nil)
	obs := &events{}
	r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: strings.Repeat("word ", 16<<20/5)}}}, obs)
	connected, _ := obs.first(Connected)
	sent, ok := obs.first(Sent)
	headers, _ := obs.first(Headers)
	if r.Class != OK || !ok || sent.At-connected.At < 40*time.Millisecond || headers.At < sent.At {
		t.Errorf("%s %q: connected %s, sent %s, headers %s", r.Class, r.Error, connected.At, sent.At, headers.At)
	}
}

// Nothing stays behind: requests that end in every way, then Close; goleak looks at the goroutines (main_test.go), and
// here at the descriptors.
func TestDescriptorsAreGivenBack(t *testing.T) {
	before := openDescriptors(t)
	answer := sseHead + chunked(content("a")+doneEvent) + lastChunk
	var n atomic.Int32
	url := rawServer(t, func(c net.Conn) {
		for readRequest(c) == nil {
			if n.Add(1)%3 == 0 {
				return
			}
			io.WriteString(c, answer)
		}
	})
	e := onLoopback(t, url, nil)
	for range 30 {
		e.Do(t.Context(), &testRequest, &events{})
	}
	e.Close()
	for range 200 {
		if after := openDescriptors(t); after <= before+2 { // the listener, and what the test's server still closes
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d descriptors before, %d after", before, openDescriptors(t))
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	if !rawnet.Supported {
		t.Skip("needs /proc")
	}
	list, err := http.Dir("/proc/self/fd").Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	all, err := list.Readdir(-1)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Logf("%v", err) // one of them is the list's own, gone by now
	}
	return len(all)
}

func TestTargetsPort(t *testing.T) {
	for url, want := range map[string]struct{ addr, host string }{
		"http://h/v1": {"h:80", "h"}, "https://h/v1": {"h:443", "h"}, "http://h:8/v1": {"h:8", "h:8"}, "http://[::1]/v1": {"[::1]:80", "[::1]"},
		"http://[fe80::1%25eth0]:8/v1": {"[fe80::1%eth0]:8", "[fe80::1]:8"}, // as net/http does, without the zone
	} {
		u, err := targetURL(url, "/x")
		if err != nil {
			t.Fatal(err)
		}
		cfg := &Config{Epoch: time.Now()}
		r, err := newRoute(cfg, u)
		if err != nil {
			t.Fatal(err)
		}
		d := newDirect(cfg, &target{url: u, header: http.Header{}, reuse: true, route: r})
		d.close()
		if r.address != want.addr {
			t.Errorf("%s: %s, want %s", url, r.address, want.addr)
		}
		if want := fmt.Sprintf("POST /v1/x HTTP/1.1\r\nHost: %s\r\nContent-Length: ", want.host); string(d.head) != want {
			t.Errorf("%s: head %q, want %q", url, d.head, want)
		}
	}
}
