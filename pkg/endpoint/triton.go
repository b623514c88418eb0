package endpoint

import (
	"errors"
	"net/url"

	"github.com/infbench/infbench/pkg/workload"
)

// Triton is the name of the generate extension of NVIDIA's Triton in a scenario.
const Triton = "triton"

// tritonServer is POST {url}/v2/models/{model}/generate_stream of Triton, and /generate where no stream is wanted
// (wire-formats.md 3.11). What stands in parameters is each backend's own.
func tritonServer(cfg *Config) (*api, error) {
	a := &cfg.Approach
	if a.Model == "" {
		return nil, errors.New("model is missing: it is a part of Triton's URL")
	}
	path, stream := "/generate", a.Streaming()
	if stream {
		path = "/generate_stream"
	}
	return &api{path: "/v2/models/" + url.PathEscape(a.Model) + path, header: bearer(cfg.Key), manner: tritonStream,
		dialect: func(*Result) dialect { return &triton{} },
		body: func(req *workload.Request) map[string]any {
			parameters := map[string]any{"stream": stream}
			if req.MaxTokens > 0 {
				parameters["max_tokens"] = req.MaxTokens
			}
			return map[string]any{"text_input": promptOf(req.Messages), "parameters": parameters}
		}}, nil
}

// tritonStream ends with the response and with nothing else: it cannot be seen whether an answer is whole.
var tritonStream = &manner{mime: "text/event-stream", framer: sse, openEnded: true, bare: true}

// triton reads events that are a text and nothing else.
type triton struct {
	text  progress
	chunk tritonChunk // the event under way; here, so that it is not allocated anew
}

// tritonChunk is what one event says. The slices are JSON values and alias it.
type tritonChunk struct {
	text, err []byte
	known     bool
}

func (c *tritonChunk) parse(b []byte) bool {
	*c = tritonChunk{}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "text_output":
			c.known = true
			c.text = s.value()
		case "error":
			s.fault(&c.err)
		default:
			s.value()
		}
	}
	return s.end()
}

// event implements dialect.
func (t *triton) event(f *frame, s *said) {
	c := &t.chunk
	switch ok := c.parse(f.data); {
	case !ok:
		s.garble("is no JSON object")
	case c.err != nil:
		s.fail(errorMessage(c.err))
	default:
		s.unknown = !c.known
		if s.text = t.text.of(c.text); s.text != nil {
			s.kind = Answer
		}
	}
}

// whole implements dialect.
func (t *triton) whole(b []byte, s *said) {
	c := &t.chunk
	if c.parse(b); c.err != nil {
		s.fail(errorMessage(c.err))
	} else if filled(c.text) {
		s.kind, s.text = Answer, c.text
	}
}
