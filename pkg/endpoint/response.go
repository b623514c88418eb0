package endpoint

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// dialect is what one API says: the part of its file that reads answers. One value reads one answer.
type dialect interface {
	// event reads one event of a stream.
	event(f *frame, s *said)
	// whole reads an answer in one piece, which is JSON.
	whole(b []byte, s *said)
}

// said is what an event, or an answer in one piece, says. Usage and the server's times a dialect writes into the result
// itself.
type said struct {
	kind Kind // Reasoning, Answer, Tool, or Other
	// text is the piece that the user reads, as JSON: a string, or a list of parts with texts. It may alias the event.
	text []byte
	// tokens is how many tokens the event holds where the wire tells, else 0.
	tokens  int
	finish  string // the finish reason, where the event has one
	unknown bool   // nothing of it was understood
	end     bool   // it is the terminal event: what comes after it is no part of the answer
	// failed: it is an error, and words are the server's. malformed: it breaks the API's grammar, and words say how.
	failed, malformed bool
	words             string
}

// fail makes it an error of the server.
func (s *said) fail(words string) { s.failed, s.words = true, words }

// garble makes it a breach of the grammar.
func (s *said) garble(words string) { s.malformed, s.words = true, words }

// headed is a dialect that reads the response's header too.
type headed interface{ head(http.Header) }

// manner is how the streams of an API look.
type manner struct {
	mime     string   // the media type of a stream, which is asked for
	also     []string // others that the same stream comes under
	framer   func(stampedSource) framer
	terminal string // what the terminal event is called, in messages
	// openEnded: the stream has no terminal event but the end of the body, after a finish reason (Gemini) or, with bare,
	// without one (Triton).
	openEnded, bare bool
}

// sse frames server-sent events.
func sse(src stampedSource) framer { return newSSEReader(src, nil) }

// jsonLines are the streams of JSON lines: a line is an event, and so is an answer in one piece, or an error, that a
// server sends in place of a stream.
func jsonLines(terminal string) *manner {
	return &manner{mime: "application/x-ndjson", framer: newLineReader, terminal: terminal,
		also: []string{"application/json", "application/ndjson", "application/jsonl", "application/x-jsonlines"}}
}

// response is one response under way: what the answers of all APIs have in common. Success is status 200, the terminal
// event seen, something generated, and no error on the way; an error and then the terminal event is a failure, and so is
// a clean end without it.
type response struct {
	*exchange
	dialect
	manner    *manner
	streamed  bool // a stream was asked for
	keepText  bool
	finished  bool // the terminal event was seen
	generated bool
	said      said // by the event under way; here, so that it is not allocated anew
	text      strings.Builder
}

// begin implements answer.
func (c *response) begin() form {
	if d, ok := c.dialect.(headed); ok {
		d.head(c.header)
	}
	switch mime := c.mime(); {
	case !c.streamed:
		return asDocument
	case mime == c.manner.mime, mime == "", slices.Contains(c.manner.also, mime):
	case mime == "application/json" || strings.HasSuffix(mime, "+json"):
		return asDocument
	default:
		c.exchange.fail(Malformed, "the response is %s, not %s", mime, c.manner.mime)
		return asNothing
	}
	c.frames = c.manner.framer(c.source)
	return asEvents
}

// frame implements answer.
func (c *response) frame(f *frame) bool {
	if c.finished {
		return true
	}
	s := &c.said
	*s = said{kind: Other}
	c.event(f, s)
	switch {
	case s.malformed:
		c.exchange.fail(Malformed, "an event of the stream %s: %s", s.words, f.data)
	case s.failed:
		c.exchange.fail(StreamError, "error in the stream: %s", s.words)
	default:
		c.take(f, s)
		return true
	}
	c.tell(Done, f.at, f.read, 0)
	return false
}

// take takes an event that is no error.
func (c *response) take(f *frame, s *said) {
	if s.finish != "" {
		c.res.Finish = s.finish
	}
	if s.unknown {
		c.res.UnknownEvents++
	}
	if s.kind.Generated() {
		if !c.generated {
			c.generated = true
			c.clocks.token()
		}
	}
	if c.keepText { // some is read that brings no token of its own
		c.text.WriteString(plainText(s.text))
	}
	if !s.end || s.kind != Other {
		c.tell(s.kind, f.at, f.read, s.tokens)
	}
	if s.end {
		c.finished = true
		c.tell(Done, f.at, f.read, 0)
		c.clocks.linger()
	}
}

// document implements answer. Nobody can use a part of an answer that is not streamed: its only event, and so its first
// token, is its last byte. The event's tokens are the usage's.
func (c *response) document(b []byte) {
	defer func() { c.res.Text = c.text.String() }()
	s := said{kind: Other}
	if !gjson.ValidBytes(b) {
		c.exchange.fail(Malformed, "the response is no JSON: %s", b)
		return
	}
	c.whole(b, &s)
	switch {
	case c.streamed: // an error, or a server that does not stream
		c.done()
		if s.failed || !s.kind.Generated() {
			c.exchange.fail(StreamError, "200 with an error instead of a stream: %s", cmp.Or(s.words, errorMessage(b)))
		} else {
			c.exchange.fail(Malformed, "asked for a stream and got one JSON document: the server ignores stream; set stream: false for this approach")
		}
		return
	case s.failed:
		c.exchange.fail(StreamError, "200 with an error: %s", s.words)
		c.done()
		return
	case s.malformed:
		c.exchange.fail(Malformed, "the response %s: %s", s.words, b)
		c.done()
		return
	}
	c.res.Finish = s.finish
	c.generated = s.kind.Generated()
	if c.keepText {
		c.text.WriteString(plainText(s.text))
	}
	tokens := 0
	if n := c.res.Usage.Output; n != nil {
		tokens = *n
	}
	at, read := c.source.lastRead()
	c.tell(s.kind, at, read, tokens)
	c.finished = true
	c.done()
	c.conclude(false)
}

// stream implements answer.
func (c *response) stream(torn bool, err error) {
	c.res.Text = c.text.String()
	switch {
	case c.res.Class != OK:
	case err != nil && !c.finished: // after the terminal event the answer is whole
		c.broke(err)
	case !c.finished && c.ctx.Err() != nil: // a server may end well what we have broken off
		c.broke(c.ctx.Err())
	default:
		if m := c.manner; m.openEnded && !torn && !c.finished && (c.res.Finish != "" || m.bare) {
			c.finished = true
			c.done()
		}
		c.conclude(torn)
	}
}

// brokenOff are finish reasons with which a server says that it gave up: vLLM's error and abort, OpenRouter's and
// Together's error, DeepSeek's lack of resources.
var brokenOff = []string{"error", "abort", "insufficient_system_resource"}

// conclude judges a stream that ended without an error of its own: success is the terminal event and something
// generated before it, nothing less.
func (c *response) conclude(torn bool) {
	fail := c.exchange.fail
	switch {
	case slices.Contains(brokenOff, c.res.Finish):
		fail(StreamError, "the server broke the answer off: finish reason %q", c.res.Finish)
	case c.finished && c.generated:
	case c.finished:
		fail(Empty, "a complete answer without a single token (finish reason %q)", c.res.Finish)
	case torn:
		fail(Truncated, "the stream ended inside an event")
	case c.manner.openEnded:
		fail(Truncated, "the stream ended without a finish reason")
	case c.res.Finish != "":
		fail(Truncated, "the stream ended after finish reason %q but without %s", c.res.Finish, c.manner.terminal)
	default:
		fail(Truncated, "the stream ended without a finish reason and without %s", c.manner.terminal)
	}
}
