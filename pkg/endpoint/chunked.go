package endpoint

import (
	"bytes"
	"errors"
)

// chunkedBody takes the framing of HTTP/1.1's chunked bodies off (RFC 9112, section 7.1), piece by piece as the bytes
// come.
type chunkedBody struct {
	state chunkState
	left  int64    // of the chunk's data
	line  [64]byte // the line under way; a longer one loses its tail, which can only be an extension
	n     int
}

type chunkState uint8

const (
	chunkSizeLine chunkState = iota
	chunkData
	chunkEnd // the line end that follows a chunk's data
	chunkTrailer
	chunksOver
)

var (
	errChunkSize = errors.New("malformed chunked encoding: invalid chunk size")
	errChunkEnd  = errors.New("malformed chunked encoding: a chunk's data is not followed by a line end")
)

// next takes bytes of the wire and returns the first piece of the body among them, empty when there is none, and what
// follows it.
func (c *chunkedBody) next(p []byte) (body, rest []byte, err error) {
	for len(p) > 0 && c.state != chunksOver {
		if c.state == chunkData {
			n := min(c.left, int64(len(p)))
			if c.left -= n; c.left == 0 {
				c.state = chunkEnd
			}
			return p[:n], p[n:], nil
		}
		if c.state == chunkEnd && c.n == 0 && len(p) >= 2 && p[0] == '\r' && p[1] == '\n' { // nearly always
			c.state, p = chunkSizeLine, p[2:]
			continue
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			c.keep(p)
			return nil, nil, nil
		}
		c.keep(p[:i])
		p = p[i+1:]
		err := c.endLine(trimLine(c.line[:c.n]))
		c.n = 0
		if err != nil {
			return nil, p, err
		}
	}
	return nil, p, nil
}

// trimLine drops the white space at the end of a line.
func trimLine(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\r' || b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

func (c *chunkedBody) keep(p []byte) { c.n += copy(c.line[c.n:], p) }

func (c *chunkedBody) endLine(line []byte) error {
	switch c.state {
	case chunkEnd:
		if len(line) > 0 {
			return errChunkEnd
		}
		c.state = chunkSizeLine
	case chunkSizeLine:
		size, ok := chunkSize(line)
		if !ok {
			return errChunkSize
		}
		if c.left, c.state = size, chunkData; size == 0 {
			c.state = chunkTrailer
		}
	case chunkTrailer:
		if len(line) == 0 {
			c.state = chunksOver
		}
	}
	return nil
}

// chunkSize reads the hexadecimal number at the start of a chunk's first line; an extension may follow it.
func chunkSize(line []byte) (n int64, ok bool) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = trimLine(line[:i])
	}
	if len(line) == 0 || len(line) > 16 { // a longer one may have lost its tail
		return 0, false
	}
	for _, c := range line {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		if n = n<<4 | int64(c); n >= 1<<56 {
			return 0, false
		}
	}
	return n, true
}
