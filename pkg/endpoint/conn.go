package endpoint

import (
	"net"
	"sync/atomic"
	"time"
)

// stampedConn stamps every network read and write where it happens, so that an event's time does not depend on when
// the goroutine that parses it got a core. Under TLS it lies below the encryption.
type stampedConn struct {
	net.Conn
	epoch  time.Time
	readAt atomic.Int64 // of the last read that brought bytes, ns since epoch
	reads  atomic.Uint32
	wrote  atomic.Int64 // of the last write, ns since epoch
}

func (c *stampedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.readAt.Store(int64(time.Since(c.epoch)))
		c.reads.Add(1)
	}
	return n, err
}

// Write stamps twice: the answer can come before the writing goroutine runs again, and must then find a stamp.
func (c *stampedConn) Write(p []byte) (int, error) {
	c.wrote.Store(int64(time.Since(c.epoch)))
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.wrote.Store(int64(time.Since(c.epoch)))
	}
	return n, err
}

// lastActive is when the last byte came; the epoch before the first.
func (c *stampedConn) lastActive() time.Time {
	return c.epoch.Add(time.Duration(c.readAt.Load()))
}

// lastRead is the stamp and the number of the last read.
func (c *stampedConn) lastRead() (at time.Duration, read uint32) {
	return time.Duration(c.readAt.Load()), c.reads.Load()
}
