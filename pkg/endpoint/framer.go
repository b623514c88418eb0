package endpoint

import (
	"bytes"
	"time"

	"github.com/tidwall/gjson"
)

// framer splits the body of a response into the units of a stream.
type framer interface {
	// next fills f with the next event or comment; io.EOF at the end of the stream. What f holds is valid until the next
	// call. errAgain: nothing more has arrived yet.
	next(f *frame) error
	// cut reports, after the end, that it came inside an event.
	cut() bool
	// drained reports whether the window holds nothing more: its buffer may be taken away then.
	drained() bool
	memory() *window
}

// frame is one unit of a stream: an event, or a comment.
type frame struct {
	comment bool
	event   []byte // the event's type, empty if the stream named none
	data    []byte
	failed  bool // the framing itself says that it is an error, whose kind is the type
	at      time.Duration
	read    uint32
}

// lineReader splits a stream into lines: newline-delimited JSON. Empty lines are keep-alives. The last line may come
// without its end.
type lineReader struct {
	window
	scan int // no line end before it
}

func newLineReader(src stampedSource) framer { return &lineReader{window: window{src: src}} }

func (l *lineReader) next(f *frame) error {
	for {
		l.scan = max(l.scan, l.start)
		if i := bytes.IndexByte(l.buf[l.scan:l.end], '\n'); i >= 0 {
			line, ended := l.buf[l.start:l.scan+i], l.scan+i
			l.start = ended + 1
			l.scan = l.start
			l.give(f, line, ended)
			return nil
		}
		l.scan = l.end
		shift, err := l.window.fill()
		l.scan -= shift
		if err == nil {
			continue
		}
		if rest := l.buf[l.start:l.end]; err != errAgain && gjson.ValidBytes(rest) { //nolint:errorlint // it is never wrapped
			l.start = l.end
			l.give(f, rest, l.end-1)
			return nil
		}
		return err
	}
}

// give fills f with a line whose last byte stands at ended.
func (l *lineReader) give(f *frame, line []byte, ended int) {
	*f = frame{data: bytes.TrimSpace(line)}
	f.comment = len(f.data) == 0
	f.at, f.read = l.src.readOf(l.base + int64(ended))
}

func (l *lineReader) drained() bool {
	if !l.window.drained() {
		return false
	}
	l.scan = 0
	return true
}

func (l *lineReader) cut() bool { return l.start < l.end }
