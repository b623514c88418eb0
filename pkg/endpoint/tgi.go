package endpoint

import (
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// TGI is the name of the native API of Text Generation Inference in a scenario.
const TGI = "tgi"

// textGeneration is POST {url}/generate_stream of TGI, and /generate where no stream is wanted (wire-formats.md 3.8).
func textGeneration(cfg *Config) (*api, error) {
	path := "/generate_stream"
	if !cfg.Approach.Streaming() {
		path = "/generate"
	}
	return &api{path: path, header: bearer(cfg.Key), manner: tgiStream,
		dialect: func(res *Result) dialect { return &tgi{res: res} },
		body: func(req *workload.Request) map[string]any {
			parameters := map[string]any{"details": true} // without them there is no usage
			if req.MaxTokens > 0 {
				parameters["max_new_tokens"] = req.MaxTokens
			}
			return map[string]any{"inputs": promptOf(req.Messages), "parameters": parameters}
		}}, nil
}

var tgiStream = &manner{mime: "text/event-stream", framer: sse, terminal: "an event with generated_text"}

// tgi reads token events.
type tgi struct {
	res      *Result
	withheld int      // tokens since the last text: special ones, and parts of a character
	chunk    tgiChunk // the event under way; here, so that it is not allocated anew
}

// tgiChunk is what one event says. The slices are JSON values and alias it.
type tgiChunk struct {
	text                 []byte
	token, special       bool
	whole, details, fail []byte
	errorType            bool
	known                bool
}

func (c *tgiChunk) parse(b []byte) bool {
	*c = tgiChunk{}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "token":
			c.known = true
			c.oneToken(&s)
		case "generated_text":
			c.known = true
			c.whole = nonNull(s.value())
		case "details":
			c.details = nonNull(s.value())
		case "error":
			if v := s.value(); isError(v) {
				c.fail = v
			}
		case "error_type":
			c.errorType = filled(s.value())
		default:
			s.value()
		}
	}
	if c.errorType && c.fail == nil {
		c.fail = b
	}
	return s.end()
}

func (c *tgiChunk) oneToken(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	c.token = true
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "text":
			if v := s.value(); filled(v) {
				c.text = v
			}
		case "special":
			c.special = string(s.value()) == "true"
		default:
			s.value()
		}
	}
}

// event implements dialect. An event is one token; what it holds no text of comes with the next text.
func (t *tgi) event(f *frame, s *said) {
	c := &t.chunk
	switch ok := c.parse(f.data); {
	case !ok:
		s.garble("is no JSON object")
		return
	case c.fail != nil:
		s.fail(errorMessage(c.fail))
		return
	}
	s.unknown, s.end = !c.known, c.whole != nil
	if c.token {
		t.withheld++
	}
	if c.text != nil && !c.special {
		s.kind, s.text, s.tokens = Answer, c.text, t.withheld
		t.withheld = 0
	}
	t.account(c.details, s)
}

// whole implements dialect.
func (t *tgi) whole(b []byte, s *said) {
	c := &t.chunk
	if c.parse(b); c.fail != nil {
		s.fail(errorMessage(c.fail))
		return
	}
	if filled(c.whole) {
		s.kind, s.text = Answer, c.whole
	}
	t.account(c.details, s)
}

// account takes the counts of the last event.
func (t *tgi) account(details []byte, s *said) {
	if details == nil {
		return
	}
	s.finish = gjson.GetBytes(details, "finish_reason").Str
	setCount(&t.res.Usage.Output, gjson.GetBytes(details, "generated_tokens"))
	setCount(&t.res.Usage.Input, gjson.GetBytes(details, "input_length"))
}

// head implements headed: a response in one piece has the server's times, in whole milliseconds, and the counts. A
// stream has neither.
func (t *tgi) head(h http.Header) {
	number := func(name string) gjson.Result { return gjson.Parse(h.Get(name)) }
	setCount(&t.res.Usage.Input, number("X-Prompt-Tokens"))
	setCount(&t.res.Usage.Output, number("X-Generated-Tokens"))
	setTime(&t.res.Server.Queue, number("X-Queue-Time"), time.Millisecond)
	setTime(&t.res.Server.Total, number("X-Total-Time"), time.Millisecond)
	if t.res.Server.Queue != nil || t.res.Server.Total != nil {
		t.res.Server.Source = "TGI headers"
	}
}
