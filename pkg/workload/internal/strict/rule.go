package strict

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is what a field's jsonschema tag asks of its value. Only the words below have a meaning here; invopop/jsonschema
// reads the same tag for the schema.
type rule struct {
	required    bool
	unless      string // the field beside it that makes it not required
	fallback    string // default: what an absent field gets
	hasFallback bool
	example     string
	hint        string // what a pattern asks for, in words
	enum        []string
	pattern     *regexp.Regexp
	minLength   int
	minItems    int
	min, max    *bound
}

// bound is a limit of a number.
type bound struct {
	value     float64
	exclusive bool
	text      string
}

// field is a field of a struct with its name in the file.
type field struct {
	name  string
	index int
	rule  rule
}

// fieldsOf lists the fields of a struct type that the file may have.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			fields = append(fields, field{name, i, parseRule(f.Tag.Get("jsonschema"))})
		}
	}
	return fields
}

// parseRule reads a tag such as "required,minimum=1,example=30s". A tag that cannot be read is a mistake in the
// program, and panics.
func parseRule(tag string) rule {
	var r rule
	if tag == "" {
		return r
	}
	for _, word := range strings.Split(tag, ",") {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "required":
			r.required = true
		case "requiredUnless":
			r.required, r.unless = true, value
		case "default":
			r.fallback, r.hasFallback = value, true
		case "example":
			r.example = value
		case "hint":
			r.hint = value
		case "enum":
			r.enum = append(r.enum, value)
		case "pattern":
			r.pattern = regexp.MustCompile(value)
		case "minLength":
			r.minLength = int(number(value))
		case "minItems":
			r.minItems = int(number(value))
		case "minimum", "exclusiveMinimum":
			r.min = &bound{number(value), key != "minimum", value}
		case "maximum", "exclusiveMaximum":
			r.max = &bound{number(value), key != "maximum", value}
		default:
			panic(fmt.Sprintf("jsonschema tag %q: no rule %q", tag, key))
		}
	}
	return r
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("jsonschema tag: " + err.Error())
	}
	return v
}

// ofItems is the rule for the items of a list, as invopop/jsonschema understands it too.
func (r rule) ofItems() rule {
	r.required, r.unless, r.minItems, r.hasFallback = false, "", 0, false
	return r
}

// checkText reports a text that breaks the rule.
func (r *rule) checkText(p Place, s string) {
	switch {
	case len(s) < r.minLength || s == "" && (len(r.enum) > 0 || r.pattern != nil):
		p.Mistake("empty", r.advice())
	case len(r.enum) > 0 && !slices.Contains(r.enum, s):
		remedy := DidYouMean(s, r.enum, "write")
		if len(r.enum) == 1 {
			remedy = "write " + r.enum[0]
		} else if strings.HasPrefix(remedy, "write") {
			remedy = "write one of " + strings.Join(r.enum, ", ")
		}
		p.Mistake(fmt.Sprintf("%s is not known", Quote(s)), remedy)
	case r.pattern != nil && !r.pattern.MatchString(s):
		p.Mistake(Quote(s)+" has the wrong form", r.advice())
	}
}

// checkNumber reports a number that breaks the rule. s is how it is written.
func (r *rule) checkNumber(p Place, v float64, s string) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		p.Mistake(s+" is no finite number", "give "+r.span())
	case r.min != nil && (v < r.min.value || r.min.exclusive && v == r.min.value),
		r.max != nil && (v > r.max.value || r.max.exclusive && v == r.max.value):
		p.Mistake(s+" is out of range", "give "+r.span())
	}
}

// span says which numbers are allowed.
func (r *rule) span() string {
	text := "a finite number"
	switch low, high := r.min, r.max; {
	case low != nil && high != nil && !low.exclusive && !high.exclusive:
		text = low.text + " to " + high.text
	case low != nil && high != nil:
		text = low.from() + " and " + high.to()
	case low != nil:
		text = low.from()
	case high != nil:
		text = high.to()
	}
	if r.example != "" {
		text += ", such as " + r.example
	}
	return text
}

// from says what a lower bound asks for.
func (b *bound) from() string {
	if b.exclusive {
		return "more than " + b.text
	}
	return b.text + " or more"
}

// to says what an upper bound asks for.
func (b *bound) to() string {
	if b.exclusive {
		return "less than " + b.text
	}
	return "at most " + b.text
}

// advice says what to write, for a field that is missing, empty or of another form.
func (r *rule) advice() string {
	switch {
	case len(r.enum) > 0:
		return "write one of " + strings.Join(r.enum, ", ")
	case r.hint != "":
		return r.hint + ", such as " + r.example
	case r.example != "":
		return "write something such as " + r.example
	}
	return "give a value, or remove the line"
}
