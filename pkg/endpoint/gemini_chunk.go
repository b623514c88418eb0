package endpoint

// geminiChunk is what one event of a Gemini stream says. The slices are JSON values, the finish reason without quotes.
type geminiChunk struct {
	kind     Kind  // Reasoning, Answer, Tool, or Other
	text     texts // of the answer
	finish   []byte
	usage    geminiUsage
	feedback []byte // on the prompt
	err      []byte
	known    bool // it has a field that events have
}

func (c *geminiChunk) parse(b []byte) bool {
	s := &jsonScan{b: b}
	*c = geminiChunk{kind: Other, text: c.text[:0]}
	if !s.enter('{') {
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) { // does not allocate
		case "candidates":
			c.known = true
			c.candidates(s)
		case "usageMetadata":
			c.known = true
			c.usage.scan(s)
		case "promptFeedback":
			c.known = true
			c.feedback = s.value()
		case "error":
			s.fault(&c.err)
		default:
			s.value()
		}
	}
	return s.end()
}

// candidates reads the first candidate; a benchmark asks for one.
func (c *geminiChunk) candidates(s *jsonScan) {
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
			case "content":
				c.content(s)
			case "finishReason":
				if v := s.word(); string(v) != "FINISH_REASON_UNSPECIFIED" {
					c.finish = v
				}
			default:
				s.value()
			}
		}
	}
}

func (c *geminiChunk) content(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		if string(k) != "parts" || !s.enter('[') {
			s.value()
			continue
		}
		for s.element() {
			c.part(s)
		}
	}
}

// part reads one part of the content. A thought is text with thought: true; a call comes whole. A signature of thoughts
// is no token, and neither is what code that the server ran has printed.
func (c *geminiChunk) part(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	var text []byte
	thought, call, media := false, false, false
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "text":
			text = s.value()
		case "thought":
			thought = string(s.value()) == "true"
		case "functionCall", "executableCode":
			call = filled(s.value())
		case "inlineData":
			media = filled(s.value())
		default:
			s.value()
		}
	}
	switch {
	case isText(text) && thought:
		c.kind = foremost(c.kind, Reasoning)
	case isText(text):
		c.kind = Answer
		c.text.add(text)
	case media && !thought:
		c.kind = Answer
	case call:
		c.kind = foremost(c.kind, Tool)
	}
}

// geminiUsage is a usageMetadata object. Of what is missing there was none, but an object without any of the generated
// ones tells nothing of them.
type geminiUsage struct {
	prompt, tool, candidates, thoughts, cached, total number
}

func (u *geminiUsage) scan(s *jsonScan) {
	if !s.enter('{') {
		s.value()
		return
	}
	for k := s.key(); k != nil; k = s.key() {
		switch string(k) {
		case "promptTokenCount":
			u.prompt = s.number()
		case "toolUsePromptTokenCount":
			u.tool = s.number()
		case "candidatesTokenCount":
			u.candidates = s.number()
		case "thoughtsTokenCount":
			u.thoughts = s.number()
		case "cachedContentTokenCount":
			u.cached = s.number()
		case "totalTokenCount":
			u.total = s.number()
		default:
			s.value()
		}
	}
}

// output is the number of tokens generated so far. Google's documents say that thoughts are outside of candidates; on
// one of its surfaces they have been seen inside. The total, which is there on both, decides.
func (u *geminiUsage) output() number {
	input := u.prompt.n + u.tool.n
	switch {
	case !u.candidates.told && !u.thoughts.told:
		return number{}
	case u.prompt.told && u.total.told && u.total.n >= input:
		return number{u.total.n - input, true}
	}
	return number{u.candidates.n + u.thoughts.n, true}
}

// put writes it over what earlier events told: the counts are those of the whole answer so far. What a tool on the
// server's side found is part of the prompt.
func (u *geminiUsage) put(usage *Usage) {
	set := func(dst **int, t number) {
		if !t.told {
			return
		}
		if *dst == nil {
			*dst = new(int)
		}
		**dst = t.n
	}
	set(&usage.Input, number{u.prompt.n + u.tool.n, u.prompt.told})
	set(&usage.CachedInput, u.cached)
	set(&usage.Output, u.output())
	set(&usage.Reasoning, u.thoughts)
}
