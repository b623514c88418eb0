package endpoint

import (
	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// LlamaCpp is the name of the native API of llama.cpp's server in a scenario.
const LlamaCpp = "llamacpp"

// llamaCpp is POST {url}/completion of llama-server (wire-formats.md 3.7): the prompt as it is, without a template.
func llamaCpp(cfg *Config) (*api, error) {
	stream := cfg.Approach.Streaming()
	return &api{path: "/completion", header: bearer(cfg.Key), manner: llamaStream,
		dialect: func(res *Result) dialect { return &llama{res: res} },
		body: func(req *workload.Request) map[string]any {
			// The server's default is to answer from its cache what it can.
			fields := map[string]any{"prompt": promptOf(req.Messages), "stream": stream, "cache_prompt": req.CacheAllowed}
			if req.MaxTokens > 0 {
				fields["n_predict"] = req.MaxTokens
			}
			return fields
		}}, nil
}

var llamaStream = &manner{mime: "text/event-stream", framer: sse, terminal: "an event with stop: true"}

// llama reads native completions.
type llama struct {
	res     *Result
	counted tally
	chunk   llamaChunk // the event under way; here, so that it is not allocated anew
}

// llamaChunk is what one event says. The slices are JSON values and alias it.
type llamaChunk struct {
	text, total, finish, err []byte
	stop, known              bool
}

func (c *llamaChunk) parse(b []byte) bool {
	*c = llamaChunk{}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "content":
			c.known = true
			if v := s.value(); filled(v) {
				c.text = v
			}
		case "tokens_predicted":
			c.total = s.value()
		case "stop":
			c.known = true
			c.stop = string(s.value()) == "true"
		case "stop_type":
			c.finish = s.value()
		case "error":
			s.fault(&c.err)
		default:
			s.value()
		}
	}
	return s.end()
}

// event implements dialect.
func (l *llama) event(f *frame, s *said) {
	ok := l.chunk.parse(f.data)
	switch {
	case string(f.event) == "error" && l.chunk.err == nil:
		s.fail(errorMessage(f.data))
	case !ok && isDone(f.data): // no build is known to send it here
	case !ok:
		s.garble("is no JSON object")
	default:
		l.take(f.data, s)
	}
}

// whole implements dialect: it is the last event of a stream, with all of the text.
func (l *llama) whole(b []byte, s *said) {
	l.chunk.parse(b)
	l.take(b, s)
}

func (l *llama) take(b []byte, s *said) {
	c := &l.chunk
	if c.err != nil {
		s.fail(errorMessage(c.err))
		return
	}
	s.unknown, s.end = !c.known, c.stop
	if c.text != nil { // the tokens of an event without text come with the next: their bytes were half of a character
		s.kind, s.text = Answer, c.text
		s.tokens, _ = l.counted.next(string(c.total)) // does not allocate
	}
	if !c.stop {
		return
	}
	if c.finish != nil {
		s.finish = unquote(c.finish)
	}
	u := &l.res.Usage
	setCount(&u.Input, gjson.GetBytes(b, "tokens_evaluated")) // with the cached ones
	setCount(&u.CachedInput, gjson.GetBytes(b, "timings.cache_n"))
	setCount(&u.Output, gjson.GetBytes(b, "tokens_predicted"))
	takeTiming(&l.res.Server, nil, nonNull([]byte(gjson.GetBytes(b, "timings").Raw)), nil, nil)
}
