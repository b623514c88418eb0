package scripted

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"syscall"

	"github.com/infbench/infbench/internal/rawnet"
)

// conn is one connection, and the answer under way on it.
type conn struct {
	fd     int
	tls    *tls.Conn    // nil without
	under  *rawnet.Conn // below it
	in     []byte       // the request so far
	out    []byte       // what the socket would not take, without TLS
	full   bool         // the socket would not take all of the last push
	busy   bool
	script Script
	gaps   *rand.Rand
	log    Served
	next   int64 // when the next event is due
	at     int   // place in the schedule
}

func (c *conn) begin(s Script, received int64) {
	c.busy, c.script = true, s
	c.gaps = rand.New(rand.NewPCG(uint64(s.Index), 1))
	c.log = Served{Index: s.Index, Received: received, Writes: make([]int64, 0, s.Events), Due: make([]int64, 0, s.Events)}
	c.next = received + int64(s.TTFT)
}

// advance sets when the next event is due: counted from when this one was, so that lateness does not add up.
func (c *conn) advance() {
	c.next += int64(float64(c.script.Gap) * (1 + c.script.Jitter*(2*c.gaps.Float64()-1)))
}

// push writes what the socket takes; the rest goes first next time.
func (c *conn) push(b []byte) (err error) {
	if c.tls != nil {
		_, err = c.tls.Write(b)
		err = errors.Join(err, c.under.Flush())
	} else {
		err = c.pushPlain(b)
	}
	if c.full = errors.Is(err, syscall.EAGAIN); c.full {
		err = nil
	}
	return err
}

func (c *conn) pushPlain(b []byte) error {
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		b = c.out
	}
	for len(b) > 0 {
		n, err := rawnet.Send(c.fd, b)
		if b = b[n:]; err != nil {
			c.out = append(c.out[:0:0], b...)
			return err
		}
	}
	c.out = c.out[:0]
	return nil
}

// pull takes one network read.
func (c *conn) pull(b []byte) error {
	if c.tls == nil {
		c.in = append(c.in, b...)
		return nil
	}
	c.under.Feed(b, nil)
	var plain [4 << 10]byte
	for {
		n, err := c.tls.Read(plain[:])
		c.in = append(c.in, plain[:n]...)
		if err == rawnet.ErrDry { //nolint:errorlint // crypto/tls hands it on as it is
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// close ends the connection.
func (c *conn) close() {
	if c.tls != nil {
		_ = c.tls.Close()
		return
	}
	rawnet.Close(c.fd)
}

// schedule orders the connections by when their next event is due (container/heap).
type schedule []*conn

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].next < s[j].next }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = i, j
}

// Push implements heap.Interface.
func (s *schedule) Push(x any) {
	c := x.(*conn)
	c.at = len(*s)
	*s = append(*s, c)
}

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	old := *s
	c := old[len(old)-1]
	*s = old[:len(old)-1]
	c.at = -1
	return c
}
