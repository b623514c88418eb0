package endpoint

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// stampedSource is a byte stream that knows when each of its bytes came over the network.
type stampedSource interface {
	io.Reader
	// readOf is the time and the number of the network read that brought the byte at this offset of the stream.
	// Offsets do not fall from call to call.
	readOf(offset int64) (at time.Duration, read uint32)
}

// sseReader splits a stream into events by the grammar of the WHATWG HTML standard, section "server-sent events": LF,
// CR and CRLF line ends freely mixed, a leading byte order mark, comments, fields with or without one space after the
// colon, several data lines joined by LF.
//
// An event's time is that of the network read that brought the end of its last line, and events of one read carry the
// same read number. There is no allocation per event, apart from growing to the largest.
type sseReader struct {
	window
	// line is where the current line of the event under way begins, and everything before scan holds no line end.
	line, scan int
	began      bool // the byte order mark was dealt with
	skipLF     bool // the last line ended with CR: an LF that follows belongs to it

	// the event under way; offsets are relative to start, so that the buffer may move
	event, data span
	ended       int    // where the last line's end stands in buf
	lines       int    // data lines so far
	joined      []byte // the data of several lines
	torn        bool   // the stream ended inside an event
}

type span struct{ from, to int }

func newSSEReader(src stampedSource, buf []byte) *sseReader {
	return &sseReader{window: window{src: src, buf: buf}}
}

// next fills f with the next event or comment. At the end of the stream it returns io.EOF; an event that was not
// ended by a blank line is then discarded, as the standard wants, and torn is set.
func (s *sseReader) next(f *frame) error {
	for {
		content, err := s.nextLine()
		if err != nil {
			s.torn = err != errAgain && (s.torn || s.lines > 0) //nolint:errorlint // it is never wrapped
			return err
		}
		switch {
		case len(content) == 0:
			if s.dispatch(f) {
				return nil
			}
		case content[0] == ':':
			*f = frame{comment: true, data: content[1:]}
			f.at, f.read = s.lineRead()
			return nil
		default:
			s.field(content)
		}
	}
}

// lineRead is the network read that brought the end of the last line.
func (s *sseReader) lineRead() (time.Duration, uint32) {
	return s.src.readOf(s.base + int64(s.ended))
}

// nextLine returns the next line without its end.
func (s *sseReader) nextLine() ([]byte, error) {
	for {
		if s.lines == 0 && s.event == (span{}) {
			s.start = s.line // no event is under way: comments and other fields need not be kept
		}
		if !s.began && !s.skipMark() {
			if err := s.fill(); err != nil {
				if !errors.Is(err, io.EOF) || s.end == s.start { // errAgain too
					return nil, err
				}
				s.began = true // shorter than a mark
			}
			continue
		}
		if s.skipLF && s.line < s.end {
			s.skipLF = false
			if s.buf[s.line] == '\n' {
				s.line++
				continue
			}
		}
		s.scan = max(s.scan, s.line)
		if i := lineEnd(s.buf[s.scan:s.end]); i >= 0 {
			from, to := s.line, s.scan+i
			s.line = to + 1
			s.scan, s.ended = s.line, to
			s.skipLF = s.buf[to] == '\r'
			return s.buf[from:to], nil
		}
		s.scan = s.end
		if err := s.fill(); err != nil {
			s.torn = err != errAgain && (s.torn || s.line < s.end) //nolint:errorlint // it is never wrapped
			return nil, err
		}
	}
}

// lineEnd is the index of the first CR or LF, or -1.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// skipMark drops one leading byte order mark. It reports false while more bytes are needed to tell.
func (s *sseReader) skipMark() bool {
	b := s.buf[s.start:s.end]
	if len(b) < len(byteOrderMark) {
		return len(b) > 0 && !bytes.HasPrefix(byteOrderMark, b) && s.begin(0)
	}
	if bytes.HasPrefix(b, byteOrderMark) {
		return s.begin(len(byteOrderMark))
	}
	return s.begin(0)
}

func (s *sseReader) begin(skip int) bool {
	s.began = true
	s.start += skip
	s.line, s.scan = s.start, s.start
	return true
}

// fill reads more.
func (s *sseReader) fill() error {
	shift, err := s.window.fill()
	s.line, s.scan = s.line-shift, s.scan-shift
	return err
}

// drained implements framer.
func (s *sseReader) drained() bool {
	if !s.window.drained() {
		return false
	}
	s.line, s.scan = 0, 0
	return true
}

// cut implements framer.
func (s *sseReader) cut() bool { return s.torn }

// field takes one "name: value" line into the event under way.
func (s *sseReader) field(line []byte) {
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
	}
	switch string(name) { // does not allocate
	case "data":
		s.addData(value)
	case "event":
		s.event = s.spanOf(value)
	case "error": // no field of the standard; older llama.cpp wrote its errors so
		s.event = s.spanOf(name)
		s.addData(value)
	}
}

// spanOf locates a piece of the buffer relative to the event's start.
func (s *sseReader) spanOf(b []byte) span {
	to := cap(s.buf) - cap(b) + len(b) - s.start // b is a slice of buf: capacities count from the shared end
	return span{to - len(b), to}
}

func (s *sseReader) slice(p span) []byte { return s.buf[s.start+p.from : s.start+p.to] }

func (s *sseReader) addData(value []byte) {
	switch s.lines {
	case 0:
		s.data = s.spanOf(value)
	case 1:
		s.joined = append(append(append(s.joined[:0], s.slice(s.data)...), '\n'), value...)
	default:
		s.joined = append(append(s.joined, '\n'), value...)
	}
	s.lines++
}

// dispatch ends the event under way at a blank line. Without data there is nothing to tell.
func (s *sseReader) dispatch(f *frame) bool {
	has := s.lines > 0
	if has {
		*f = frame{event: s.slice(s.event), data: s.slice(s.data)}
		f.at, f.read = s.lineRead()
		if s.lines > 1 {
			f.data = s.joined
		}
	}
	s.start = s.line
	s.event, s.data, s.lines = span{}, span{}, 0
	return has
}
