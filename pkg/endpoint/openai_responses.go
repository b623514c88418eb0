package endpoint

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// OpenAIResponses is the name of the OpenAI responses API in a scenario.
const OpenAIResponses = "openai-responses"

// openAIResponses is POST {url}/responses (wire-formats.md 3.3). The server is asked to store nothing, as it would with
// every request of a run.
func openAIResponses(cfg *Config) (*api, error) {
	a := &cfg.Approach
	stream := a.Streaming()
	return &api{path: "/responses", header: bearer(cfg.Key),
		manner:  &manner{mime: "text/event-stream", framer: sse, terminal: "response.completed"},
		dialect: func(res *Result) dialect { return &responses{res: res} },
		body: func(req *workload.Request) map[string]any {
			fields := map[string]any{"model": a.Model, "stream": stream, "input": req.Messages, "store": false}
			if req.MaxTokens > 0 {
				fields["max_output_tokens"] = req.MaxTokens
			}
			return fields
		}}, nil
}

// responses reads OpenAI's responses.
type responses struct {
	res    *Result
	parsed responsesEvent // the event under way; here, so that it is not allocated anew
	last   number         // of the last event that had one
}

// responsesEvent is what one event of the stream says. The slices are JSON values, the name without quotes.
type responsesEvent struct {
	name     []byte
	delta    []byte
	item     []byte // of output
	response []byte
	err      []byte
	number   number // of the event in the stream
}

// event implements dialect. A [DONE] does not belong to this API; some servers send it all the same, and it says nothing.
func (r *responses) event(f *frame, s *said) {
	e := &r.parsed
	ok := e.parse(f.data)
	if e.name == nil {
		e.name = f.event
	}
	switch {
	case string(f.event) == "error", ok && (e.err != nil || string(e.name) == "error"):
		s.fail(errorMessage(f.data))
	case !ok && isDone(f.data):
	case !ok:
		s.garble("is no JSON object")
	default:
		s.unknown = r.skipped(e)
		r.take(e, s)
	}
}

// skipped reports a gap in the numbers of the events: one was lost on the way from the model to us, or the server counts
// in its own way. Nothing gets lost on a connection, so the answer is not failed for it, only counted among those with
// something that was not understood.
func (r *responses) skipped(e *responsesEvent) bool {
	if !e.number.told {
		return false
	}
	gap := r.last.told && e.number.n > r.last.n+1
	r.last = e.number
	return gap
}

func (e *responsesEvent) parse(b []byte) bool {
	s := &jsonScan{b: b}
	*e = responsesEvent{}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "type":
			e.name = s.word()
		case "delta":
			e.delta = s.value()
		case "item":
			e.item = s.value()
		case "response":
			e.response = s.value()
		case "sequence_number":
			e.number = s.number()
		case "error":
			s.fault(&e.err)
		default:
			s.value()
		}
	}
	return s.end()
}

// take takes an event that is no error of itself. Only deltas hold generated text: what ends in done says it again.
func (r *responses) take(e *responsesEvent, s *said) {
	switch string(e.name) {
	case "response.output_text.delta", "response.refusal.delta", "response.audio.transcript.delta":
		if isText(e.delta) {
			s.kind, s.text = Answer, e.delta
		}
	case "response.audio.delta":
		e.piece(s, Answer)
	case "response.reasoning_text.delta", "response.reasoning_summary_text.delta":
		e.piece(s, Reasoning)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta", "response.mcp_call_arguments.delta",
		"response.code_interpreter_call_code.delta", "response.shell_call_command.delta":
		e.piece(s, Tool)
	case "response.output_item.added":
		if called(gjson.ParseBytes(e.item)) {
			s.kind = Tool
		}
	case "response.completed", "response.incomplete", "response.failed":
		s.end = true
		r.final(gjson.ParseBytes(e.response), s)
		switch {
		case s.failed:
		case string(e.name) == "response.failed":
			s.fail("response.failed, for no reason given")
		case s.finish == "":
			s.finish = strings.TrimPrefix(string(e.name), "response.")
		}
	case "response.shell_call_output_content.delta": // the server's shell wrote it
	default:
		s.unknown = s.unknown || !holdsNothing(string(e.name))
	}
}

// piece takes a delta of generated text that is not shown as such.
func (e *responsesEvent) piece(s *said, kind Kind) {
	if filled(e.delta) {
		s.kind = kind
	}
}

// called reports a call whose name the model wrote: it is a token, though no argument has come yet.
func called(item gjson.Result) bool {
	switch item.Get("type").Str {
	case "function_call", "custom_tool_call", "mcp_call":
		return item.Get("name").Str != ""
	}
	return false
}

// holdsNothing reports the events that hold nothing generated. There are dozens, and new ones with every tool; the last
// word of their names says what they are.
func holdsNothing(name string) bool {
	if !strings.HasPrefix(name, "response.") {
		return name == "keepalive" || name == "ping"
	}
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "created", "queued", "in_progress", "added", "done", "searching", "interpreting", "generating", "partial_image",
		"completed", "failed": // of a part, such as response.web_search_call.completed
		return true
	}
	return false
}

// final takes a whole response: the answer in one piece, or what the terminal event repeats and adds.
func (r *responses) final(root gjson.Result, s *said) {
	usage := []byte(root.Get("usage").Raw)
	takeCount(&r.res.Usage.Input, usage, "input_tokens")
	takeCount(&r.res.Usage.CachedInput, usage, "input_tokens_details.cached_tokens")
	takeCount(&r.res.Usage.Output, usage, "output_tokens")
	takeCount(&r.res.Usage.Reasoning, usage, "output_tokens_details.reasoning_tokens")
	s.finish = root.Get("incomplete_details.reason").Str
	if s.finish == "" {
		s.finish = root.Get("status").Str
	}
	switch fault := root.Get("error"); {
	case isError([]byte(fault.Raw)):
		s.fail(errorMessage([]byte(fault.Raw)))
	case s.finish == "failed":
		s.fail("the response's status is failed")
	}
}

// whole implements dialect.
func (r *responses) whole(b []byte, s *said) {
	root := gjson.ParseBytes(b)
	if r.final(root, s); s.failed {
		return
	}
	var text texts
	for _, item := range root.Get("output").Array() {
		if called(item) {
			s.kind = foremost(s.kind, Tool)
		}
		if item.Get("type").Str == "reasoning" && (item.Get("content.#").Int() > 0 || item.Get("summary.#").Int() > 0) {
			s.kind = foremost(s.kind, Reasoning)
		}
		if item.Get("type").Str != "message" {
			continue
		}
		for _, part := range item.Get("content").Array() {
			for _, field := range []string{"text", "refusal"} {
				if v := part.Get(field); v.Str != "" {
					s.kind = Answer
					text.add([]byte(v.Raw))
				}
			}
		}
	}
	s.text = text.list()
}
