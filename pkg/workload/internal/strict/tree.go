package strict

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Mistake is one thing wrong with a document.
type Mistake struct {
	// Line and Column are where it stands, from 1; 0 where it stands in a flag.
	Line, Column int
	// Flag is the command line flag that brought it in; empty where it stands in the file.
	Flag string
	// Field is the path of the field: approaches[1].url. Empty where the text is no YAML.
	Field string
	// Problem says what was found, Remedy what to do.
	Problem, Remedy string
	// Source is the line as it is written, without its end.
	Source string
}

// Document is a YAML document with the mistakes found in it so far.
type Document struct {
	root     *node
	lines    []string
	mistakes []Mistake
}

// Mistakes returns what was found, in the order of the file; mistakes in flags come last.
func (d *Document) Mistakes() []Mistake {
	sorted := slices.Clone(d.mistakes)
	slices.SortStableFunc(sorted, func(a, b Mistake) int {
		if a.Flag == "" || b.Flag == "" {
			return cmp.Or(strings.Compare(a.Flag, b.Flag), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		}
		return 0
	})
	return sorted
}

// report adds a mistake, unless one at the same field is known already: the first says what is wrong.
func (d *Document) report(at position, field, problem, remedy string) {
	for _, m := range d.mistakes {
		if m.Field == field && (field != "" || m.Problem == problem) {
			return
		}
	}
	m := Mistake{Flag: at.flag, Field: field, Problem: problem, Remedy: remedy}
	if at.flag == "" {
		m.Line, m.Column = at.line, at.column
		m.Source = d.line(at.line)
	}
	d.mistakes = append(d.mistakes, m)
}

// line returns a line of the file by its number.
func (d *Document) line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}

// sound reports whether no mistake is known at the field or below it.
func (d *Document) sound(field string) bool {
	return !slices.ContainsFunc(d.mistakes, func(m Mistake) bool {
		rest, below := strings.CutPrefix(m.Field, field)
		return below && (rest == "" || rest[0] == '.' || rest[0] == '[' || field == "")
	})
}

// position is where a node stands.
type position struct {
	line, column int
	flag         string
}

// kind is what a node is.
type kind int

const (
	null kind = iota
	boolean
	integer
	float
	text
	sequence
	mapping
)

// node is a value of the document.
type node struct {
	kind kind
	position
	quoted  bool    // a text that stands in quotes
	text    string  // of a scalar, without quotes; of a value given by a flag, whatever it is, as it was given
	value   any     // of a scalar: nil, bool, int64, uint64, float64 or string
	entries []entry // of a mapping
	items   []item  // of a sequence
}

// entry is a key of a mapping with its value.
type entry struct {
	key string
	position
	value *node
}

// item is a value of a sequence. Its index is the one in the file, whatever was taken out since.
type item struct {
	index int
	value *node
}

func (n *node) isScalar() bool { return n.kind < sequence }

// find returns the entry of a key, or nil.
func (n *node) find(key string) *entry {
	if n == nil || n.kind != mapping {
		return nil
	}
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// describe says what a node is, for a message.
func (n *node) describe() string {
	switch n.kind {
	case null:
		return "nothing"
	case boolean:
		return n.text + " is true or false"
	case integer, float:
		return n.text + " is a number"
	case text:
		return Quote(n.text) + " is text"
	case sequence:
		return "a list"
	}
	return "a group of fields"
}

// Quote quotes a text, cut to a length that keeps a message readable.
func Quote(s string) string {
	const limit = 60
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "..."
	}
	return strconv.Quote(s)
}
