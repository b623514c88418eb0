package endpoint

import (
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// AnthropicMessages is the name of the Anthropic messages API in a scenario.
const AnthropicMessages = "anthropic-messages"

// anthropicMaxTokens is asked for where a request has no length of its own: the API wants one. It is the most that the
// oldest models allow.
const anthropicMaxTokens = 4096

// anthropicMessages is POST {url}/v1/messages (wire-formats.md 3.4).
func anthropicMessages(cfg *Config) (*api, error) {
	a := &cfg.Approach
	stream := a.Streaming()
	header := http.Header{"Anthropic-Version": {"2023-06-01"}}
	if cfg.Key != "" {
		header.Set("X-Api-Key", cfg.Key)
	}
	return &api{path: "/v1/messages", header: header, manner: &manner{mime: "text/event-stream", framer: sse, terminal: "message_stop"},
		dialect: func(res *Result) dialect { return &messages{res: res} },
		body: func(req *workload.Request) map[string]any {
			system, turns := splitSystem(req.Messages)
			fields := map[string]any{"model": a.Model, "stream": stream, "messages": turns, "max_tokens": anthropicMaxTokens}
			if req.MaxTokens > 0 {
				fields["max_tokens"] = req.MaxTokens
			}
			if system != "" {
				fields["system"] = system
			}
			return fields
		}}, nil
}

// messages reads Anthropic's messages.
type messages struct {
	res    *Result
	parsed messagesEvent // the event under way; here, so that it is not allocated anew
	input  struct{ fresh, read, written *int }
}

// messagesEvent is what one event of the stream says. The slices are JSON values, the names without quotes.
type messagesEvent struct {
	name, delta                   []byte // the types of the event and of its delta
	text, thinking, partial, stop []byte // of the delta
	message, block, usage, err    []byte
}

// event implements dialect.
func (m *messages) event(f *frame, s *said) {
	e := &m.parsed
	ok := e.parse(f.data)
	if e.name == nil {
		e.name = f.event
	}
	switch {
	case string(f.event) == "error", ok && (e.err != nil || string(e.name) == "error"):
		s.fail(errorMessage(f.data))
	case !ok:
		s.garble("is no JSON object")
	default:
		m.take(e, s)
	}
}

func (e *messagesEvent) parse(b []byte) bool {
	s := &jsonScan{b: b}
	*e = messagesEvent{}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "type":
			e.name = s.word()
		case "delta":
			e.change(s)
		case "content_block":
			e.block = s.value()
		case "message":
			e.message = s.value()
		case "usage":
			e.usage = s.value()
		case "error":
			s.fault(&e.err)
		default:
			s.value()
		}
	}
	return s.end()
}

// change reads the delta of a block or of the message.
func (e *messagesEvent) change(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "type":
			e.delta = s.word()
		case "text":
			e.text = s.value()
		case "thinking":
			e.thinking = s.value()
		case "partial_json":
			e.partial = s.value()
		case "stop_reason":
			e.stop = s.word()
		default:
			s.value()
		}
	}
}

// take takes an event that is no error. The message's start comes before generation has begun, and its output_tokens is
// a placeholder.
func (m *messages) take(e *messagesEvent, s *said) {
	switch string(e.name) {
	case "content_block_delta":
		e.piece(s)
	case "content_block_start":
		s.unknown = !takeBlock(gjson.ParseBytes(e.block), s)
	case "message_start":
		m.prompt([]byte(gjson.GetBytes(e.message, "usage").Raw))
	case "message_delta":
		m.usage(e.usage)
		s.finish = string(e.stop)
	case "message_stop":
		s.end = true
	case "content_block_stop", "ping":
	default:
		s.unknown = true
	}
}

// piece takes a delta of a block. Signatures and citations are no tokens.
func (e *messagesEvent) piece(s *said) {
	switch string(e.delta) {
	case "text_delta":
		if isText(e.text) {
			s.kind, s.text = Answer, e.text
		}
	case "thinking_delta":
		if isText(e.thinking) {
			s.kind = Reasoning
		}
	case "input_json_delta":
		if isText(e.partial) {
			s.kind = Tool
		}
	case "signature_delta", "citations_delta":
	default:
		s.unknown = true
	}
}

// takeBlock takes a content block, at its start or whole, and reports whether its type is known. The name of a tool was
// generated, and redacted thinking comes in one piece; what a tool on the server's side found was not generated.
func takeBlock(block gjson.Result, s *said) bool {
	kind := Other
	switch name := block.Get("type").Str; {
	case name == "text":
		if text := block.Get("text"); text.Str != "" {
			kind, s.text = Answer, []byte(text.Raw)
		}
	case name == "thinking":
		if block.Get("thinking").Str != "" {
			kind = Reasoning
		}
	case name == "redacted_thinking":
		kind = Reasoning
	case strings.HasSuffix(name, "tool_use"): // server_tool_use and mcp_tool_use too
		kind = Tool
	case strings.HasSuffix(name, "tool_result"), name == "container_upload":
	default:
		return false
	}
	s.kind = foremost(s.kind, kind)
	return true
}

// prompt takes the input side of a usage object. input_tokens is what came neither out of the cache nor into it: all
// three together are the prompt. A later object wins field by field, since its counts are those of the whole message.
func (m *messages) prompt(usage []byte) {
	in := &m.input
	takeCount(&in.fresh, usage, "input_tokens")
	takeCount(&in.read, usage, "cache_read_input_tokens")
	takeCount(&in.written, usage, "cache_creation_input_tokens")
	m.res.Usage.CachedInput = in.read
	if in.fresh == nil {
		return
	}
	total := *in.fresh
	for _, n := range []*int{in.read, in.written} {
		if n != nil {
			total += *n
		}
	}
	m.res.Usage.Input = &total
}

// usage takes the usage of an answer at its end.
func (m *messages) usage(usage []byte) {
	m.prompt(usage)
	takeCount(&m.res.Usage.Output, usage, "output_tokens")
	takeCount(&m.res.Usage.Reasoning, usage, "output_tokens_details.thinking_tokens")
}

// whole implements dialect.
func (m *messages) whole(b []byte, s *said) {
	root := gjson.ParseBytes(b)
	if isError([]byte(root.Get("error").Raw)) || root.Get("type").Str == "error" {
		s.fail(errorMessage(b))
		return
	}
	m.usage([]byte(root.Get("usage").Raw))
	s.finish = root.Get("stop_reason").Str
	content := root.Get("content")
	for _, block := range content.Array() {
		takeBlock(block, s)
	}
	s.text = []byte(content.Raw)
}
