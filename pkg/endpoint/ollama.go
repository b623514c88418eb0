package endpoint

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// The names of Ollama's own APIs in a scenario.
const (
	OllamaChat     = "ollama-chat"
	OllamaGenerate = "ollama-generate"
)

// ollamaChat is POST {url}/api/chat of Ollama (wire-formats.md 3.6).
func ollamaChat(cfg *Config) (*api, error) {
	return ollamaAPI(cfg, "/api/chat", func(req *workload.Request) (string, any) { return "messages", req.Messages }), nil
}

// ollamaGenerate is POST {url}/api/generate: the model's template is put around the prompt unless body says raw: true.
func ollamaGenerate(cfg *Config) (*api, error) {
	return ollamaAPI(cfg, "/api/generate", func(req *workload.Request) (string, any) { return "prompt", promptOf(req.Messages) }), nil
}

func ollamaAPI(cfg *Config, path string, ask func(*workload.Request) (field string, value any)) *api {
	model, stream := cfg.Approach.Model, cfg.Approach.Streaming()
	return &api{path: path, header: bearer(cfg.Key), manner: ollamaStream,
		dialect: func(res *Result) dialect { return &ollama{res: res} },
		body: func(req *workload.Request) map[string]any {
			field, value := ask(req)
			fields := map[string]any{"model": model, "stream": stream, field: value}
			if req.MaxTokens > 0 {
				fields["options"] = map[string]any{"num_predict": req.MaxTokens}
			}
			return fields
		}}
}

var ollamaStream = jsonLines("a line with done: true")

// ollama reads the lines of both APIs: they differ in where the text stands.
type ollama struct {
	res  *Result
	line ollamaLine // under way; here, so that it is not allocated anew
}

// ollamaLine is what one line says. The slices are JSON values and alias it.
type ollamaLine struct {
	text        []byte
	thinks      bool
	calls       bool
	done        bool
	known       bool // it has a field that lines have
	finish, err []byte
}

func (l *ollamaLine) parse(b []byte) bool {
	*l = ollamaLine{}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	l.members(&s, true)
	return s.end()
}

// members reads the fields of the line, or those of the message in it.
func (l *ollamaLine) members(s *jsonScan, outer bool) {
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "message":
			l.known = true
			if outer && s.enter('{') {
				l.members(s, false)
			} else {
				s.value()
			}
		case "content", "response":
			l.known = true
			if v := s.value(); filled(v) {
				l.text = v
			}
		case "thinking":
			l.thinks = filled(s.value()) || l.thinks
		case "tool_calls":
			l.calls = filled(s.value()) || l.calls
		case "done":
			l.known = true
			l.done = string(s.value()) == "true"
		case "done_reason":
			if v := s.value(); filled(v) {
				l.finish = v
			}
		case "error":
			s.fault(&l.err)
		default:
			s.value()
		}
	}
}

// event implements dialect.
func (o *ollama) event(f *frame, s *said) {
	if !o.line.parse(f.data) {
		s.garble("is no JSON object")
		return
	}
	o.take(f.data, s)
}

// whole implements dialect: it is the only line of a stream, with all of the text.
func (o *ollama) whole(b []byte, s *said) {
	o.line.parse(b)
	o.take(b, s)
}

func (o *ollama) take(b []byte, s *said) {
	l := &o.line
	if l.err != nil {
		s.fail(errorMessage(l.err))
		return
	}
	switch {
	case l.text != nil:
		s.kind, s.text = Answer, l.text
	case l.thinks:
		s.kind = Reasoning
	case l.calls:
		s.kind = Tool
	}
	s.unknown, s.end = !l.known, l.done
	if l.finish != nil {
		s.finish = unquote(l.finish)
	}
	if l.done {
		o.figures(b)
	}
}

// figures takes the counts and times of the last line. A field that is 0 is left out by the server: what is missing is
// not known, and no error.
func (o *ollama) figures(b []byte) {
	setCount(&o.res.Usage.Input, gjson.GetBytes(b, "prompt_eval_count"))
	setCount(&o.res.Usage.Output, gjson.GetBytes(b, "eval_count"))
	t := &o.res.Server
	setTime(&t.Total, gjson.GetBytes(b, "total_duration"), time.Nanosecond)
	setTime(&t.Prefill, gjson.GetBytes(b, "prompt_eval_duration"), time.Nanosecond)
	setTime(&t.Decode, gjson.GetBytes(b, "eval_duration"), time.Nanosecond)
	if t.Total == nil {
		return
	}
	t.Source = "Ollama durations"
	if t.Prefill != nil && t.Decode != nil {
		// It waits for a place in the scheduler and, within load_duration, for the model to be loaded; and again in the
		// model's runner, which no field tells.
		queue := max(0, *t.Total-*t.Prefill-*t.Decode)
		t.Queue = &queue
	}
}
