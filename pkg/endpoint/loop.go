package endpoint

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// loop reads the sockets of many requests on one goroutine: it waits for any of them, reads once, and pushes the bytes
// through the reply's parser to its observer. A request's own goroutine sleeps until its end, so that an event costs a
// read and its parsing, and no wake-up.
//
// Streams under way go first: sockets that still connect, or whose answer has not begun, are in a set of their own, of which
// a few at a time are looked at. The first bytes of an answer cost ten times an event, and thousands of new connections
// would otherwise be served before the next event of a stream.
//
// It meets no lock: with thousands of requests after the same one, the holder gives its core away when it unlocks.
//
// Its goroutine runs while there is a request under way.
type loop struct {
	epoch time.Time
	poll  *rawnet.Poller // streams under way, and the other set
	fresh *rawnet.Poller
	in    reader
	links links
	next  atomic.Int32 // part of a key

	mu      sync.Mutex
	live    atomic.Int64 // sockets in the loop; it grows under mu
	running bool
	closed  bool
}

// freshKey is the key of the set of fresh sockets, and freshAtOnce how many of them are looked at before the streams again.
const (
	freshKey    = 0
	freshAtOnce = 4
)

// loopBuffer takes whatever a socket has in one read.
const loopBuffer = 256 << 10

func newLoop(epoch time.Time) (*loop, error) {
	poll, err := rawnet.NewPoller()
	if err != nil {
		return nil, err
	}
	fresh, err := rawnet.NewPoller()
	if err != nil {
		poll.Close()
		return nil, err
	}
	l := &loop{epoch: epoch, poll: poll, fresh: fresh}
	if err := poll.Nest(fresh, freshKey); err != nil {
		l.free()
		return nil, err
	}
	return l, nil
}

// free gives the loop's descriptors back.
func (l *loop) free() {
	l.fresh.Close()
	l.poll.Close()
}

// add reads s until its reply is over.
func (l *loop) add(s *socketLink) error { return l.watch(s, l.fresh.Add) }

// watch puts s into the set of fresh sockets, and starts the loop if it is not running.
func (l *loop) watch(s *socketLink, add func(fd int, key int64) error) error {
	if !l.enter() {
		return net.ErrClosed // its descriptors are gone
	}
	// A key of its own, not just the descriptor: an event of a connection that is gone must not be taken for its
	// successor's.
	s.key = int64(l.next.Add(1)&math.MaxInt32)<<32 | int64(s.fd)
	s.set = l.fresh
	if !l.links.put(s) {
		l.leave(s)
		return syscall.EMFILE
	}
	if err := add(s.fd, s.key); err != nil {
		l.links.drop(s)
		l.leave(s)
		return err
	}
	return nil
}

// enter counts a socket in, and starts the loop if it is not running. It reports false where there is no loop any more.
func (l *loop) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && !l.running {
		return false
	}
	l.live.Add(1)
	if !l.running {
		l.running = true
		go l.run()
	}
	return true
}

// leave counts a socket out that the loop has not seen to its end.
func (l *loop) leave(s *socketLink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh.Remove(s.fd)
	l.live.Add(-1)
	l.poll.Wake() // it may have waited for this one alone
}

// connected waits for a pending connection.
func (l *loop) connected(ctx context.Context, s *socketLink) error {
	s.connecting = true
	if err := l.watch(s, l.fresh.AddWritable); err != nil {
		return err
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		if l.links.drop(s) {
			l.leave(s)
			return ctx.Err()
		}
		<-s.done // it has just been made, or has failed
	}
	s.connecting = false
	return rawnet.ConnectError(s.fd)
}

// end takes a socket out of the loop and tells its request, unless the request has given it up.
func (l *loop) end(s *socketLink) {
	if l.links.drop(s) {
		s.set.Remove(s.fd)
		l.live.Add(-1)
		s.done <- struct{}{}
	}
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
	if l.live.Load() > 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live.Load() > 0 {
		return true
	}
	l.running = false
	if l.closed {
		l.free()
	}
	return false
}

// abandon ends every request: the epoll set cannot be waited for, which no working kernel does.
func (l *loop) abandon(err error) {
	for s := range l.links.all {
		if !s.connecting {
			s.sink.take(arrival{err: err})
		}
		l.end(s)
	}
}

// ready reads one socket once.
func (l *loop) ready(key int64) {
	if key == freshKey {
		if err := l.fresh.WaitSome(0, freshAtOnce, l.ready); err != nil {
			l.abandon(err)
		}
		return
	}
	s := l.links.find(key)
	if s == nil {
		return
	}
	if s.connecting {
		l.end(s)
		return
	}
	a, ok := l.in.read(s)
	if !ok {
		return
	}
	over := s.sink.take(a)
	if !over && s.set == l.fresh {
		over = l.promote(s)
	}
	if over {
		l.end(s)
	}
}

// promote puts a socket whose answer has begun among the streams under way. It reports true when its request is over: the
// kernel would not have it there.
func (l *loop) promote(s *socketLink) (over bool) {
	l.fresh.Remove(s.fd)
	s.set = l.poll
	if err := l.poll.Add(s.fd, s.key); err != nil {
		s.sink.take(arrival{err: err})
		return true
	}
	return false
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
		l.free()
	}
}
