package endpoint

import (
	"errors"
	"fmt"
	"io"
)

// maxEvent bounds one event: a stream that never ends one must not eat the memory.
const maxEvent = 16 << 20

// errAgain is what a source returns that has nothing more for now: next returns it and can be called again.
var errAgain = errors.New("nothing more has arrived")

var errTooLarge = fmt.Errorf("an event of the stream is larger than %d MiB", maxEvent>>20)

// window is the part of a stream that is in memory: what every framer reads through.
type window struct {
	src stampedSource
	buf []byte
	// buf[start:end] is unread; the unit under way begins at start.
	start, end int
	base       int64 // offset of buf[0] in the stream
	idleReads  int   // reads in a row that brought nothing
	err        error
}

// fill reads more, making room first: what belongs to the unit under way moves to the front by shift, or the buffer
// doubles.
func (w *window) fill() (shift int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.end == len(w.buf) {
		if w.start > 0 {
			shift = w.start
			copy(w.buf, w.buf[w.start:w.end])
			w.base += int64(shift)
			w.start, w.end = 0, w.end-shift
		} else {
			if len(w.buf) >= maxEvent {
				w.err = errTooLarge
				return 0, w.err
			}
			w.buf = append(w.buf, make([]byte, max(len(w.buf), 512))...)
		}
	}
	n, err := w.src.Read(w.buf[w.end:])
	if n == 0 && errors.Is(err, errAgain) {
		return shift, err
	}
	if n > 0 {
		w.end += n
		w.idleReads = 0
		w.err = err // after these bytes
		return shift, nil
	}
	if w.idleReads++; err == nil && w.idleReads >= 100 {
		err = io.ErrNoProgress
	}
	w.err = err
	return shift, err
}

// drained reports whether everything that was read has been given out, and starts over in an empty buffer if so: buf may
// then be taken away, and another put in its place before the next fill.
func (w *window) drained() bool {
	if w.start < w.end {
		return false
	}
	w.base += int64(w.end)
	w.start, w.end = 0, 0
	return true
}

// memory gives access to the window of a framer.
func (w *window) memory() *window { return w }
