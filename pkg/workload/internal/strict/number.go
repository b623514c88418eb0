package strict

import (
	"regexp"
	"strconv"
	"strings"
)

// decimalForm is a number as YAML 1.2 (core schema, 10.3.2) and JSON write it; wholeForm one without a fraction. What
// other versions of YAML read as octal, or skip an underscore in, is neither.
var (
	decimalForm = regexp.MustCompile(`^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	wholeForm   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
)

// readNumber makes a number of a text that is one, and reports whether it is. A whole number beyond 64 bits is a float.
func (n *node) readNumber() bool {
	if !decimalForm.MatchString(n.text) {
		return false
	}
	if wholeForm.MatchString(n.text) {
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			n.kind, n.value = integer, i
			return true
		}
		if u, err := strconv.ParseUint(strings.TrimPrefix(n.text, "+"), 10, 64); err == nil {
			n.kind, n.value = integer, u
			return true
		}
	}
	f, _ := strconv.ParseFloat(n.text, 64) // beyond the range it is infinite, which checkNumber reports
	n.kind, n.value = float, f
	return true
}

// isTooLarge reports whether a number is a whole one beyond 64 bits.
func (n *node) isTooLarge() bool { return n.kind == float && wholeForm.MatchString(n.text) }

// float is the value of a number.
func (n *node) float() (float64, bool) {
	switch v := n.value.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// tooLarge says that a number does not fit into its type.
func (n *node) tooLarge(r rule) (problem, remedy string) {
	if r.max != nil {
		return n.text + " is out of range", "give " + r.span()
	}
	return n.text + " is out of range", "give a smaller number"
}
