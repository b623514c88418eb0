package endpoint

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// jsonScan walks one JSON text without building anything: the hot path of a stream looks at every event, and wants a
// few fields of it. It checks the structure of what it walks (brackets, colons, commas, string ends), not numbers,
// escapes and the inside of values that it skips. Once bad is set, every method stays where it is.
type jsonScan struct {
	b     []byte
	i     int
	fresh bool // an object or array was just entered: no comma comes before its next member
	bad   bool
}

func (s *jsonScan) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek is the first byte of the next token, 0 at the end.
func (s *jsonScan) peek() byte {
	s.space()
	if s.bad || s.i >= len(s.b) {
		return 0
	}
	return s.b[s.i]
}

// enter steps into an object or array and reports whether the next value is one.
func (s *jsonScan) enter(open byte) bool {
	if s.peek() != open {
		return false
	}
	s.i++
	s.fresh = true
	return true
}

// key returns the next key of the object that was entered and stands before its value; nil at the object's end. A key
// may be one of ours in disguise, written with escapes: legal, though no server is known to do it.
func (s *jsonScan) key() []byte {
	if !s.member('}') {
		return nil
	}
	k := s.text()
	if bytes.IndexByte(k, '\\') >= 0 {
		k = s.plainKey(k)
	}
	if k == nil || s.peek() != ':' {
		s.bad = true
		return nil
	}
	s.i++
	return k
}

// plainKey is a key without its escapes; nil where they are none of JSON's.
func (s *jsonScan) plainKey(k []byte) []byte {
	var plain string
	if json.Unmarshal(slices.Concat([]byte(`"`), k, []byte(`"`)), &plain) != nil {
		return nil
	}
	return append([]byte{}, plain...)
}

// element reports whether the array that was entered has another element, and stands before it.
func (s *jsonScan) element() bool {
	return s.member(']')
}

// member steps over the comma before the next member; at the end of the object or array it reports false.
func (s *jsonScan) member(end byte) bool {
	first := s.fresh
	s.fresh = false
	switch c := s.peek(); {
	case c == end:
		s.i++
		return false
	case first && c != 0:
		return true
	case !first && c == ',':
		s.i++
		if c = s.peek(); c != end && c != 0 {
			return true
		}
	}
	s.bad = true
	return false
}

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

// text reads a string and returns what stands between its quotes, escapes as they are; nil if there is no string.
func (s *jsonScan) text() []byte {
	if s.peek() != '"' {
		s.bad = true
		return nil
	}
	from := s.i + 1
	for at := from; ; {
		n := bytes.IndexByte(s.b[at:], '"')
		if n < 0 {
			s.bad = true
			return nil
		}
		at += n
		slashes := 0
		for at-1-slashes >= from && s.b[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			s.i = at + 1
			return s.b[from:at:at]
		}
		at++
	}
}

// word reads a value and returns what it says if it is a string, else nil.
func (s *jsonScan) word() []byte {
	v := s.value()
	if len(v) < 2 || v[0] != '"' {
		return nil
	}
	if bytes.IndexByte(v, '\\') >= 0 {
		return []byte(unquote(v))
	}
	return v[1 : len(v)-1]
}

// number is a count, where the server tells it.
type number struct {
	n    int
	told bool
}

// number reads a value that is a count; of anything else nothing is told.
func (s *jsonScan) number() number {
	v := s.value()
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > maxCount/10 {
			f, err := strconv.ParseFloat(string(v), 64) // 1e3, or none
			if err != nil || f < 0 || f > maxCount {
				return number{}
			}
			return number{int(f), true}
		}
		n = 10*n + int(c-'0')
	}
	return number{n, len(v) > 0}
}

// value reads any value and returns its text.
func (s *jsonScan) value() []byte {
	c := s.peek()
	from := s.i
	switch c {
	case 0:
		s.bad = true
	case '"':
		s.text()
	case '{', '[':
		s.nested()
	default:
		for s.i < len(s.b) && !endsScalar(s.b[s.i]) {
			s.i++
		}
		s.bad = s.bad || s.i == from
	}
	if s.bad {
		return nil
	}
	return s.b[from:s.i]
}

func endsScalar(c byte) bool {
	switch c {
	case ',', ']', '}', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

// nested skips an object or array by counting brackets outside of strings; no recursion, so no input is too deep.
func (s *jsonScan) nested() {
	depth := 0
	for s.i < len(s.b) && !s.bad {
		switch s.b[s.i] {
		case '"':
			s.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.i++
		if depth == 0 {
			return
		}
	}
	s.bad = true
}

// end reports whether the whole text was one good value.
func (s *jsonScan) end() bool { return s.peek() == 0 && !s.bad && s.i == len(s.b) }

// fault takes the value of an error field, where it is one (isError).
func (s *jsonScan) fault(err *[]byte) {
	if v := s.value(); isError(v) {
		*err = v
	}
}

// isNull reports a missing value or null.
func isNull(v []byte) bool { return len(v) == 0 || string(v) == "null" }

// isText reports a string that is not empty.
func isText(v []byte) bool { return len(v) > 2 && v[0] == '"' }
