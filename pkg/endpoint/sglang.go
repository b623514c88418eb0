package endpoint

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// SGLang is the name of the native API of SGLang in a scenario.
const SGLang = "sglang"

// sgLang is POST {url}/generate of SGLang (wire-formats.md 3.10).
func sgLang(cfg *Config) (*api, error) {
	stream := cfg.Approach.Streaming()
	return &api{path: "/generate", header: bearer(cfg.Key), manner: openAIStream,
		dialect: func(res *Result) dialect { return &sglang{res: res, text: progress{whole: true}} },
		body: func(req *workload.Request) map[string]any {
			fields := map[string]any{"text": promptOf(req.Messages), "stream": stream}
			if req.MaxTokens > 0 {
				fields["sampling_params"] = map[string]any{"max_new_tokens": req.MaxTokens}
			}
			return fields
		}}, nil
}

// sglang reads generate events. Their text is all of the text so far, or the next piece: it depends on how the server
// was started.
type sglang struct {
	res     *Result
	counted tally
	pending int // tokens since the last text
	text    progress
	chunk   sglangChunk // the event under way; here, so that it is not allocated anew
}

// sglangChunk is what one event says. The slices are JSON values and alias it.
type sglangChunk struct {
	text, total, finish, err []byte
	ids                      int
	known                    bool
}

func (c *sglangChunk) parse(b []byte, countIDs bool) bool {
	*c = sglangChunk{}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "text":
			c.known = true
			c.text = s.value()
		case "output_ids":
			if countIDs {
				c.ids = s.count()
			} else {
				s.value()
			}
		case "meta_info":
			c.known = true
			c.meta(&s)
		case "error":
			s.fault(&c.err)
		default:
			s.value()
		}
	}
	return s.end()
}

func (c *sglangChunk) meta(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "completion_tokens":
			c.total = s.value()
		case "finish_reason":
			c.finish = nonNull(s.value())
		default:
			s.value()
		}
	}
}

// event implements dialect.
func (g *sglang) event(f *frame, s *said) {
	c := &g.chunk
	switch ok := c.parse(f.data, !g.text.known); {
	case ok:
	case isDone(f.data):
		s.end = true
		return
	default:
		s.garble("is no JSON object")
		return
	}
	if c.err != nil {
		s.fail(errorMessage(c.err))
		return
	}
	s.unknown = !c.known
	before := g.counted.before
	n, counted := g.counted.next(string(c.total)) // does not allocate
	if !g.text.known && counted && before > 0 && n > 0 && c.ids > 0 {
		// Ids are sent as the text is: all of them, or those of this event.
		if all := c.ids == before+n; all || c.ids == n {
			g.text.decide(all)
		}
	}
	g.piece(n, counted, s)
	if c.finish != nil {
		g.figures(f.data, s)
	}
}

// piece takes the new text of an event of n tokens. The tokens of an event without new text count with the next that has
// some; a new text without a new token is none (the end of what was held back). A server without a tokenizer sends ids and
// no text: there a token is all that can be seen.
func (g *sglang) piece(n int, counted bool, s *said) {
	s.text = g.text.of(g.chunk.text)
	g.pending += n
	if (s.text != nil || g.chunk.text == nil) && (g.pending > 0 || s.text != nil && !counted) {
		s.kind, s.tokens = Answer, g.pending
		g.pending = 0
	}
}

// whole implements dialect.
func (g *sglang) whole(b []byte, s *said) {
	c := &g.chunk
	if c.parse(b, false); c.err != nil {
		s.fail(errorMessage(c.err))
		return
	}
	n, _ := g.counted.next(string(c.total))
	if filled(c.text) || c.text == nil && n > 0 {
		s.kind, s.text = Answer, c.text
	}
	g.figures(b, s)
}

// figures takes what the last event says of the whole answer.
func (g *sglang) figures(b []byte, s *said) {
	meta := gjson.GetBytes(b, "meta_info")
	finish := meta.Get("finish_reason")
	if s.finish = finish.Get("type").Str; s.finish == "" {
		s.finish = finish.Str
	}
	if s.finish == "abort" {
		s.fail("finish reason abort: " + finish.Get("message").Str)
		return
	}
	u, t := &g.res.Usage, &g.res.Server
	setCount(&u.Input, meta.Get("prompt_tokens"))
	setCount(&u.CachedInput, meta.Get("cached_tokens"))
	setCount(&u.Output, meta.Get("completion_tokens"))
	setCount(&u.Reasoning, meta.Get("reasoning_tokens"))
	setTime(&t.Total, meta.Get("e2e_latency"), time.Second)
	setTime(&t.Queue, meta.Get("queue_time"), time.Second) // with --enable-metrics
	if t.Total != nil || t.Queue != nil {
		t.Source = "SGLang meta_info"
	}
}
