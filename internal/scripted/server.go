package scripted

import (
	"bytes"
	"container/heap"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// Server is a scripted server on a loopback address.
type Server struct {
	// URL is the API's base.
	URL string
	// Authority is the certificate, in DER, that a client must trust; nil without TLS.
	Authority []byte

	listener net.Listener
	tls      *tls.Config // nil without
	poll     *rawnet.Poller
	stamping int // the descriptor that keeps the kernel's stamps on
	over     sync.WaitGroup

	mu      sync.Mutex
	fresh   []*conn // accepted, not yet watched
	done    []Served
	stopped bool
}

// Start listens on addr (127.0.0.1:0 for a free port) and serves until Stop.
func Start(addr string) (*Server, error) { return listen(addr, nil) }

// StartTLS is Start with TLS, by a certificate made for the occasion.
func StartTLS(addr string) (*Server, error) {
	cert, err := certificate()
	if err != nil {
		return nil, err
	}
	return listen(addr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
}

func listen(addr string, secure *tls.Config) (*Server, error) {
	if !rawnet.Supported {
		return nil, fmt.Errorf("the scripted server needs Linux on a 64-bit processor: %w", errors.ErrUnsupported)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	poll, err := rawnet.NewPoller()
	if err != nil {
		l.Close()
		return nil, err
	}
	stamping, err := rawnet.StampAll()
	if err != nil {
		l.Close()
		poll.Close()
		return nil, err
	}
	s := &Server{URL: "http://" + l.Addr().String() + "/v1", listener: l, tls: secure, poll: poll, stamping: stamping}
	if secure != nil {
		s.URL = "https" + strings.TrimPrefix(s.URL, "http")
		s.Authority = secure.Certificates[0].Certificate[0]
	}
	s.over.Go(s.accept)
	s.over.Go(func() { newLoop(s).run() })
	return s, nil
}

// Stop ends the server and every connection.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.listener.Close()
	s.poll.Wake()
	s.over.Wait()
	s.poll.Close()
	rawnet.Close(s.stamping)
}

// Log hands out what is known of the requests that ended since the last call, in the order of their ends.
func (s *Server) Log() []Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.done
	s.done = nil
	return log
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond) // out of descriptors, most likely: some come back
			continue
		}
		if s.tls != nil {
			s.over.Go(func() { s.shake(c) })
			continue
		}
		s.hand(c, func(fd int) *conn { return &conn{fd: fd} })
	}
}

// hand gives an accepted connection to the loop.
func (s *Server) hand(c net.Conn, wrap func(fd int) *conn) {
	fd, err := rawnet.Take(c)
	if err != nil {
		c.Close()
		return
	}
	_ = rawnet.Stamp(fd) // without it the loop's clock says when a request came
	s.mu.Lock()
	s.fresh = append(s.fresh, wrap(fd))
	s.mu.Unlock()
	s.poll.Wake()
}

// loop is the one goroutine that reads requests and writes events.
type loop struct {
	s     *Server
	recv  rawnet.Receiver
	buf   []byte
	conns map[int64]*conn
	due   schedule
	wire  wire
	zero  time.Time // where now counts from
	base  int64     // the wall clock at zero
}

func newLoop(s *Server) *loop {
	now := time.Now()
	return &loop{s: s, buf: make([]byte, 256<<10), conns: map[int64]*conn{}, zero: now, base: now.UnixNano()}
}

// now is the wall clock of the start, carried on by the monotonic one.
func (l *loop) now() int64 { return l.base + int64(time.Since(l.zero)) }

func (l *loop) run() {
	defer func() {
		for _, c := range l.conns {
			c.close()
		}
	}()
	for l.adopt() {
		if err := l.s.poll.Wait(l.patience(), l.read); err != nil {
			return
		}
		l.write()
	}
}

// adopt takes new connections in. It reports false once the server is stopped.
func (l *loop) adopt() bool {
	l.s.mu.Lock()
	fresh, stopped := l.s.fresh, l.s.stopped
	l.s.fresh = nil
	l.s.mu.Unlock()
	for _, c := range fresh {
		l.conns[int64(c.fd)] = c
		if l.s.poll.Add(c.fd, int64(c.fd)) != nil {
			l.drop(c)
		}
	}
	return !stopped
}

// patience is how long the loop may wait for something to read.
func (l *loop) patience() time.Duration {
	if len(l.due) == 0 {
		return -1
	}
	return time.Duration(max(0, l.due[0].next-l.now()))
}

func (l *loop) drop(c *conn) {
	if c.at >= 0 && c.busy {
		heap.Remove(&l.due, c.at)
	}
	delete(l.conns, int64(c.fd))
	c.close()
}

// read takes what a connection brought: a part of a request, or its end.
func (l *loop) read(key int64) {
	c := l.conns[key]
	if c == nil {
		return
	}
	n, stamp, err := l.recv.Recv(c.fd, l.buf)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return
	case err != nil || n == 0:
		l.drop(c)
		return
	}
	if c.pull(l.buf[:n]) != nil {
		l.drop(c)
		return
	}
	body, whole := requestBody(c.in)
	if !whole || c.busy {
		return
	}
	script, err := parseScript(body)
	c.in = c.in[:0]
	if err != nil {
		_ = c.push(refusal(err))
		l.drop(c)
		return
	}
	if stamp == 0 {
		stamp = l.now()
	}
	c.begin(script, stamp)
	if c.push(l.wire.head()) != nil {
		c.busy = false
		l.drop(c)
		return
	}
	heap.Push(&l.due, c)
}

// write hands every event that is due to the kernel.
func (l *loop) write() {
	for len(l.due) > 0 {
		c := l.due[0]
		now := l.now()
		if c.next > now {
			return
		}
		if len(c.log.Writes) == c.script.Events {
			l.end(c, now, c.push(nil))
			continue
		}
		c.log.Writes = append(c.log.Writes, now)
		c.log.Due = append(c.log.Due, c.next)
		last := len(c.log.Writes) == c.script.Events
		err := c.push(l.wire.event(len(c.log.Writes), last, c.script.Events))
		if last || err != nil {
			l.end(c, now, err)
			continue
		}
		c.advance()
		heap.Fix(&l.due, 0)
	}
}

// retry is how soon a socket that would not take the end of an answer is tried again.
const retry = int64(time.Millisecond)

// end finishes the answer of the connection whose turn it is, once the socket has taken all of it.
func (l *loop) end(c *conn, now int64, err error) {
	if err == nil && c.full {
		c.next = now + retry
		heap.Fix(&l.due, 0)
		return
	}
	heap.Pop(&l.due)
	c.busy = false
	l.s.mu.Lock()
	l.s.done = append(l.s.done, c.log)
	l.s.mu.Unlock()
	c.log = Served{}
	if err != nil {
		l.drop(c)
	}
}

// requestBody is the body of a request whose bytes so far are b, and whether it is whole.
func requestBody(b []byte) (body []byte, whole bool) {
	head, rest, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return nil, false
	}
	n := 0
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			for _, d := range bytes.TrimSpace(value) {
				n = n*10 + int(d-'0')
			}
		}
	}
	return rest, len(rest) >= n
}

func refusal(err error) []byte {
	text := err.Error()
	return fmt.Appendf(nil, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
}
