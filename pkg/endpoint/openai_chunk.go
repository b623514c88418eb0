package endpoint

// chatChunk is what one event of a chat completion stream says. The slices alias the event.
type chatChunk struct {
	kind    Kind   // Reasoning, Answer, Tool, or Other
	text    []byte // the answer's piece as a JSON string's inside, for Answer
	tokens  int    // tokens in this chunk, where the server lists their ids
	finish  []byte // finish reason, quoted
	known   bool   // it has a field that chunks have
	err     []byte // a non-null error
	usage   []byte // a non-null usage object
	timings []byte // llama.cpp
	metrics []byte // vLLM
	groq    []byte // Groq's x_groq
}

// parseChatChunk reads one event. It reports false where the event is not a JSON object.
//
// What counts as generated (wire-formats.md 0.1): a non-empty delta.content or refusal is Answer, a non-empty
// reasoning or reasoning_content is Reasoning (some proxies send the same text under both names: it counts once),
// tool_calls is Tool. A role, an empty or null content, choices: [], usage, a finish reason and progress reports are
// not tokens. An event that carries both reasoning and an answer counts as Answer: the user reads something.
func parseChatChunk(b []byte, c *chatChunk) bool {
	*c = chatChunk{kind: Other}
	s := jsonScan{b: b}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "choices":
			c.known = true
			c.choices(&s)
		case "usage":
			c.known = true
			c.usage = nonNull(s.value())
		case "error":
			c.err = nonNull(s.value())
		case "timings":
			c.timings = nonNull(s.value())
		case "metrics":
			c.metrics = nonNull(s.value())
		case "x_groq":
			c.groq = nonNull(s.value())
		default:
			s.value()
		}
	}
	return s.end()
}

func nonNull(v []byte) []byte {
	if isNull(v) {
		return nil
	}
	return v
}

// choices reads the first choice; a benchmark asks for one.
func (c *chatChunk) choices(s *jsonScan) {
	if !s.enter('[') {
		s.value()
		return
	}
	for first := true; s.element(); first = false {
		if !first || s.peek() != '{' {
			s.value()
			continue
		}
		s.enter('{')
		for k := s.key(); k != nil; k = s.key() {
			switch string(k) {
			case "delta":
				c.delta(s)
			case "finish_reason":
				if v := nonNull(s.value()); len(v) > 2 { // "" is not finished
					c.finish = v
				}
			case "token_ids":
				c.tokens = s.count()
			default:
				s.value()
			}
		}
	}
}

func (c *chatChunk) delta(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "content", "refusal":
			if v := s.value(); filled(v) {
				c.kind = Answer
				if v[0] == '"' {
					c.text = v[1 : len(v)-1]
				}
			}
		case "reasoning", "reasoning_content":
			if v := s.value(); filled(v) && c.kind != Answer {
				c.kind = Reasoning
			}
		case "tool_calls", "function_call":
			if v := s.value(); filled(v) && c.kind == Other {
				c.kind = Tool
			}
		default:
			s.value()
		}
	}
}

// filled reports a value that carries something: not null, "", [] or {}.
func filled(v []byte) bool { return len(v) > 2 && string(v) != "null" }

// count reads an array and returns the number of its elements; 0 for anything else.
func (s *jsonScan) count() int {
	if !s.enter('[') {
		s.value()
		return 0
	}
	n := 0
	for s.element() {
		s.value()
		n++
	}
	return n
}
