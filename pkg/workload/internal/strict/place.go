package strict

import (
	"fmt"
	"strconv"
	"strings"
)

// Place is a field of a document, whether or not it is there. Mistakes found in decoded values are reported at it.
type Place struct {
	doc  *Document
	node *node    // nil where the document does not have the field
	path string   // of the field
	at   position // where to point: at the value of a scalar, else at its key
}

// At returns the place of a field, such as approaches[1].url. The empty path is the whole document.
func (d *Document) At(path string) Place {
	p := Place{doc: d, node: d.root}
	if d.root != nil {
		p.at = d.root.position
	}
	segments, ok := splitPath(path)
	if !ok {
		return Place{doc: d, path: path, at: p.at}
	}
	for _, s := range segments {
		switch i, err := strconv.Atoi(s.text); {
		case !s.bracket:
			p = p.Field(s.text)
		case err == nil:
			p = p.Item(i)
		default:
			p = Place{doc: d, path: path, at: p.at}
		}
	}
	return p
}

// Field returns the place of a field of a group.
func (p Place) Field(key string) Place {
	child := Place{doc: p.doc, path: join(p.path, key), at: p.at}
	if e := p.node.find(key); e != nil {
		child.node, child.at = e.value, e.position
		if e.value.isScalar() && e.value.kind != null {
			child.at = e.value.position
		}
	}
	return child
}

// Item returns the place of an item of a list, by its position in the list as it stands. Its path has the index that
// the item has in the file.
func (p Place) Item(i int) Place {
	child := Place{doc: p.doc, path: fmt.Sprintf("%s[%d]", p.path, i), at: p.at}
	if p.node != nil && i >= 0 && i < len(p.node.items) {
		it := p.node.items[i]
		child.path = fmt.Sprintf("%s[%d]", p.path, it.index)
		child.node, child.at = it.value, it.value.position
	}
	return child
}

// Path is the path of the field.
func (p Place) Path() string { return p.path }

// Present reports whether the document has the field.
func (p Place) Present() bool { return p.node != nil }

// Sound reports whether the document has the field and no mistake is known at it or below it: whether its decoded
// value can be relied on.
func (p Place) Sound() bool { return p.node != nil && p.doc.sound(p.path) }

// Len is the number of items of a list; 0 for anything else.
func (p Place) Len() int {
	if p.node == nil {
		return 0
	}
	return len(p.node.items)
}

// Keys are the keys of a group in the order of the document; none for anything else.
func (p Place) Keys() []string {
	var keys []string
	if p.node != nil {
		for _, e := range p.node.entries {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// Text is a scalar as it is written, without its quotes; empty for anything else.
func (p Place) Text() string {
	if p.node == nil || !p.node.isScalar() {
		return ""
	}
	return p.node.text
}

// Replace puts a text in the place of a scalar.
func (p Place) Replace(s string) {
	if p.node != nil && p.node.isScalar() {
		p.node.kind, p.node.text, p.node.value = text, s, s
	}
}

// Mistake reports a mistake at the place. Only the first at each place is kept.
func (p Place) Mistake(problem, remedy string) { p.doc.report(p.at, p.path, problem, remedy) }

// segment is a step of a path: a key, or what stands in brackets.
type segment struct {
	text    string
	bracket bool
}

// splitPath cuts a path such as approaches[edge].simulate.slots into its steps.
func splitPath(path string) ([]segment, bool) {
	var steps []segment
	rest := path
	for rest != "" {
		if rest[0] == '[' {
			inner, after, found := strings.Cut(rest[1:], "]")
			if !found || inner == "" || len(steps) == 0 {
				return nil, false
			}
			steps, rest = append(steps, segment{inner, true}), after
			if rest != "" && rest[0] != '.' && rest[0] != '[' {
				return nil, false
			}
			continue
		}
		if len(steps) > 0 {
			rest = rest[1:] // the dot
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, false
		}
		steps, rest = append(steps, segment{rest[:end], false}), rest[end:]
	}
	return steps, true
}
