// Package memnet is a network in memory, for tests in virtual time: a real net/http server and client meet over it
// inside a testing/synctest bubble, where a socket of the operating system would stop the bubble's clock.
//
// Writes never block (the buffer grows), bytes arrive in the instant in which they were written, and a closed side
// reads as EOF at the other, after what was written before.
package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Listener accepts connections that Dial makes. It is a net.Listener.
type Listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// Listen opens a listener.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for a connection. After Close it returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is a fixed name.
func (l *Listener) Addr() net.Addr { return addr{} }

// Dial connects to the listener; network and address are not looked at. It fits net/http's DialContext.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "mem", Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Pipe is a connected pair.
func Pipe() (a, b net.Conn) {
	x, y := newBuffer(), newBuffer()
	return &conn{in: x, out: y}, &conn{in: y, out: x}
}

type addr struct{}

func (addr) Network() string { return "mem" }
func (addr) String() string  { return "mem" }

// conn reads from one buffer and writes to the other.
type conn struct{ in, out *buffer }

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *conn) LocalAddr() net.Addr         { return addr{} }
func (c *conn) RemoteAddr() net.Addr        { return addr{} }

// Close ends both directions: the peer reads what is left and then EOF.
func (c *conn) Close() error {
	c.in.close(net.ErrClosed)
	c.out.close(io.EOF)
	return nil
}

func (c *conn) SetDeadline(t time.Time) error      { return c.SetReadDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error  { c.in.deadline(t); return nil }
func (c *conn) SetWriteDeadline(_ time.Time) error { return nil } // writes never block

// buffer is one direction.
type buffer struct {
	mu    sync.Mutex
	cond  *sync.Cond
	data  []byte
	err   error // what reading gives once data is empty
	late  bool  // the read deadline has passed
	timer *time.Timer
}

func newBuffer() *buffer {
	b := &buffer{}
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *buffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.late:
			return 0, os.ErrDeadlineExceeded
		case errors.Is(b.err, net.ErrClosed):
			return 0, b.err
		case len(b.data) > 0 || len(p) == 0:
			n := copy(p, b.data)
			b.data = b.data[n:]
			return n, nil
		case b.err != nil:
			return 0, b.err
		}
		b.cond.Wait()
	}
}

func (b *buffer) write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, &net.OpError{Op: "write", Net: "mem", Err: io.ErrClosedPipe}
	}
	b.data = append(b.data, p...)
	b.cond.Broadcast()
	return len(p), nil
}

func (b *buffer) close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil || errors.Is(err, net.ErrClosed) {
		b.err = err
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	b.cond.Broadcast()
}

func (b *buffer) deadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.late = !t.IsZero() && !t.After(time.Now())
	if !t.IsZero() && !b.late {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.timer == timer {
				b.late = true
				b.cond.Broadcast()
			}
		})
		b.timer = timer
	}
	b.cond.Broadcast()
}
