package endpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// h2Conn is what net/http reads and writes HTTP/2 on, above the encryption. Many requests share it, so it follows the
// frames of both directions (RFC 9113, section 4.1) and knows for each stream which network read brought which byte of
// its body, and which write took the last byte of its request: an event has the stamp and the number of its own read,
// whatever other streams do. It judges nothing: net/http reads the same bytes.
type h2Conn struct {
	net.Conn
	raw *stampedConn
	in  *bufio.Reader // net/http reads 4 KiB at a time, which would split a burst

	mu      sync.Mutex
	recv    h2Frames
	send    h2Frames
	streams map[uint32]*h2Stream
	newest  *h2Stream
	foreign bool        // the server does not speak HTTP/2
	ended   []*h2Stream // requests whose last byte is in the write under way
}

// h2Stream is one request of an h2Conn.
type h2Stream struct {
	conn  *h2Conn
	id    uint32
	size  int64 // of the body so far
	body  readLog
	read  time.Duration // when the last of its frames came
	wrote time.Duration // when the last byte of its request was written
}

func newH2Conn(c net.Conn, raw *stampedConn) *h2Conn {
	return &h2Conn{Conn: c, raw: raw, in: bufio.NewReaderSize(c, bufferSize), streams: map[uint32]*h2Stream{}, send: h2Frames{skip: len(h2Preface)}}
}

// h2Preface is what a client begins with, before its first frame.
const h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func (c *h2Conn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if n > 0 {
		at, read := c.raw.lastRead()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.recv.feed(p[:n], func(f *h2Frames, data int) {
			c.foreign = c.foreign || string(f.head[:5]) == "HTTP/" // which is no head of a frame that there is
			s := c.streams[f.stream]
			if s == nil {
				return
			}
			s.read = at
			if data > 0 {
				s.size += int64(data)
				s.body.took(s.size, at, read)
			}
		})
	}
	return n, err
}

// Write stamps twice, as stampedConn does.
func (c *h2Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.ended = c.ended[:0]
	c.send.feed(p, c.sending)
	c.stamp(time.Since(c.raw.epoch))
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if len(c.ended) > 0 { // net/http writes one thing at a time
		c.mu.Lock()
		c.stamp(time.Since(c.raw.epoch))
		c.mu.Unlock()
	}
	return n, err
}

// sending takes a piece of a frame that is written.
func (c *h2Conn) sending(f *h2Frames, _ int) {
	if f.kind == frameHeaders && c.streams[f.stream] == nil && (c.newest == nil || f.stream > c.newest.id) {
		c.newest = &h2Stream{conn: c, id: f.stream}
		c.streams[f.stream] = c.newest
	}
	if s := c.streams[f.stream]; s != nil && f.left == 0 && f.flags&flagEndStream != 0 && (f.kind == frameHeaders || f.kind == frameData) {
		c.ended = append(c.ended, s)
	}
}

func (c *h2Conn) stamp(now time.Duration) {
	for _, s := range c.ended {
		s.wrote = now
	}
}

// refused is how a server that does not speak HTTP/2 answered; nil if it does.
func (c *h2Conn) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.foreign {
		return errForeign
	}
	return nil
}

var errForeign = errors.New("the response is malformed: the server answered in HTTP/1; use connections.protocol: http1")

// opened is the stream whose HEADERS were written last.
func (c *h2Conn) opened() *h2Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}

// readOf implements lane.
func (s *h2Stream) readOf(offset int64) (at time.Duration, read uint32) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	at, read, ok := s.body.readOf(offset)
	if !ok {
		return s.conn.raw.lastRead()
	}
	return at, read
}

// lastActive implements lane: what other streams say does not count.
func (s *h2Stream) lastActive() time.Time {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.conn.raw.epoch.Add(s.read)
}

// lastWrite implements lane.
func (s *h2Stream) lastWrite() time.Duration {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.wrote
}

// end forgets the stream; its request is over.
func (s *h2Stream) end() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	delete(s.conn.streams, s.id)
}

// The types and flags of frames that matter here.
const (
	frameData    = 0
	frameHeaders = 1

	flagEndStream = 0x1
	flagPadded    = 0x8
)

// h2Frames follows the frames of one direction.
type h2Frames struct {
	skip   int // of the preface
	head   [9]byte
	n      int // of head so far
	kind   byte
	flags  byte
	stream uint32
	left   int  // of the payload
	pad    int  // bytes at the payload's end that are padding
	padded bool // how many comes next
}

// feed tells each piece of a frame, its head too: how many bytes of a body it holds.
func (f *h2Frames) feed(p []byte, told func(f *h2Frames, data int)) {
	for len(p) > 0 {
		switch {
		case f.skip > 0:
			n := min(f.skip, len(p))
			f.skip -= n
			p = p[n:]
		case f.n < len(f.head):
			n := copy(f.head[f.n:], p)
			f.n += n
			p = p[n:]
			if f.n == len(f.head) {
				f.begin()
				told(f, 0)
				f.end()
			}
		case f.padded:
			f.padded, f.pad = false, int(p[0])
			f.left--
			p = p[1:]
			f.end()
		default:
			n := min(f.left, len(p))
			data := 0
			if f.kind == frameData {
				data = max(0, min(n, f.left-f.pad))
			}
			f.left -= n
			p = p[n:]
			told(f, data)
			f.end()
		}
	}
}

// begin takes a whole head.
func (f *h2Frames) begin() {
	f.left = int(binary.BigEndian.Uint32(f.head[:4]) >> 8)
	f.kind, f.flags = f.head[3], f.head[4]
	f.stream = binary.BigEndian.Uint32(f.head[5:]) &^ (1 << 31)
	f.pad, f.padded = 0, f.kind == frameData && f.flags&flagPadded != 0 && f.left > 0
}

// end makes ready for the next frame after the last byte of one.
func (f *h2Frames) end() {
	if f.left == 0 {
		f.n = 0
	}
}
