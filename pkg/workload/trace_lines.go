package workload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line of a trace: a file without line ends must not fill the memory.
const maxLine = 16 << 20

// lineReader cuts a text file into lines and numbers them.
type lineReader struct {
	r     *bufio.Reader
	name  string // what errors call the file
	line  int    // of the last line given, from 1
	ended bool   // whether that line had an end: the last one of a file that was cut off has none
	long  []byte // a line that does not fit into r's buffer
	limit int    // of a line, in bytes
	what  string // what has one row per line, for errors
}

func newLineReader(r io.Reader, name string) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), name: name, limit: maxLine, what: "a trace"}
}

// next returns the next line that is not empty, without its end (LF or CRLF), or io.EOF. It is valid until the next call.
func (l *lineReader) next() ([]byte, error) {
	for {
		text, err := l.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			text, err = l.rest(text)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, l.readError(err)
		}
		if len(text) == 0 {
			return nil, io.EOF
		}
		if l.line++; l.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		l.ended = err == nil
		if text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")); len(text) > 0 {
			return text, nil
		}
	}
}

// rest reads on to the end of a long line.
func (l *lineReader) rest(text []byte) ([]byte, error) {
	l.long = append(l.long[:0], text...)
	for {
		text, err := l.r.ReadSlice('\n')
		if len(l.long)+len(text) > l.limit {
			return nil, fmt.Errorf("line %d is longer than %d MiB: %s has one row per line", l.line+1, l.limit>>20, l.what)
		}
		l.long = append(l.long, text...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

// peek returns the first line without taking it, as far as it fits into the buffer.
func (l *lineReader) peek() ([]byte, error) {
	var text []byte
	for n := 512; ; n *= 2 {
		b, err := l.r.Peek(min(n, l.r.Size()))
		text = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), "\r\n")
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			return bytes.TrimSuffix(text[:i], []byte("\r")), nil
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, l.readError(err)
		case err != nil || n >= l.r.Size():
			return text, nil
		}
	}
}

// readError says how far a file could be read that cannot be read on.
func (l *lineReader) readError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is cut off after line %d: its compressed data end early; fetch the file again", l.name, l.line)
	}
	return fmt.Errorf("read %s after line %d: %w", l.name, l.line, err)
}

// mistake is an error of the last line given.
func (l *lineReader) mistake(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", l.name, l.line, fmt.Errorf(format, args...))
}
