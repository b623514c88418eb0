package endpoint

import (
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// reader reads sockets without waiting, with the kernel's receive stamps. It is used by one goroutine at a time.
type reader struct {
	recv  rawnet.Receiver
	clock wallClock
	buf   []byte
}

// readers are for the few reads outside of a loop.
var readers = sync.Pool{New: func() any { return &reader{buf: make([]byte, bufferSize)} }}

// read reads once; ok is false where there was nothing. The bytes are good until the next read.
func (r *reader) read(s *socketLink) (a arrival, ok bool) {
	n, stamp, err := r.recv.Recv(s.fd, r.buf)
	if errors.Is(err, syscall.EAGAIN) {
		return arrival{}, false
	}
	now := time.Now()
	a = arrival{bytes: r.buf[:n], at: now.Sub(s.loop.epoch), err: err}
	if n > 0 {
		s.reads++
		a.late, a.kernel = r.clock.late(now, stamp)
		// Never before what came before: a stamp of the kernel can follow one of the clock, which is a little late.
		a.at = max(a.at-a.late, time.Duration(s.readAt.Load()))
		s.readAt.Store(int64(a.at))
	} else if err == nil {
		a.err = io.EOF
	}
	a.number = s.reads
	return a, true
}

// wallClock turns the kernel's receive stamps, which are of the wall clock, into how long ago the bytes came. The wall
// clock can be set while we look at it: a stamp is used only where the two clocks have gone on together since the read
// before.
type wallClock struct {
	start  time.Time
	offset int64 // wall clock - monotonic clock since start, ns
	seen   time.Duration
	step   time.Duration // when the wall clock was last seen to be set
	set    bool
}

// A wall clock is slewed by at most 500 ppm (adjtimex); more than this between two reads is a step.
const (
	stepFloor = time.Millisecond
	slewShare = 1000 // 1/1000 of the time between
	maxLate   = 10 * time.Minute
)

// late is how long before now the kernel stamped, and whether that can be told.
func (w *wallClock) late(now time.Time, stamp int64) (time.Duration, bool) {
	if w.start.IsZero() {
		w.start = now
	}
	mono := now.Sub(w.start)
	offset := now.UnixNano() - int64(mono)
	moved, between := offset-w.offset, mono-w.seen
	first := w.seen == 0 && w.offset == 0
	w.seen = mono
	if first {
		w.offset = offset
	}
	if !first && max(moved, -moved) > int64(stepFloor+between/slewShare) {
		w.offset, w.step, w.set = offset, mono, true
		return 0, false
	}
	if !first {
		// time.Now reads the wall clock and then the monotonic one. Whoever is interrupted between the two sees an offset that is
		// too small, and would take the bytes for later than they were; too large it cannot be. So a smaller one is believed
		// only as fast as clocks are slewed.
		w.offset = max(offset, w.offset-int64(between/slewShare))
	}
	late := time.Duration(w.offset + int64(mono) - stamp)
	if w.set && late > mono-w.step {
		return 0, false // it came before the clock was set, or so its stamp says
	}
	if stamp == 0 || late > maxLate || late < -stepFloor {
		return 0, false
	}
	return max(late, 0), true
}
