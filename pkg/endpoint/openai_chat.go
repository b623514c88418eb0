package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// openAIChat is POST {url}/chat/completions of OpenAI and the many servers that speak it (wire-formats.md 3.1).
//
// Success is status 200, [DONE] seen, something generated, and no error on the way: an error object and then [DONE]
// is a failure, and so is a clean end without [DONE], even after a finish reason.
type openAIChat struct {
	client    *client
	fields    map[string]any // of every body: ours, and the scenario's over them
	override  map[string]any // the scenario's
	maxTokens string
	stream    bool
	keepText  bool
}

func openOpenAIChat(cfg Config) (Endpoint, error) {
	a := &cfg.Approach
	e := &openAIChat{stream: a.Streaming(), maxTokens: a.MaxTokensField, override: a.Body, keepText: cfg.KeepText}
	if e.maxTokens == "" {
		e.maxTokens = "max_completion_tokens"
	}
	if _, ok := a.Body["stream"]; ok {
		return nil, fmt.Errorf("body.stream: set stream: %v beside body, so that the answer is read as what was asked for", a.Body["stream"])
	}
	ours := map[string]any{"model": a.Model, "stream": e.stream}
	header := http.Header{"Accept": {"application/json"}}
	if e.stream {
		header.Set("Accept", "text/event-stream")
		ours["stream_options"] = map[string]any{"include_usage": true}
	}
	if cfg.Key != "" {
		header.Set("Authorization", "Bearer "+cfg.Key)
	}
	e.fields = merge(ours, a.Body)
	if _, err := encode(e.fields); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	var err error
	if e.client, err = newClient(&cfg, "/chat/completions", header); err != nil {
		return nil, err
	}
	return e, nil
}

// Close implements Endpoint.
func (e *openAIChat) Close() { e.client.close() }

// Prewarm implements Prewarmer.
func (e *openAIChat) Prewarm(ctx context.Context, n int) error {
	return e.client.carrier.prewarm(ctx, n)
}

// body is the request's JSON.
func (e *openAIChat) body(req *workload.Request) ([]byte, error) {
	fields := maps.Clone(e.fields)
	set := func(name string, v any) {
		if _, theirs := e.override[name]; !theirs {
			fields[name] = v
		}
	}
	set("messages", req.Messages)
	if req.MaxTokens > 0 {
		set(e.maxTokens, req.MaxTokens)
	}
	return encode(fields)
}

// Do implements Endpoint.
func (e *openAIChat) Do(ctx context.Context, req *workload.Request, obs Observer) Result {
	return e.client.post(ctx, func() ([]byte, error) { return e.body(req) }, obs, func(x *exchange) answer {
		return &chatCall{exchange: x, streamed: e.stream, keepText: e.keepText}
	})
}

// chatCall is one response under way.
type chatCall struct {
	*exchange
	streamed  bool // a stream was asked for
	keepText  bool
	finished  bool // [DONE] was seen
	generated bool
	running   runningCount
	parsed    chatChunk // the event under way; here, so that it is not allocated anew
	template  chunkTemplate
	text      strings.Builder
}

// begin implements answer.
func (c *chatCall) begin() form {
	switch mime := c.mime(); {
	case !c.streamed, mime == "application/json", strings.HasSuffix(mime, "+json"):
		return asDocument
	case mime != "" && mime != "text/event-stream":
		c.fail(Malformed, "the response is %s, not text/event-stream", mime)
		return asNothing
	}
	return asEvents
}

// document implements answer.
func (c *chatCall) document(b []byte) {
	if c.streamed {
		c.ignoredStream(b)
	} else {
		c.whole(b)
	}
	c.res.Text = c.text.String()
}

// whole reads an answer that is not streamed. Nobody can use a part of it: its only event, and so its first token, is
// its last byte. The event's tokens are the usage's.
func (c *chatCall) whole(b []byte) {
	if !gjson.ValidBytes(b) {
		c.fail(Malformed, "the response is no JSON: %s", b)
		return
	}
	root := gjson.ParseBytes(b)
	if isError([]byte(root.Get("error").Raw)) || root.Get("object").Str == "error" {
		c.fail(StreamError, "200 with an error: %s", errorMessage(b))
		c.done()
		return
	}
	raw := func(name string) []byte { return nonNull([]byte(root.Get(name).Raw)) }
	takeUsage(&c.res.Usage, raw("usage"))
	takeTiming(&c.res.Server, raw("usage"), raw("timings"), raw("metrics"), raw("x_groq"))
	message := chatChunk{kind: Other}
	message.delta(&jsonScan{b: []byte(root.Get("choices.0.message").Raw)})
	c.res.Finish = root.Get("choices.0.finish_reason").Str
	c.generated = message.kind.Generated()
	if c.keepText {
		c.text.WriteString(plainText(message.text))
	}
	tokens := 0
	if n := c.res.Usage.Output; n != nil {
		tokens = *n
	}
	at, read := c.source.lastRead()
	c.tell(message.kind, at, read, tokens)
	c.finished = true
	c.done()
	c.conclude(false)
}

// ignoredStream reads a JSON document where a stream was asked for: an error, or a server that does not stream.
func (c *chatCall) ignoredStream(b []byte) {
	c.done()
	if isError([]byte(gjson.GetBytes(b, "error").Raw)) || !gjson.GetBytes(b, "choices").Exists() {
		c.fail(StreamError, "200 with an error instead of a stream: %s", errorMessage(b))
		return
	}
	c.fail(Malformed, "asked for a stream and got one JSON document: the server ignores stream; set stream: false for this approach")
}

// stream implements answer.
func (c *chatCall) stream(torn bool, err error) {
	c.res.Text = c.text.String()
	switch {
	case c.res.Class != OK:
	case err != nil && !c.finished: // after the terminal event the answer is whole
		c.broke(err)
	default:
		c.conclude(torn)
	}
}

var doneMarker = []byte("[DONE]")

// frame implements answer.
func (c *chatCall) frame(f *frame) bool {
	if c.finished {
		return true
	}
	if len(f.event) == 0 && c.template.match(f.data, &c.parsed) {
		c.chunk(f, &c.parsed)
		return true
	}
	if bytes.Equal(bytes.TrimSpace(f.data), doneMarker) {
		c.finished = true
		c.tell(Done, f.at, f.read, 0)
		c.clocks.linger()
		return true
	}
	chunk := &c.parsed
	switch ok := parseChatChunk(f.data, chunk); {
	case string(f.event) == "error" && chunk.err == nil:
		c.fail(StreamError, "error in the stream: %s", errorMessage(f.data))
	case !ok:
		c.fail(Malformed, "an event of the stream is no JSON object: %s", f.data)
	case chunk.err != nil:
		c.fail(StreamError, "error in the stream: %s", errorMessage(chunk.err))
	default:
		c.template.learn(f.data, chunk)
		c.chunk(f, chunk)
		return true
	}
	c.tell(Done, f.at, f.read, 0)
	return false
}

// chunk takes an event that is no error.
func (c *chatCall) chunk(f *frame, chunk *chatChunk) {
	if !chunk.plain() {
		c.report(chunk)
	}
	tokens := 0
	if chunk.kind.Generated() {
		tokens = c.running.of(chunk)
		if !c.generated {
			c.generated = true
			c.clocks.token()
		}
		if c.keepText {
			c.text.WriteString(plainText(chunk.text))
		}
	}
	c.tell(chunk.kind, f.at, f.read, tokens)
}

// report takes what a chunk says beside its text.
func (c *chatCall) report(chunk *chatChunk) {
	if !chunk.known {
		c.res.UnknownEvents++
	}
	takeUsage(&c.res.Usage, chunk.usage)
	takeTiming(&c.res.Server, chunk.usage, chunk.timings, chunk.metrics, chunk.groq)
	if u := gjson.GetBytes(chunk.groq, "usage"); u.IsObject() {
		takeUsage(&c.res.Usage, []byte(u.Raw))
	}
	if chunk.finish != nil {
		c.res.Finish = unquote(chunk.finish)
	}
}

// brokenOff are finish reasons with which a server says that it gave up: vLLM's error and abort, OpenRouter's and
// Together's error, DeepSeek's lack of resources.
var brokenOff = []string{"error", "abort", "insufficient_system_resource"}

// conclude judges a stream that ended without an error of its own: success is the terminal event and something
// generated before it, nothing less.
func (c *chatCall) conclude(torn bool) {
	switch {
	case slices.Contains(brokenOff, c.res.Finish):
		c.fail(StreamError, "the server broke the answer off: finish reason %q", c.res.Finish)
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
