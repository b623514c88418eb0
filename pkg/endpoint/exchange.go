package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// exchange is one response under way: what every API does with it, whoever carries the bytes.
type exchange struct {
	ctx    context.Context
	header http.Header
	source source
	clocks *deadlines
	obs    Observer
	answer answer
	res    Result

	late   time.Duration // of the network read under way: how long after its arrival it was read
	form   form
	frames framer
	unit   frame   // under way; here, so that it is not allocated anew with every read
	buf    *[]byte // the buffer of frames, while it holds something
	doc    []byte
}

// source is the body of a response, which knows the network reads that brought it. Where Read returns errAgain, the
// exchange is advanced again when more has arrived.
type source interface {
	stampedSource
	// lastRead is the stamp and the number of the network read that brought the last byte of what was read.
	lastRead() (at time.Duration, read uint32)
}

// answer is what an API makes of one response.
type answer interface {
	// begin looks at the head of a 200 response and says how the body is read; asNothing after a failure. For asEvents it
	// has set the exchange's framer.
	begin() form
	// frame takes one event. It reports false when the request is over.
	frame(f *frame) bool
	// stream is told how a stream of events ended: torn inside an event, with an error of the connection, or neither.
	stream(torn bool, err error)
	// document takes a body in one piece.
	document(b []byte)
}

// form is how a body is read.
type form uint8

const (
	asNothing form = iota
	asEvents
	asDocument
	asRefusal // the words of a response that is not 200
)

// newExchange begins with the head of a response.
func newExchange(ctx context.Context, c *attempt, status int, proto string, header http.Header, src source) *exchange {
	x := &exchange{ctx: ctx, header: header, source: src, clocks: c.clocks, obs: c.obs,
		res: Result{Class: OK, Status: status, Protocol: proto, RequestID: requestID(header)}}
	switch enc := header.Get("Content-Encoding"); {
	case status != http.StatusOK:
		x.form = asRefusal
	case enc != "" && enc != "identity":
		x.fail(Malformed, "the response is compressed (%s) although identity was asked for: its event times would be the compressor's", enc)
	default:
		x.answer = c.judge(x)
		x.form = x.answer.begin()
	}
	return x
}

// advance takes what has arrived and reports whether the exchange is over.
func (x *exchange) advance() (over bool) {
	switch x.form {
	case asEvents:
		return x.advanceEvents()
	case asDocument:
		return x.advanceDocument(maxEvent)
	case asRefusal:
		return x.advanceDocument(maxErrorBody)
	}
	return true
}

// advanceEvents hands every event that is whole to the API. Comments are told here. Most reads end with an event: a
// stream that waits for its next one then holds no buffer.
func (x *exchange) advanceEvents() (over bool) {
	if x.buf == nil {
		x.buf = buffers.Get().(*[]byte)
		x.frames.memory().buf = *x.buf
	}
	for {
		switch err := x.frames.next(&x.unit); {
		case err == nil:
		case err == errAgain: //nolint:errorlint // it is never wrapped
			if x.frames.drained() {
				x.giveBack()
			}
			return false
		case errors.Is(err, io.EOF):
			x.answer.stream(x.frames.cut(), nil)
			return true
		default:
			x.answer.stream(x.frames.cut(), err)
			return true
		}
		if x.unit.comment {
			x.tell(Comment, x.unit.at, x.unit.read, 0)
		} else if !x.answer.frame(&x.unit) {
			x.answer.stream(false, nil)
			return true
		}
	}
}

// advanceDocument reads a response in one piece.
func (x *exchange) advanceDocument(limit int) (over bool) {
	for {
		if len(x.doc) == cap(x.doc) {
			x.doc = slices.Grow(x.doc, 512)
		}
		n, err := x.source.Read(x.doc[len(x.doc):cap(x.doc)])
		x.doc = x.doc[:len(x.doc)+n]
		switch {
		case err == errAgain: //nolint:errorlint // it is never wrapped
			return false
		case err == nil && len(x.doc) <= limit:
			continue
		case x.form == asRefusal: // a broken or endless error body is still this error
			x.refused(x.doc)
		case err != nil && !errors.Is(err, io.EOF):
			x.broke(err)
		case len(x.doc) > limit:
			x.fail(Malformed, "the response is larger than %d MiB", limit>>20)
		default:
			x.answer.document(x.doc)
		}
		return true
	}
}

// close gives the buffer back; the exchange is over.
func (x *exchange) close() {
	if x.buf != nil {
		x.giveBack()
	}
	x.frames = nil
}

// giveBack returns the buffer, with the size to which it has grown.
func (x *exchange) giveBack() {
	w := x.frames.memory()
	if len(w.buf) <= maxPooled {
		*x.buf = w.buf
		buffers.Put(x.buf)
	}
	w.buf, x.buf = nil, nil
}

// buffers are those of streams of events: as large as the largest part of an event that one network read left unfinished.
var buffers = sync.Pool{New: func() any { b := make([]byte, streamBuffer); return &b }}

const (
	streamBuffer = 4 << 10
	maxPooled    = 64 << 10 // the largest that is kept for the next request
)

func (x *exchange) fail(class Class, format string, args ...any) {
	x.res.Class, x.res.Error = class, fmt.Sprintf(format, args...)
}

// broke classes a failed read of the body.
func (x *exchange) broke(err error) {
	x.res.Class, x.res.Error = classify(x.ctx, err, true, "in the middle of the answer")
}

// tell reports one event.
func (x *exchange) tell(kind Kind, at time.Duration, read uint32, tokens int) {
	x.obs.Observe(Event{Kind: kind, At: at, Read: read, Tokens: tokens, Late: x.late})
}

// done reports the end at the stamp of the last read.
func (x *exchange) done() {
	at, read := x.source.lastRead()
	x.tell(Done, at, read, 0)
}

// maxErrorBody bounds what is read of a response that is not the answer.
const maxErrorBody = 64 << 10

// refused records a response that is not 200, with the server's own words.
func (x *exchange) refused(body []byte) {
	code := x.res.Status
	x.res.Class = HTTPStatus
	if code == http.StatusTooManyRequests {
		x.res.Class, x.res.RateLimits = RateLimited, rateLimits(x.header, time.Now())
	}
	x.res.RetryAfter = cmp.Or(retryAfter(x.header, time.Now()), retryDelay(body))
	parts := []string{strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))}
	if to := x.header.Get("Location"); to != "" && code < 400 {
		parts = append(parts, "redirects are not followed; it points to "+to)
	}
	if words := errorMessage(body); words != "" {
		parts = append(parts, words)
	}
	x.res.Error = strings.Join(parts, ": ")
	x.done()
}

// mime is the response's media type without parameters.
func (x *exchange) mime() string {
	mime, _, _ := strings.Cut(x.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mime))
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "Apim-Request-Id", "X-Generation-Id", "X-Amzn-Requestid"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return ""
}
