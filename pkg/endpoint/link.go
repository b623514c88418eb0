package endpoint

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// link is a connection that carries one request at a time.
type link interface {
	active
	// send writes a request and says when its last byte was written, since the epoch. Cancelling ctx ends it, and so does
	// an answer that comes before the request is out, with errAnswered: r has begun with it. What only waits on the
	// connection itself, connLink, does not see such an answer.
	send(ctx context.Context, p []byte, r *reply) (time.Duration, error)
	// receive pushes what comes into r until r is over. Cancelling ctx ends it, and the link with it.
	receive(ctx context.Context, r *reply)
	// rest begins, and wake ends, a time of no use. wake reports whether the link is still good.
	rest()
	wake() bool
	close()
}

// sink takes network reads until it says that the request is over.
type sink interface {
	take(a arrival) (over bool)
}

// socketLink is a socket that one loop over many of them reads, with the kernel's receive stamps.
type socketLink struct {
	fd   int
	loop *loop
	key  int64          // in the sets of the loop
	set  *rawnet.Poller // the one that it is in
	sink sink           // of the request under way
	// connecting: the connection is under way, and nothing can be read
	connecting bool
	done       chan struct{} // the reply is over
	readAt     atomic.Int64  // of the last read that brought bytes, ns since epoch
	reads      uint32
}

func newSocketLink(fd int, l *loop) *socketLink {
	return &socketLink{fd: fd, loop: l, done: make(chan struct{}, 1)}
}

func (s *socketLink) lastActive() time.Time {
	return s.loop.epoch.Add(time.Duration(s.readAt.Load()))
}

// send stamps before the write that takes the last byte: a write never waits here, but it wakes the server, which on a
// full machine gets our core before we have looked at the clock.
func (s *socketLink) send(ctx context.Context, p []byte, r *reply) (time.Duration, error) {
	s.sink = r
	for {
		now := time.Since(s.loop.epoch)
		n, err := rawnet.Send(s.fd, p)
		switch p = p[n:]; {
		case err == nil && len(p) == 0:
			return now, nil
		case err != nil && !errors.Is(err, syscall.EAGAIN):
			return 0, err
		}
		if err := s.full(ctx, r); err != nil {
			return 0, err
		}
	}
}

// writePatience is how long a full socket is waited for before the context is looked at again.
const writePatience = 50 * time.Millisecond

// errAnswered says that the server answered, or left, before it had read the request. It will not read the rest.
var errAnswered = errors.New("the answer came before the request was sent")

// full waits for a socket that takes nothing more, and reads what the server says meanwhile: an interim response, or that
// the request is too large.
func (s *socketLink) full(ctx context.Context, r *reply) error {
	readable, err := rawnet.WaitWritable(s.fd, writePatience)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || !readable {
		return err
	}
	in := readers.Get().(*reader)
	defer readers.Put(in)
	if a, ok := in.read(s); ok && s.sink.take(a) || r.x != nil {
		return errAnswered
	}
	return nil
}

func (s *socketLink) receive(ctx context.Context, r *reply) {
	s.sink = r
	s.await(ctx, r)
}

// await lets the loop read until r is over.
func (s *socketLink) await(ctx context.Context, r *reply) {
	defer func() { s.sink = nil }()
	if r.over {
		return
	}
	if err := s.loop.add(s); err != nil {
		r.take(arrival{err: err})
		return
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		rawnet.Shutdown(s.fd) // the loop sees the end
		<-s.done
	}
}

func (s *socketLink) rest()      {}
func (s *socketLink) wake() bool { return rawnet.Idle(s.fd) }
func (s *socketLink) close()     { rawnet.Close(s.fd) }

// connLink is a connection that the goroutine of its request reads: one in memory, or on a system without rawnet. Its stamps are the clock's, right after each network read.
type connLink struct {
	conn    net.Conn     // what requests are written to
	raw     *stampedConn // under it, below the encryption
	epoch   time.Time
	watched sync.WaitGroup
	spoilt  bool // it ended, or bytes came that nobody had asked for
}

func (c *connLink) lastActive() time.Time { return c.raw.lastActive() }

func (c *connLink) send(ctx context.Context, p []byte, _ *reply) (time.Duration, error) {
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	_, err := c.conn.Write(p)
	return time.Since(c.epoch), err
}

var connBuffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func (c *connLink) receive(ctx context.Context, r *reply) {
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	buf := connBuffers.Get().(*[]byte)
	defer connBuffers.Put(buf)
	for {
		n, err := c.conn.Read(*buf)
		at, number := c.raw.lastRead()
		if r.take(arrival{bytes: (*buf)[:n], at: at, number: number, err: err}) {
			return
		}
	}
}

// rest watches an idle connection: a read that returns before it is told to says that the connection is of no use.
func (c *connLink) rest() {
	c.watched.Go(func() {
		var b [1]byte
		_, err := c.conn.Read(b[:])
		var timeout net.Error
		c.spoilt = !errors.As(err, &timeout) || !timeout.Timeout()
	})
}

var longAgo = time.Unix(1, 0)

func (c *connLink) wake() bool {
	if c.conn.SetReadDeadline(longAgo) != nil {
		return false
	}
	c.watched.Wait()
	return !c.spoilt && c.conn.SetReadDeadline(time.Time{}) == nil
}

func (c *connLink) close() {
	_ = c.conn.Close()
	c.watched.Wait()
}
