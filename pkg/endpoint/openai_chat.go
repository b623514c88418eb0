package endpoint

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// OpenAIChat is the name of the OpenAI chat completions API in a scenario.
const OpenAIChat = "openai-chat"

// openAIChat is POST {url}/chat/completions of OpenAI and the many servers that speak it (wire-formats.md 3.1).
func openAIChat(cfg *Config) (*api, error) {
	a := &cfg.Approach
	maxTokens, stream := a.MaxTokensField, a.Streaming()
	if maxTokens == "" {
		maxTokens = "max_completion_tokens"
	}
	return &api{path: "/chat/completions", header: bearer(cfg.Key), manner: openAIStream,
		dialect: func(res *Result) dialect { return &chat{res: res} },
		body: func(req *workload.Request) map[string]any {
			fields := map[string]any{"model": a.Model, "stream": stream, "messages": req.Messages}
			if stream {
				fields["stream_options"] = map[string]any{"include_usage": true}
			}
			if req.MaxTokens > 0 {
				fields[maxTokens] = req.MaxTokens
			}
			return fields
		}}, nil
}

// openAIStream is how OpenAI's completions stream.
var openAIStream = &manner{mime: "text/event-stream", framer: sse, terminal: "[DONE]"}

// chat reads chat completions.
type chat struct {
	res      *Result
	running  runningCount
	parsed   chatChunk // the event under way; here, so that it is not allocated anew
	template chunkTemplate
}

// isDone reports the terminal event of OpenAI's completions.
func isDone(data []byte) bool { return string(bytes.TrimSpace(data)) == "[DONE]" }

// event implements dialect.
func (c *chat) event(f *frame, s *said) {
	chunk := &c.parsed
	if len(f.event) == 0 && c.template.match(f.data, chunk) {
		c.chunk(chunk, s)
		return
	}
	if isDone(f.data) {
		s.end = true
		return
	}
	switch ok := parseChatChunk(f.data, chunk); {
	case string(f.event) == "error" && chunk.err == nil:
		s.fail(errorMessage(f.data))
	case !ok:
		s.garble("is no JSON object")
	case chunk.err != nil:
		s.fail(errorMessage(chunk.err))
	default:
		c.template.learn(f.data, chunk)
		c.chunk(chunk, s)
	}
}

// chunk takes an event that is no error.
func (c *chat) chunk(chunk *chatChunk, s *said) {
	s.kind, s.text = chunk.kind, chunk.text
	if !chunk.plain() {
		c.report(chunk, s)
	}
	if chunk.kind.Generated() {
		s.tokens = c.running.of(chunk)
	}
}

// report takes what a chunk says beside its text.
func (c *chat) report(chunk *chatChunk, s *said) {
	s.unknown = !chunk.known
	takeUsage(&c.res.Usage, chunk.usage)
	takeTiming(&c.res.Server, chunk.usage, chunk.timings, chunk.metrics, chunk.groq)
	if u := gjson.GetBytes(chunk.groq, "usage"); u.IsObject() {
		takeUsage(&c.res.Usage, []byte(u.Raw))
	}
	if chunk.finish != nil {
		s.finish = unquote(chunk.finish)
	}
}

// whole implements dialect.
func (c *chat) whole(b []byte, s *said) {
	root := gjson.ParseBytes(b)
	if isError([]byte(root.Get("error").Raw)) || root.Get("object").Str == "error" {
		s.fail(errorMessage(b))
		return
	}
	raw := func(name string) []byte { return nonNull([]byte(root.Get(name).Raw)) }
	takeUsage(&c.res.Usage, raw("usage"))
	takeTiming(&c.res.Server, raw("usage"), raw("timings"), raw("metrics"), raw("x_groq"))
	s.kind, s.text = Other, raw("choices.0.text")
	if !c.parsed.prose {
		message := chatChunk{kind: Other}
		message.delta(&jsonScan{b: []byte(root.Get("choices.0.message").Raw)})
		s.kind, s.text = message.kind, message.text
	} else if filled(s.text) {
		s.kind = Answer
	}
	s.finish = root.Get("choices.0.finish_reason").Str
}
