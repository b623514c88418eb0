package endpoint

import (
	"bytes"
	"strconv"
)

// tally is the number of tokens so far, where a server sends it with every event.
type tally struct{ before int }

// next is how many tokens came since the last time; known is false where the event does not say.
func (t *tally) next(total string) (n int, known bool) {
	if total == "" {
		return 0, false // the common case: an error would be allocated
	}
	count, err := strconv.Atoi(total)
	if err != nil {
		return 0, false
	}
	n = max(0, count-t.before)
	t.before = max(t.before, count)
	return n, true
}

// progress finds what is new in the texts of a stream. A server sends with each event either the next piece, or all of
// the text so far, and most do not say which: the second text tells, where nothing else does.
type progress struct {
	whole  bool // all of the text; a guess, until it is known
	known  bool
	before []byte // the text so far, or the first piece, as it stands in JSON
	piece  []byte
}

// decide says which it is.
func (p *progress) decide(whole bool) {
	p.whole, p.known = whole, true
}

// of is the new part of a text; both are JSON strings. It is nil where nothing is new: a text of which a tail is taken
// back (a stop word) brings nothing either.
func (p *progress) of(text []byte) []byte {
	if !filled(text) {
		return nil
	}
	if p.known && !p.whole {
		return text
	}
	if text[0] != '"' {
		return nil
	}
	inner := withoutIncomplete(text[1 : len(text)-1])
	switch grown := len(inner) > len(p.before) && bytes.HasPrefix(inner, p.before); {
	case len(inner) == 0:
		return nil
	case grown && len(p.before) == 0: // the first
	case grown:
		p.decide(true)
	case p.known && bytes.HasPrefix(p.before, inner):
		return nil
	case bytes.Equal(p.before, inner): // the same piece again, or the same text: the next will tell
		if p.whole {
			return nil
		}
		return text
	default:
		p.decide(false)
		return text
	}
	p.piece = append(append(append(p.piece[:0], '"'), inner[len(p.before):]...), '"')
	p.before = append(p.before, inner[len(p.before):]...)
	return p.piece
}

// withoutIncomplete cuts the replacement characters off a text's end that stand for the first bytes of a character: the
// next text has the character in their place.
func withoutIncomplete(text []byte) []byte {
	for {
		n := len(text)
		text = bytes.TrimSuffix(text, []byte("\ufffd"))
		text = bytes.TrimSuffix(text, []byte(`\ufffd`))
		if len(text) == n {
			return text
		}
	}
}
