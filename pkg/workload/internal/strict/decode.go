package strict

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode fills the struct that v points to, by the yaml tags of its fields, and reports what does not fit. Fields that
// the document does not have get the default of their jsonschema tag. A field that is not sound (Place.Sound) is left
// as it was.
//
// A type may read its own text by encoding.TextUnmarshaler; an error that has methods Problem and Remedy is reported in
// those two parts.
func (d *Document) Decode(v any) {
	if d.root == nil {
		return
	}
	target := reflect.ValueOf(v).Elem()
	dec := decoder{top: target.Type()}
	dec.value(d.At(""), target, rule{})
}

type decoder struct {
	top reflect.Type
}

// value decodes one value. The place is there.
func (d *decoder) value(p Place, v reflect.Value, r rule) {
	if v.Kind() == reflect.Interface {
		if found := anything(p, p.node); found != nil {
			v.Set(reflect.ValueOf(found))
		}
		return
	}
	if p.node.kind == null {
		p.Mistake("empty", d.emptyRemedy(p, v.Type(), r))
		return
	}
	if v.Kind() == reflect.Pointer {
		made := reflect.New(v.Type().Elem())
		d.value(p, made.Elem(), r)
		v.Set(made)
		return
	}
	if reader, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(p, v, reader, r)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.group(p, v)
	case reflect.Slice, reflect.Array:
		d.list(p, v, r)
	case reflect.Map:
		d.dictionary(p, v)
	default:
		d.scalar(p, v, r)
	}
}

func (d *decoder) emptyRemedy(p Place, t reflect.Type, r rule) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reader, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok && r.example == "" {
		_, remedy := r.parts(reader.UnmarshalText(nil))
		return remedy
	}
	if t.Kind() == reflect.Struct && t.NumField() == 0 {
		key := p.path[strings.LastIndexByte(p.path, '.')+1:]
		return fmt.Sprintf("write `%s: {}`", key)
	}
	if t.Kind() == reflect.Struct {
		return "write its fields below it, indented: " + strings.Join(names(fieldsOf(t)), ", ")
	}
	return r.advice()
}

// text decodes a value that reads its own text.
func (d *decoder) text(p Place, v reflect.Value, reader encoding.TextUnmarshaler, r rule) {
	written := p.node.text
	if !p.node.isScalar() && p.node.flag == "" {
		_, remedy := r.parts(reader.UnmarshalText(nil)) // which says what a text should look like
		p.Mistake(p.node.describe(), remedy)
		return
	}
	if err := reader.UnmarshalText([]byte(written)); err != nil {
		p.Mistake(r.parts(err))
		return
	}
	switch {
	case v.CanInt():
		r.checkNumber(p, float64(v.Int()), written)
	case v.CanFloat():
		r.checkNumber(p, v.Float(), written)
	}
}

// parts are the problem and the remedy of an error.
func (r *rule) parts(err error) (problem, remedy string) {
	var parts interface {
		error
		Problem() string
		Remedy() string
	}
	switch {
	case errors.As(err, &parts):
		return parts.Problem(), parts.Remedy()
	case err != nil:
		return err.Error(), r.advice()
	}
	return "", r.advice()
}

// group decodes a mapping into a struct, or only fills in defaults where there is none.
func (d *decoder) group(p Place, v reflect.Value) {
	fields := fieldsOf(v.Type())
	if p.node != nil && p.node.kind != mapping {
		p.Mistake(p.node.describe(), "write a group of fields: "+strings.Join(names(fields), ", "))
		return
	}
	var meant []string
	if p.node != nil {
		meant = d.unknown(p, fields)
	}
	for _, f := range fields {
		child, target := p.Field(f.name), v.Field(f.index)
		switch {
		case child.Present():
			d.value(child, target, f.rule)
		case slices.Contains(meant, f.name): // it is there, under a wrong name
		case f.rule.required && p.Present() && (f.rule.unless == "" || !p.Field(f.rule.unless).Present()):
			child.Mistake("missing", missingRemedy(f, target.Type()))
		case f.rule.hasFallback:
			fillIn(target, f.rule.fallback)
		case target.Kind() == reflect.Struct:
			d.group(child, target)
		}
	}
}

func missingRemedy(f field, t reflect.Type) string {
	switch {
	case f.rule.example != "":
		return fmt.Sprintf("add it, such as `%s: %s`", f.name, f.rule.example)
	case len(f.rule.enum) > 0:
		return fmt.Sprintf("add `%s:` with one of %s", f.name, strings.Join(f.rule.enum, ", "))
	case t.Kind() == reflect.Struct:
		return fmt.Sprintf("add `%s:` with its fields: %s", f.name, strings.Join(names(fieldsOf(t)), ", "))
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return fmt.Sprintf("add `%s:` with a list below it, each item beginning with - and having fields: %s", f.name, strings.Join(names(fieldsOf(t.Elem())), ", "))
	}
	return fmt.Sprintf("add `%s:`", f.name)
}

// unknown reports the keys that no field has, and returns the fields that were probably meant.
func (d *decoder) unknown(p Place, fields []field) (meant []string) {
	known := names(fields)
	for _, e := range p.node.entries {
		if slices.Contains(known, e.key) {
			continue
		}
		remedy := DidYouMean(e.key, known, "the fields here are")
		if name, ok := nearest(e.key, known); ok {
			meant = append(meant, name)
		} else if elsewhere := find(d.top, e.key, "", 0); elsewhere != "" {
			remedy = fmt.Sprintf("it belongs in `%s`; %s", elsewhere, remedy)
		}
		p.doc.report(e.position, join(p.path, e.key), "no such field", remedy)
	}
	return meant
}

// find is the path of a field of this name anywhere below a type, the nearest to the top.
func find(t reflect.Type, name, path string, depth int) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			path += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth > 8 {
		return ""
	}
	best := ""
	for _, f := range fieldsOf(t) {
		at := join(path, f.name)
		if f.name == name {
			return at
		}
		below := find(t.Field(f.index).Type, name, at, depth+1)
		if below != "" && (best == "" || strings.Count(below, ".") < strings.Count(best, ".")) {
			best = below
		}
	}
	return best
}

// list decodes a sequence.
func (d *decoder) list(p Place, v reflect.Value, r rule) {
	n := p.Len()
	switch {
	case p.node.kind != sequence:
		p.Mistake(p.node.describe(), "write a list: one line for each item, beginning with -")
		return
	case v.Kind() == reflect.Array && n != v.Len():
		p.Mistake(fmt.Sprintf("%d items", n), fmt.Sprintf("give %d", v.Len()))
		return
	case n < r.minItems:
		remedy := "give at least one item"
		if !r.required {
			remedy += ", or remove the line"
		}
		p.Mistake("an empty list", remedy)
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	}
	for i := range n {
		d.value(p.Item(i), v.Index(i), r.ofItems())
	}
}

// dictionary decodes a mapping with keys of the writer's choice.
func (d *decoder) dictionary(p Place, v reflect.Value) {
	if p.node.kind != mapping {
		p.Mistake(p.node.describe(), "write a group of `name: value` lines")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, key := range p.Keys() {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(p.Field(key), value, rule{})
		v.SetMapIndex(reflect.ValueOf(key), value)
	}
}

// scalar decodes a number, a text or a bool.
func (d *decoder) scalar(p Place, v reflect.Value, r rule) {
	n := p.node
	wrong := func(want string) { p.Mistake(n.describe(), want) }
	switch {
	case v.Kind() == reflect.String:
		if n.kind != text && n.flag == "" {
			if n.isScalar() {
				wrong(fmt.Sprintf("put it in quotes: %s", strconv.Quote(n.text)))
			} else {
				wrong("write a text")
			}
			return
		}
		v.SetString(n.text)
		r.checkText(p, n.text)
	case v.Kind() == reflect.Bool:
		if n.kind != boolean {
			wrong("write true or false")
			return
		}
		v.SetBool(n.value.(bool))
	case v.CanFloat():
		f, ok := n.float()
		if !ok {
			p.Mistake(n.noNumber("write a number: " + r.span()))
			return
		}
		v.SetFloat(f)
		r.checkNumber(p, f, n.text)
	default:
		d.whole(p, v, r)
	}
}

// whole decodes a whole number.
func (d *decoder) whole(p Place, v reflect.Value, r rule) {
	n := p.node
	f, isNumber := n.float()
	switch {
	case !isNumber:
		p.Mistake(n.noNumber("write a whole number"))
	case n.kind == integer && setWhole(v, n.value):
		r.checkNumber(p, f, n.text)
	case n.kind == float && !n.isTooLarge():
		p.Mistake(n.text+" is no whole number", "give a whole number")
	case f < 0:
		p.Mistake(n.text+" is out of range", "give "+r.span())
	default:
		p.Mistake(n.tooLarge(r))
	}
}

// setWhole sets a variable to an int64, or to a uint64 beyond those, and reports whether it fits.
func setWhole(v reflect.Value, value any) bool {
	i, small := value.(int64)
	u, _ := value.(uint64)
	switch {
	case v.CanInt() && small && !v.OverflowInt(i):
		v.SetInt(i)
	case v.CanUint() && small && i >= 0 && !v.OverflowUint(uint64(i)):
		v.SetUint(uint64(i))
	case v.CanUint() && !small && !v.OverflowUint(u):
		v.SetUint(u)
	default:
		return false
	}
	return true
}

// noNumber says what is wrong where a number should be, and what to do.
func (n *node) noNumber(remedy string) (problem, advice string) {
	if n.kind == text && n.quoted && decimalForm.MatchString(n.text) {
		remedy = "remove the quotes"
	}
	return n.describe(), remedy
}

// anything is a value of any type: nil, bool, int64, uint64, float64, string, []any or map[string]any.
func anything(p Place, n *node) any {
	switch n.kind {
	case sequence:
		list := make([]any, len(n.items))
		for i := range list {
			child := p.Item(i)
			list[i] = anything(child, child.node)
		}
		return list
	case mapping:
		group := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			child := p.Field(e.key)
			group[e.key] = anything(child, child.node)
		}
		return group
	case float:
		if n.isTooLarge() {
			p.Mistake(n.tooLarge(rule{}))
		}
		(&rule{}).checkNumber(p, n.value.(float64), n.text)
	}
	return n.value
}

// fillIn sets a field to the default of its tag. A default that does not fit is a mistake in the program, and panics.
func fillIn(v reflect.Value, fallback string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	var err error
	if reader, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		err = reader.UnmarshalText([]byte(fallback))
	} else {
		_, err = fmt.Sscan(fallback, v.Addr().Interface())
	}
	if err != nil {
		panic(fmt.Sprintf("jsonschema tag: default %q: %v", fallback, err))
	}
}

func names(fields []field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.name)
	}
	return all
}
