package scripted

import (
	"errors"
	"math/rand/v2"
	"syscall"

	"github.com/infbench/infbench/internal/rawnet"
)

// conn is one connection, and the answer under way on it.
type conn struct {
	fd     int
	in     []byte // the request so far
	out    []byte // what the socket would not take
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
func (c *conn) push(b []byte) error {
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		b = c.out
	}
	n, err := rawnet.Send(c.fd, b)
	if errors.Is(err, syscall.EAGAIN) {
		err = nil
	}
	if n == len(b) {
		c.out = c.out[:0]
	} else {
		c.out = append(c.out[:0:0], b[n:]...)
	}
	return err
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
