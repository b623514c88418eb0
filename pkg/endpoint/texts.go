package endpoint

// texts are several texts of one event or answer, as the list of parts that said.text may be.
type texts []byte

// add takes a text, which is a JSON string.
func (p *texts) add(text []byte) {
	lead := `,{"text":`
	if len(*p) == 0 {
		lead = `[{"text":`
	}
	*p = append(append(append(*p, lead...), text...), '}')
}

// list ends the list; nil if there were none.
func (p *texts) list() []byte {
	if len(*p) == 0 {
		return nil
	}
	*p = append(*p, ']')
	return *p
}
