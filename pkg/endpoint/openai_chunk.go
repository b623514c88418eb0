package endpoint

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// chatChunk is what one event of a chat completion stream says. The slices are JSON values and alias the event.
type chatChunk struct {
	prose   bool   // it is one of completions, whose text stands in choices[].text
	kind    Kind   // Reasoning, Answer, Tool, or Other
	text    []byte // the answer's piece: a string, or a list of parts
	ids     int    // tokens in this chunk, where the server lists their ids
	finish  []byte // finish reason
	known   bool   // it has a field that chunks have
	err     []byte // an error; the whole event where only its type says that it is one
	usage   []byte // a non-null usage object
	timings []byte // llama.cpp
	metrics []byte // vLLM
	groq    []byte // Groq's x_groq
}

// parseChatChunk reads one event. It reports false where the event is not a JSON object.
//
// What counts as generated (wire-formats.md 0.1): a non-empty delta.content or refusal is Answer, a non-empty
// reasoning or reasoning_content is Reasoning (some proxies send the same text under both names: it counts once), a
// name or arguments in tool_calls is Tool. A role, an empty or null content, choices: [], usage, a finish reason and
// progress reports are not tokens. An event that carries both reasoning and an answer counts as Answer: the user reads
// something.
func parseChatChunk(b []byte, c *chatChunk) bool {
	s := &jsonScan{b: b}
	*c = chatChunk{kind: Other, prose: c.prose}
	if !s.enter('{') {
		return false
	}
	failed := false
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "choices":
			c.known = true
			c.choices(s)
		case "usage":
			c.known = true
			c.usage = nonNull(s.value())
		case "error":
			s.fault(&c.err)
		case "error_type":
			failed = filled(s.value()) || failed
		case "object", "type":
			failed = string(s.value()) == `"error"` || failed
		case "finish_reason": // Together
			c.finished(s.value())
		case "timings":
			c.timings = nonNull(s.value())
		case "metrics":
			c.metrics = nonNull(s.value())
		case "x_groq":
			c.groq = nonNull(s.value())
			if e := gjson.GetBytes(c.groq, "error"); isError([]byte(e.Raw)) {
				c.err = []byte(e.Raw)
			}
		default:
			s.value()
		}
	}
	if failed && c.err == nil {
		c.err = s.b
	}
	return s.end()
}

// choices reads the first choice; a benchmark asks for one.
func (c *chatChunk) choices(s *jsonScan) {
	if !s.enter('[') {
		s.value()
		return
	}
	for first := true; s.element(); first = false {
		if !first || !s.enter('{') {
			s.value()
			continue
		}
		for k := s.key(); k != nil; k = s.key() {
			switch string(k) {
			case "delta":
				c.delta(s)
			case "text":
				if v := s.value(); c.prose && filled(v) {
					c.kind, c.text = Answer, v
				}
			case "finish_reason":
				c.finished(s.value())
			case "token_ids":
				c.ids = s.count()
			default:
				s.value()
			}
		}
	}
}

// finished takes a finish reason; null and "" are none.
func (c *chatChunk) finished(v []byte) {
	if filled(v) {
		c.finish = v
	}
}

// delta reads a delta of a stream, or the message of an answer that is not streamed.
func (c *chatChunk) delta(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "content", "refusal":
			if v := s.value(); filled(v) {
				c.saw(contentKind(v))
				c.text = v
			}
		case "reasoning", "reasoning_content":
			if filled(s.value()) {
				c.saw(Reasoning)
			}
		case "tool_calls", "function_call":
			if v := s.value(); filled(v) && calls(v) {
				c.saw(Tool)
			}
		default:
			s.value()
		}
	}
}

func (c *chatChunk) saw(k Kind) { c.kind = foremost(c.kind, k) }

// foremost is the kind that an event with both counts as: an answer over reasoning over a tool call.
func foremost(a, b Kind) Kind {
	if a == Other || b == Answer || b == Reasoning && a == Tool {
		return b
	}
	return a
}

// contentKind looks into a content that is not empty: a string, or a list of parts (Mistral) that may be thinking.
func contentKind(v []byte) Kind {
	if v[0] != '[' {
		return Answer
	}
	kind := Other
	for _, part := range gjson.ParseBytes(v).Array() {
		switch {
		case part.Get("text").Str != "":
			return Answer
		case filled([]byte(part.Get("thinking").Raw)):
			kind = Reasoning
		}
	}
	return kind
}

// calls reports a tool call with a name or arguments: a list of calls, or the one of the old function_call.
func calls(v []byte) bool {
	list := gjson.ParseBytes(v)
	if list.IsObject() {
		return list.Get("name").Str != "" || list.Get("arguments").Str != ""
	}
	for _, call := range list.Array() {
		for _, path := range []string{"function.name", "function.arguments", "custom.name", "custom.input"} {
			if filled([]byte(call.Get(path).Raw)) {
				return true
			}
		}
	}
	return false
}

// plainText is the text of a content.
func plainText(content []byte) string {
	if len(content) == 0 || content[0] != '[' {
		return unquote(content)
	}
	var text strings.Builder
	for _, part := range gjson.ParseBytes(content).Array() {
		text.WriteString(part.Get("text").Str)
	}
	return text.String()
}

// unquote is the text of a JSON string; anything else as it stands.
func unquote(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

func nonNull(v []byte) []byte {
	if isNull(v) {
		return nil
	}
	return v
}

// isError reports the value of an error field that is one. Some servers send null, or nothing in another form, with
// every event.
func isError(v []byte) bool {
	return !isNull(v) && string(v) != `""` && string(v) != "false"
}

// filled reports a value that carries something: not null, "", [] or {}.
func filled(v []byte) bool { return len(v) > 2 && string(v) != "null" }
