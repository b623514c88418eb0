package rawnet

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// Conn puts a layer that wants a net.Conn, such as crypto/tls, over a descriptor that a loop reads: the layer reads what
// the loop has fed, and ErrDry where that is used up; what it writes waits for Flush. Nothing of it ever blocks. It is
// used by one goroutine at a time.
type Conn struct {
	fd  int
	in  []byte
	end error
	out []byte
}

// ErrDry is what Read returns when all that was fed is used up. It is a temporary net.Error, which crypto/tls does not
// keep: its next Read goes on where this one stopped.
var ErrDry net.Error = dry{}

type dry struct{}

func (dry) Error() string   { return "nothing more has come yet" }
func (dry) Timeout() bool   { return true }
func (dry) Temporary() bool { return true }

// maxUnsent bounds what a peer that never reads can make the layer say.
const maxUnsent = 1 << 20

var errUnsent = errors.New("the peer does not read what the encryption has to say")

// NewConn makes a connection of a descriptor, which it owns from now on.
func NewConn(fd int) *Conn { return &Conn{fd: fd} }

// Feed gives Read the bytes of one network read, and the error that came after them, or nil. The bytes stay the caller's:
// they must be read, or replaced, before they change.
func (c *Conn) Feed(p []byte, end error) { c.in, c.end = p, end }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	switch {
	case len(c.in) > 0:
		n := copy(p, c.in)
		c.in = c.in[n:]
		return n, nil
	case c.end != nil:
		return 0, c.end
	}
	return 0, ErrDry
}

// Write implements net.Conn: it keeps the bytes for Flush.
func (c *Conn) Write(p []byte) (int, error) {
	if len(c.out)+len(p) > maxUnsent {
		return 0, errUnsent
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

// Flush sends what was written, and returns syscall.EAGAIN where the socket has not taken all of it.
func (c *Conn) Flush() error {
	for len(c.out) > 0 {
		n, err := Send(c.fd, c.out)
		if err != nil {
			return err
		}
		c.out = c.out[n:]
	}
	c.out = nil // an idle connection holds no buffer
	return nil
}

// Close implements net.Conn. What the socket does not take at once is lost.
func (c *Conn) Close() error {
	if c.fd < 0 {
		return net.ErrClosed
	}
	err := c.Flush()
	if errors.Is(err, syscall.EAGAIN) {
		err = nil
	}
	Close(c.fd)
	c.fd = -1
	return err
}

// LocalAddr implements net.Conn; it is not known.
func (c *Conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn; it is not known.
func (c *Conn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline implements net.Conn: nothing waits here.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn: nothing waits here.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn: nothing waits here.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
