package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// reply reads one HTTP/1.1 response as its bytes come (RFC 9112): the head, which net/http parses, and the framing of the
// body. It is pushed one network read at a time, so that whoever reads need not wait.
type reply struct {
	ctx  context.Context
	call *attempt
	x    *exchange // once the head is whole
	err  error     // how the connection ended, if it did

	head    []byte // so far
	scanned int    // of head, without finding its end

	raw    []byte // of the network read under way, not yet looked at
	span   []byte // of raw, taken out of its framing
	at     time.Duration
	number uint32

	// of the network read that brought the last byte of the body: its framing, and the connection's end, can come later
	bodyAt     time.Duration
	bodyNumber uint32

	chunked bool
	chunks  chunkedBody
	left    int64 // of a body that is not chunked; -1: up to the end of the connection
	ended   bool  // the body was read to its end
	closing bool  // the server will close the connection

	answered bool
	clocked  bool // a read was stamped by the clock and not by the kernel
	over     bool // take has said so
}

// arrival is one network read.
type arrival struct {
	bytes  []byte
	at     time.Duration // when the bytes came
	late   time.Duration // how long after that they were read, where the kernel stamped them
	number uint32
	kernel bool  // stamped by the kernel
	err    error // after the bytes: io.EOF at the end of the connection
}

// maxHead bounds the head of a response, as net/http does.
const maxHead = 1 << 20

// take implements sink: it handles one network read and reports whether the request is over.
func (r *reply) take(a arrival) (over bool) {
	r.over = r.took(a)
	return r.over
}

func (r *reply) took(a arrival) (over bool) {
	r.raw = a.bytes
	if len(a.bytes) > 0 {
		r.at, r.number = a.at, a.number
	}
	if a.err != nil && r.err == nil {
		r.err = a.err
	}
	if len(a.bytes) > 0 {
		r.clocked = r.clocked || !a.kernel
		if !r.answered {
			r.answered = true
			r.call.obs.Observe(Event{Kind: Headers, At: a.at, Read: a.number, Late: a.late})
		}
	}
	for r.x == nil {
		whole, err := r.readHead()
		if err != nil {
			r.err = err
			return true
		}
		if !whole {
			return r.err != nil
		}
	}
	r.x.late = a.late
	return r.x.advance()
}

// readHead takes bytes of the head; whole tells that one response's head is complete, though an interim one does not
// count as the answer's.
func (r *reply) readHead() (whole bool, err error) {
	b, before := r.raw, len(r.head)
	if before > 0 {
		r.head = append(r.head, r.raw...)
		b = r.head
	}
	keep := func() { // it is seldom cut: a first read that brings half of the answer with it need not be copied
		if before == 0 {
			r.head = append(r.head, b...)
		}
	}
	if !bytes.HasPrefix(b, []byte("HTTP/")[:min(5, len(b))]) {
		keep()
		return false, fmt.Errorf("malformed HTTP response %q", b[:min(len(b), 40)])
	}
	end := headEnd(b, max(0, r.scanned-3))
	if end < 0 {
		keep()
		r.raw, r.scanned = nil, len(r.head)
		if len(r.head) > maxHead {
			return false, errors.New("the response's head is too large")
		}
		return false, nil
	}
	r.raw = r.raw[end-before:]
	resp, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(b[:end]), end), &http.Request{Method: http.MethodPost})
	if err != nil {
		keep()
		return false, err
	}
	resp.Body.Close() // it is read elsewhere
	r.head, r.scanned = nil, 0
	if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		return len(r.raw) > 0, nil // interim: the answer follows
	}
	r.begin(resp)
	return true, nil
}

// headEnd is the index after the empty line that ends a head, or -1.
func headEnd(b []byte, from int) int {
	for i := from; ; i++ {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n
		switch rest := b[i+1:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return i + 2
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return i + 3
		}
	}
}

// begin takes the head of the answer.
func (r *reply) begin(resp *http.Response) {
	r.chunked = len(resp.TransferEncoding) > 0 && resp.TransferEncoding[0] == "chunked"
	r.left = resp.ContentLength // -1 where it is not known
	if resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		r.left, r.chunked = 0, false
	}
	r.ended = !r.chunked && r.left == 0
	r.closing = resp.Close || !r.chunked && r.left < 0 || resp.StatusCode == http.StatusSwitchingProtocols
	r.bodyAt, r.bodyNumber = r.at, r.number // until there is a body
	r.x = newExchange(r.ctx, r.call, resp.StatusCode, resp.Proto, resp.Header, r)
}

// Read implements source: the body that has come so far, then errAgain, io.EOF at its end, or the connection's error.
func (r *reply) Read(p []byte) (int, error) {
	for len(r.span) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		if len(r.raw) == 0 {
			return 0, r.dry()
		}
		if err := r.unframe(); err != nil {
			r.err, r.raw = err, nil
			return 0, err
		}
	}
	n := copy(p, r.span)
	r.span = r.span[n:]
	return n, nil
}

// dry is what Read says when all that has come was read.
func (r *reply) dry() error {
	switch {
	case r.err == nil:
		return errAgain
	case !errors.Is(r.err, io.EOF):
		return r.err
	case !r.chunked && r.left < 0 && r.ctx.Err() == nil:
		r.ended = true
		return io.EOF // that is how this body ends
	}
	return io.ErrUnexpectedEOF
}

// unframe takes the next piece of the body out of raw.
func (r *reply) unframe() (err error) {
	switch {
	case r.chunked:
		r.span, r.raw, err = r.chunks.next(r.raw)
		r.ended = r.chunks.state == chunksOver
	case r.left < 0:
		r.span, r.raw = r.raw, nil
	default:
		n := min(r.left, int64(len(r.raw)))
		r.span, r.raw = r.raw[:n], r.raw[n:]
		r.left -= n
		r.ended = r.left == 0
	}
	if len(r.span) > 0 {
		r.bodyAt, r.bodyNumber = r.at, r.number
	}
	return err
}

// readOf implements stampedSource: what is read came with the network read under way.
func (r *reply) readOf(int64) (time.Duration, uint32) { return r.at, r.number }

// lastRead implements source.
func (r *reply) lastRead() (time.Duration, uint32) { return r.bodyAt, r.bodyNumber }

// reusable reports whether the connection can carry another request.
func (r *reply) reusable() bool {
	return r.ended && !r.closing && r.err == nil && len(r.raw) == 0 && len(r.span) == 0
}

// result is what came of the request.
func (r *reply) result() Result {
	if r.x != nil {
		r.x.close()
		r.x.res.Stamps = r.stamps()
		return r.x.res
	}
	where := "before an answer came"
	if len(r.head) > 0 {
		where = "inside the head of the response"
	}
	class, text := classify(r.ctx, r.err, true, where)
	return Result{Class: class, Error: text}
}

func (r *reply) stamps() string {
	if r.clocked {
		return StampsClock
	}
	return StampsKernel
}
