package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// openAIChat is POST {url}/chat/completions of OpenAI and the many servers that speak it (wire-formats.md 3.1).
type openAIChat struct {
	transport *http.Transport
	url       string
	header    http.Header
	fields    map[string]any // of every body
	override  map[string]any // the scenario's own, merged last
	maxTokens string
	stream    bool
	key       string
	cfg       Config
}

func openOpenAIChat(cfg Config) (Endpoint, error) {
	a := &cfg.Approach
	e := &openAIChat{transport: newTransport(&cfg), cfg: cfg, key: cfg.Key, stream: a.Streaming(),
		url: strings.TrimRight(a.URL, "/") + "/chat/completions", maxTokens: a.MaxTokensField, override: a.Body,
		header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"infbench"}, "Accept-Encoding": {"identity"}}}
	if e.maxTokens == "" {
		e.maxTokens = "max_completion_tokens"
	}
	e.fields = map[string]any{"model": a.Model, "stream": e.stream}
	e.header.Set("Accept", "application/json")
	if e.stream {
		e.header.Set("Accept", "text/event-stream")
		e.fields["stream_options"] = map[string]any{"include_usage": true}
	}
	if cfg.Key != "" {
		e.header.Set("Authorization", "Bearer "+cfg.Key)
	}
	for k, v := range a.Headers {
		e.header.Set(k, v)
	}
	if _, err := http.NewRequest(http.MethodPost, e.url, nil); err != nil {
		return nil, fmt.Errorf("url %q: %w", a.URL, err)
	}
	return e, nil
}

func (e *openAIChat) Close() { e.transport.CloseIdleConnections() }

// body is the request's JSON: ours, and over it the scenario's own fields (null removes one of ours).
func (e *openAIChat) body(req *workload.Request) ([]byte, error) {
	fields := maps.Clone(e.fields)
	fields["messages"] = req.Messages
	if req.MaxTokens > 0 {
		fields[e.maxTokens] = req.MaxTokens
	}
	for k, v := range e.override {
		if v == nil {
			delete(fields, k)
		} else {
			fields[k] = v
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Do implements Endpoint.
func (e *openAIChat) Do(ctx context.Context, req *workload.Request, obs Observer) Result {
	body, err := e.body(req)
	if err != nil {
		return Result{Class: Malformed, Error: "encode the request: " + plain(err)}
	}
	ctx, clocks := startDeadlines(ctx, limitsOf(e.cfg.Approach.Timeouts, e.stream))
	defer clocks.stop()
	p := &phases{epoch: e.cfg.Epoch, sent: clocks.sent}
	tctx := httptrace.WithClientTrace(context.WithValue(ctx, phasesKey{}, p), p.trace())
	hreq, err := http.NewRequestWithContext(tctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return Result{Class: ConnectFailed, Error: plain(err)}
	}
	hreq.Header = e.header.Clone()
	resp, err := e.transport.RoundTrip(hreq) // not http.Client: no redirect, no cookie, no second attempt
	conn := p.tell(obs)
	if err != nil {
		r := Result{}
		r.Class, r.Error = classify(ctx, err, conn != nil)
		return e.redact(r)
	}
	defer resp.Body.Close()
	c := &chatCall{endpoint: e, ctx: ctx, clocks: clocks, obs: obs, body: &bodySource{body: resp.Body, conn: conn},
		res: Result{Class: OK, Status: resp.StatusCode, Protocol: resp.Proto, NewConnection: !p.reused, RequestID: requestID(resp.Header)}}
	c.response(resp)
	return e.redact(c.res)
}

// redact keeps the key out of the record, should a server send it back.
func (e *openAIChat) redact(r Result) Result {
	if e.key != "" {
		r.Error = strings.ReplaceAll(r.Error, e.key, "[key]")
	}
	return r
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "Apim-Request-Id"} {
		if v := h.Get(name); v != "" {
			return short(v)
		}
	}
	return ""
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

// chatCall is one response under way.
type chatCall struct {
	endpoint *openAIChat
	ctx      context.Context
	clocks   *deadlines
	obs      Observer
	body     *bodySource
	res      Result

	finished  bool // [DONE] was seen
	generated bool
	counted   int // tokens accounted for so far
	text      strings.Builder
}

func (c *chatCall) fail(class Class, format string, args ...any) {
	c.res.Class, c.res.Error = class, short(fmt.Sprintf(format, args...))
}

// broke classes a failed read of the body.
func (c *chatCall) broke(err error) {
	c.res.Class, c.res.Error = classify(c.ctx, err, true)
}

// response chooses by status and content type. A 200 alone means nothing.
func (c *chatCall) response(resp *http.Response) {
	if resp.StatusCode != http.StatusOK {
		c.status(resp)
		return
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		c.fail(Malformed, "the response is compressed (%s) although identity was asked for: its event times would be the compressor's", enc)
		return
	}
	mime, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch mime = strings.TrimSpace(strings.ToLower(mime)); {
	case !c.endpoint.stream:
		c.whole()
	case mime == "application/json":
		c.ignoredStream()
	case mime != "" && mime != "text/event-stream":
		c.fail(Malformed, "the response is %s, not text/event-stream", mime)
	default:
		c.events()
	}
}

// status records a response that is not 200, with the server's own words.
func (c *chatCall) status(resp *http.Response) {
	c.res.Class = HTTPStatus
	if resp.StatusCode == http.StatusTooManyRequests {
		c.res.Class = RateLimited
	}
	c.res.RetryAfter = retryAfter(resp.Header, time.Now())
	b, _ := io.ReadAll(io.LimitReader(c.body, 64<<10)) // a broken error body is still this error
	c.res.Error = strings.TrimSuffix(strconv.Itoa(resp.StatusCode)+" "+http.StatusText(resp.StatusCode)+": "+errorMessage(b), ": ")
	c.done()
}

// done reports the end at the stamp of the last read.
func (c *chatCall) done() {
	at, read := c.body.lastRead()
	c.obs.Observe(Event{Kind: Done, At: at, Read: read})
}

// whole reads an answer that is not streamed. Nobody can use a part of it: its only event is its last byte.
func (c *chatCall) whole() {
	b, err := io.ReadAll(io.LimitReader(c.body, maxEvent+1))
	switch {
	case err != nil:
		c.broke(err)
		return
	case len(b) > maxEvent:
		c.fail(Malformed, "the response is larger than %d MiB", maxEvent>>20)
		return
	case !gjson.ValidBytes(b):
		c.fail(Malformed, "the response is no JSON: %s", b)
		return
	}
	root := gjson.ParseBytes(b)
	if e := root.Get("error"); e.Exists() && e.Type != gjson.Null {
		c.fail(StreamError, "%s", errorMessage([]byte(e.Raw)))
		return
	}
	takeUsage(&c.res.Usage, []byte(root.Get("usage").Raw))
	takeTiming(&c.res.Server, rawOf(root, "timings"), rawOf(root, "metrics"), rawOf(root, "x_groq"))
	c.res.Finish = root.Get("choices.0.finish_reason").Str
	msg := root.Get("choices.0.message")
	kind := Other
	for _, f := range []struct {
		name string
		kind Kind
	}{{"reasoning", Reasoning}, {"reasoning_content", Reasoning}, {"tool_calls", Tool}, {"refusal", Answer}, {"content", Answer}} {
		if v := msg.Get(f.name); filled([]byte(v.Raw)) {
			kind = f.kind
		}
	}
	at, read := c.body.lastRead()
	tokens := 0
	if n := c.res.Usage.Output; n != nil {
		tokens = *n
	}
	c.obs.Observe(Event{Kind: kind, At: at, Read: read, Tokens: tokens})
	c.generated = kind.Generated()
	if c.endpoint.cfg.KeepText {
		c.text.WriteString(msg.Get("content").Str)
	}
	c.finished = true
	c.done()
	c.conclude(false)
}

func rawOf(v gjson.Result, name string) []byte { return nonNull([]byte(v.Get(name).Raw)) }

// ignoredStream reads a JSON document where a stream was asked for: an error, or a server that does not stream.
func (c *chatCall) ignoredStream() {
	b, err := io.ReadAll(io.LimitReader(c.body, 64<<10))
	if err != nil {
		c.broke(err)
		return
	}
	c.done()
	if e := gjson.GetBytes(b, "error"); e.Exists() && e.Type != gjson.Null || !gjson.GetBytes(b, "choices").Exists() {
		c.fail(StreamError, "200 with an error instead of a stream: %s", errorMessage(b))
		return
	}
	c.fail(Malformed, "asked for a stream and got one JSON document: the server ignores stream; set stream: false for this approach")
}

var buffers = sync.Pool{New: func() any { b := make([]byte, readBuffer); return &b }}

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 256 << 10

// events reads the stream to its end.
func (c *chatCall) events() {
	buf := buffers.Get().(*[]byte)
	r := newSSEReader(c.body, *buf)
	defer func() {
		if len(r.buf) <= maxPooled {
			*buf = r.buf
			buffers.Put(buf)
		}
	}()
	var f frame
	for {
		switch err := r.next(&f); {
		case err == io.EOF:
			c.conclude(r.torn)
			return
		case err != nil:
			if c.finished { // after the terminal event: the answer is whole
				c.conclude(false)
				return
			}
			c.broke(err)
			return
		}
		if !c.frame(&f) {
			return
		}
	}
}

var doneMarker = []byte("[DONE]")

// frame takes one event. It reports false when the request is over.
func (c *chatCall) frame(f *frame) bool {
	switch {
	case f.comment:
		c.obs.Observe(Event{Kind: Comment, At: f.at, Read: f.read})
		return true
	case c.finished:
		return true
	case bytes.Equal(bytes.TrimSpace(f.data), doneMarker):
		c.finished = true
		c.obs.Observe(Event{Kind: Done, At: f.at, Read: f.read})
		c.clocks.linger()
		return true
	}
	var chunk chatChunk
	if !parseChatChunk(f.data, &chunk) {
		c.fail(Malformed, "an event of the stream is no JSON object: %s", f.data)
		return false
	}
	if chunk.err != nil || string(f.event) == "error" {
		message := chunk.err
		if message == nil {
			message = f.data
		}
		c.fail(StreamError, "error in the stream: %s", errorMessage(message))
		return false
	}
	c.chunk(f, &chunk)
	return true
}

func (c *chatCall) chunk(f *frame, chunk *chatChunk) {
	if !chunk.known {
		c.res.UnknownEvents++
	}
	c.counted += chunk.tokens
	if chunk.usage != nil {
		takeUsage(&c.res.Usage, chunk.usage)
		c.runningCount(chunk)
	}
	if chunk.timings != nil || chunk.metrics != nil || chunk.groq != nil {
		takeTiming(&c.res.Server, chunk.timings, chunk.metrics, chunk.groq)
		if u := gjson.GetBytes(chunk.groq, "usage"); u.IsObject() {
			takeUsage(&c.res.Usage, []byte(u.Raw))
		}
	}
	if chunk.finish != nil {
		c.res.Finish = unquote(chunk.finish)
	}
	if chunk.kind.Generated() {
		if !c.generated {
			c.generated = true
			c.clocks.token()
		}
		if c.endpoint.cfg.KeepText && chunk.text != nil {
			c.text.WriteString(unquote(append(append([]byte{'"'}, chunk.text...), '"')))
		}
	}
	c.obs.Observe(Event{Kind: chunk.kind, At: f.at, Read: f.read, Tokens: chunk.tokens})
}

// runningCount takes a chunk's tokens from a usage that grows with every chunk (vLLM continuous_usage_stats).
func (c *chatCall) runningCount(chunk *chatChunk) {
	if c.res.Usage.Output == nil {
		return
	}
	n := *c.res.Usage.Output - c.counted
	c.counted = *c.res.Usage.Output
	if chunk.kind.Generated() && chunk.tokens == 0 && n > 0 {
		chunk.tokens = n
	}
}

func unquote(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// conclude judges a stream that ended without an error of its own: success is the terminal event and something
// generated before it, nothing less.
func (c *chatCall) conclude(torn bool) {
	c.res.Text = c.text.String()
	switch {
	case c.finished && c.generated:
	case c.finished:
		c.fail(Empty, "a complete answer without a single token (finish reason %q)", c.res.Finish)
	case torn:
		c.fail(Truncated, "the stream ended inside an event")
	case c.res.Finish != "":
		c.fail(Truncated, "the stream ended after finish reason %q but without [DONE]", c.res.Finish)
	default:
		c.fail(Truncated, "the stream ended without a finish reason and without [DONE]")
	}
}
