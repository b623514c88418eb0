package endpoint

import (
	"context"
	"math"
	"net"
	"sync"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// loop reads the sockets of many requests on one goroutine: it waits for any of them, reads once, and pushes the bytes
// through the reply's parser to its observer. A request's own goroutine sleeps until its end, so that an event costs a
// read and its parsing, and no wake-up.
//
// Its goroutine runs while there is a request under way.
type loop struct {
	epoch time.Time
	poll  *rawnet.Poller
	in    reader

	mu      sync.Mutex
	live    map[int32]*socketLink // by key
	next    int32
	running bool
	closed  bool
}

// loopBuffer takes whatever a socket has in one read.
const loopBuffer = 256 << 10

func newLoop(epoch time.Time) (*loop, error) {
	poll, err := rawnet.NewPoller()
	if err != nil {
		return nil, err
	}
	return &loop{epoch: epoch, poll: poll, live: map[int32]*socketLink{}}, nil
}

// add reads s until its reply is over.
func (l *loop) add(s *socketLink) error { return l.watch(s, l.poll.Add) }

// watch puts s into the epoll set, and starts the loop if it is not running.
func (l *loop) watch(s *socketLink, add func(fd int, key int32) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && !l.running {
		return net.ErrClosed // its descriptors are gone
	}
	// A key of its own, not the descriptor: an event of a connection that is gone must not be taken for its successor's.
	l.next = (l.next + 1) & math.MaxInt32
	s.key = l.next
	if err := add(s.fd, s.key); err != nil {
		return err
	}
	l.live[s.key] = s
	if !l.running {
		l.running = true
		go l.run()
	}
	return nil
}

// connected waits for a pending connection.
func (l *loop) connected(ctx context.Context, s *socketLink) error {
	s.connecting = true
	if err := l.watch(s, l.poll.AddWritable); err != nil {
		return err
	}
	select {
	case <-s.done:
		s.connecting = false
		return rawnet.ConnectError(s.fd)
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, s.key)
	l.poll.Remove(s.fd)
	l.poll.Wake() // it may have waited for this one alone
	return ctx.Err()
}

// settle ends the wait for a pending connection, unless its request has given it up.
func (l *loop) settle(s *socketLink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live[s.key] != s {
		return
	}
	delete(l.live, s.key)
	l.poll.Remove(s.fd)
	s.done <- struct{}{}
}

func (l *loop) forget(s *socketLink) {
	l.mu.Lock()
	delete(l.live, s.key)
	l.mu.Unlock()
}

func (l *loop) run() {
	if l.in.buf == nil {
		l.in.buf = make([]byte, loopBuffer)
	}
	for l.needed() {
		if err := l.poll.Wait(-1, l.ready); err != nil {
			l.abandon(err)
		}
	}
}

// needed reports whether the loop has something to read; else it is not running any more.
func (l *loop) needed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.live) > 0 {
		return true
	}
	l.running = false
	if l.closed {
		l.poll.Close()
	}
	return false
}

// abandon ends every request: the epoll set cannot be waited for, which no working kernel does.
func (l *loop) abandon(err error) {
	l.mu.Lock()
	all := l.live
	l.live = map[int32]*socketLink{}
	l.mu.Unlock()
	for _, s := range all {
		if !s.connecting {
			s.sink.take(arrival{err: err})
		}
		s.done <- struct{}{}
	}
}

// ready reads one socket once.
func (l *loop) ready(key int32) {
	l.mu.Lock()
	s := l.live[key]
	l.mu.Unlock()
	if s == nil {
		return
	}
	if s.connecting {
		l.settle(s)
		return
	}
	if a, ok := l.in.read(s); ok && s.sink.take(a) {
		l.poll.Remove(s.fd)
		l.forget(s)
		s.done <- struct{}{}
	}
}

// close frees the loop once its last request is over.
func (l *loop) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	if !l.running {
		l.poll.Close()
	}
}
