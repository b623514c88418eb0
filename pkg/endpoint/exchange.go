package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// exchange is one response under way: what every API does with it.
type exchange struct {
	ctx    context.Context
	resp   *http.Response
	body   *bodySource
	clocks *deadlines
	obs    Observer
	res    Result
}

// bodySource reads a response body with the stamps of the connection under it.
type bodySource struct {
	body io.Reader
	conn *wireConn
	n    int64 // bytes so far
}

func (b *bodySource) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.n += int64(n)
	return n, err
}

func (b *bodySource) readOf(offset int64) (time.Duration, uint32) { return b.conn.readOf(offset) }

// lastRead is the stamp and the number of the network read that brought the last byte of what was read.
func (b *bodySource) lastRead() (time.Duration, uint32) { return b.conn.readOf(max(b.n-1, 0)) }

func (x *exchange) fail(class Class, format string, args ...any) {
	x.res.Class, x.res.Error = class, fmt.Sprintf(format, args...)
}

// broke classes a failed read of the body.
func (x *exchange) broke(err error) {
	x.res.Class, x.res.Error = classify(x.ctx, err, true, "in the middle of the answer")
}

// tell reports one event.
func (x *exchange) tell(kind Kind, at time.Duration, read uint32, tokens int) {
	x.obs.Observe(Event{Kind: kind, At: at, Read: read, Tokens: tokens})
}

// done reports the end at the stamp of the last read.
func (x *exchange) done() {
	at, read := x.body.lastRead()
	x.tell(Done, at, read, 0)
}

// maxErrorBody bounds what is read of a response that is not the answer.
const maxErrorBody = 64 << 10

// status records a response that is not 200, with the server's own words.
func (x *exchange) status() {
	code := x.resp.StatusCode
	x.res.Class = HTTPStatus
	if code == http.StatusTooManyRequests {
		x.res.Class = RateLimited
	}
	x.res.RetryAfter = retryAfter(x.resp.Header, time.Now())
	b, _ := io.ReadAll(io.LimitReader(x.body, maxErrorBody)) // a broken error body is still this error
	parts := []string{strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))}
	if to := x.resp.Header.Get("Location"); to != "" && code < 400 {
		parts = append(parts, "redirects are not followed; it points to "+to)
	}
	if words := errorMessage(b); words != "" {
		parts = append(parts, words)
	}
	x.res.Error = strings.Join(parts, ": ")
	x.done()
}

// mime is the response's media type without parameters.
func (x *exchange) mime() string {
	mime, _, _ := strings.Cut(x.resp.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mime))
}

// document reads a response in one piece. Nil: it failed, and the result says why.
func (x *exchange) document() []byte {
	b, err := io.ReadAll(io.LimitReader(x.body, maxEvent+1))
	switch {
	case err != nil:
		x.broke(err)
		return nil
	case len(b) > maxEvent:
		x.fail(Malformed, "the response is larger than %d MiB", maxEvent>>20)
		return nil
	}
	return b
}

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 256 << 10

// frames hands every event of the stream to take, until take reports false or the stream ends. torn reports that it
// ended inside an event; an error is one of the connection. Comments are told here.
func (x *exchange) frames(take func(*frame) bool) (torn bool, err error) {
	buf := buffers.Get().(*[]byte)
	r := newSSEReader(x.body, *buf)
	defer func() {
		if len(r.buf) <= maxPooled {
			*buf = r.buf
			buffers.Put(buf)
		}
	}()
	var f frame
	for {
		if err := r.next(&f); errors.Is(err, io.EOF) {
			return r.torn, nil
		} else if err != nil {
			return r.torn, err
		}
		if f.comment {
			x.tell(Comment, f.at, f.read, 0)
		} else if !take(&f) {
			return false, nil
		}
	}
}
