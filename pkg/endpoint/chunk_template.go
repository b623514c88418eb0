package endpoint

import "bytes"

// chunkTemplate knows an event by the one before it. The events of a stream differ in their text alone, most of the time:
// where everything around the text is the same to the byte, the event means the same, and need not be walked again.
type chunkTemplate struct {
	before, after []byte // the event's bytes around the text, the quotes included
	kind          Kind   // 0: nothing was learned
}

// learn remembers an event that says nothing but one plain text.
func (t *chunkTemplate) learn(event []byte, c *chatChunk) {
	t.kind = 0
	if c.kind != Answer || len(c.text) < 2 || c.text[0] != '"' || !c.plain() {
		return
	}
	from := cap(event) - cap(c.text) // a slice of event: capacities count from the shared end
	to := from + len(c.text)
	t.before = append(t.before[:0], event[:from+1]...)
	t.after = append(t.after[:0], event[to-1:]...)
	t.kind = c.kind
}

// match fills c where the event is the one that was learned with another text, which needs no escapes.
func (t *chunkTemplate) match(event []byte, c *chatChunk) bool {
	n := len(event) - len(t.before) - len(t.after)
	if t.kind == 0 || n <= 0 || !bytes.HasPrefix(event, t.before) || !bytes.HasSuffix(event, t.after) {
		return false
	}
	for _, b := range event[len(t.before) : len(t.before)+n] {
		if b < ' ' || b == '"' || b == '\\' {
			return false
		}
	}
	*c = chatChunk{prose: c.prose, kind: t.kind, known: true, text: event[len(t.before)-1 : len(t.before)+n+1]}
	return true
}

// plain reports that the chunk says nothing but its text.
func (c *chatChunk) plain() bool {
	return c.known && c.ids == 0 && c.finish == nil && c.err == nil && c.usage == nil && c.timings == nil && c.metrics == nil && c.groq == nil
}
