package endpoint

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// wireConn is what net/http reads HTTP/1.1 from: it lies above the encryption and knows, for every byte of a response
// body, which network read brought it.
//
// It has to follow the framing of HTTP/1.1 itself. net/http's reader of chunked bodies goes on reading until a chunk
// is whole, so the last network read before it returns is not the one that brought the first event of a chunk: behind
// a proxy that packs several events into a chunk, events would carry the time of the last packet of their chunk.
type wireConn struct {
	net.Conn
	raw *stampedConn

	mu    sync.Mutex // net/http's own goroutine reads the header
	frame framing
	body  readLog
}

func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		at, read := c.raw.lastRead()
		c.mu.Lock()
		c.took(p[:n], at, read)
		c.mu.Unlock()
	}
	return n, err
}

func (c *wireConn) took(p []byte, at time.Duration, read uint32) {
	before := c.frame.body
	if c.frame.feed(p); c.frame.body > before {
		c.body.took(c.frame.body, at, read)
	}
}

// begin forgets the last response: the next bytes are a new one.
func (c *wireConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frame = framing{}
	c.body.clear()
}

// readOf implements lane.
func (c *wireConn) readOf(offset int64) (at time.Duration, read uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, read, ok := c.body.readOf(offset)
	if !ok {
		return c.raw.lastRead() // framing that net/http understands and we do not
	}
	return at, read
}

// lastActive implements lane.
func (c *wireConn) lastActive() time.Time { return c.raw.lastActive() }

// lastWrite implements lane.
func (c *wireConn) lastWrite() time.Duration { return time.Duration(c.raw.wrote.Load()) }

// readLog says which network read brought which byte of a body.
type readLog struct {
	reads []bodyRead
	head  int // reads before it were asked for already
}

// bodyRead is one network read: it brought the body's bytes up to (not including) an offset.
type bodyRead struct {
	upTo int64
	at   time.Duration
	read uint32
}

// took notes the read that brought the bytes up to an offset.
func (l *readLog) took(upTo int64, at time.Duration, read uint32) {
	if n := len(l.reads); n > l.head && l.reads[n-1].read == read { // several records of TLS, or frames, in one read
		l.reads[n-1].upTo = upTo
		return
	}
	if l.head > 0 && len(l.reads) == cap(l.reads) {
		l.reads = l.reads[:copy(l.reads, l.reads[l.head:])]
		l.head = 0
	}
	l.reads = append(l.reads, bodyRead{upTo, at, read})
}

// readOf is the stamp and the number of the network read that brought the body's byte at this offset, where it is known.
// Offsets must not fall from call to call.
func (l *readLog) readOf(offset int64) (at time.Duration, read uint32, ok bool) {
	for l.head < len(l.reads)-1 && l.reads[l.head].upTo <= offset {
		l.head++
	}
	if l.head == len(l.reads) || l.reads[l.head].upTo <= offset {
		return 0, 0, false
	}
	return l.reads[l.head].at, l.reads[l.head].read, true
}

func (l *readLog) clear() { l.reads, l.head = l.reads[:0], 0 }

// framing follows the bytes of one HTTP/1.1 response and counts those of its body (RFC 9112, sections 6 and 7). It
// judges nothing: net/http reads the same bytes and refuses what is malformed.
type framing struct {
	body    int64 // bytes of the body so far
	state   framingState
	chunks  chunkedBody
	chunked bool
	interim bool // a 1xx response: another header follows
	first   bool // the status line was read
	line    [64]byte
	n       int // bytes in line; a longer line loses its tail
}

type framingState uint8

const (
	inHeader framingState = iota
	inBody                // up to the end of the connection, or as long as Content-Length says
	inChunks
	broken // nothing that follows is body
)

func (f *framing) feed(p []byte) {
	for len(p) > 0 {
		switch f.state {
		case inBody:
			f.body += int64(len(p))
			return
		case broken:
			return
		case inChunks:
			body, rest, err := f.chunks.next(p)
			f.body += int64(len(body))
			if err != nil || f.chunks.state == chunksOver {
				f.state = broken
			}
			p = rest
		default:
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				f.keep(p)
				return
			}
			f.keep(p[:i])
			p = p[i+1:]
			f.endLine(bytes.TrimSuffix(f.line[:f.n], []byte("\r")))
			f.n = 0
		}
	}
}

func (f *framing) keep(p []byte) { f.n += copy(f.line[f.n:], p) }

// endLine takes a line of the header.
func (f *framing) endLine(line []byte) {
	switch {
	case !f.first:
		f.first = true
		_, status, _ := bytes.Cut(line, []byte(" "))
		f.interim = bytes.HasPrefix(status, []byte("1"))
	case len(line) > 0:
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked")) {
			f.chunked = true
		}
	case f.interim:
		f.first, f.interim = false, false
	case f.chunked:
		f.state = inChunks
	default:
		f.state = inBody
	}
}
