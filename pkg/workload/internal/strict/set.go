package strict

import (
	"fmt"
	"slices"
	"strconv"
)

// Set puts a value, written in YAML, at a path, as a flag of the command line asks. Groups on the way that are not there
// are made; an item of a list is named by its index, or by its field name. Mistakes, now and later, name the flag.
func (d *Document) Set(path, value, flag string) {
	at := position{flag: flag}
	steps, ok := splitPath(path)
	if !ok || len(steps) == 0 {
		d.report(at, "", fmt.Sprintf("%s is no path", Quote(path)), "write the fields with dots between them, such as arrivals.rate or approaches[0].url")
		return
	}
	if d.root == nil {
		return // no YAML: that is reported
	}
	slot, done := &d.root, ""
	for i, s := range steps {
		if s.bracket {
			slot = d.item(*slot, s.text, done, at)
			done += "[" + s.text + "]"
		} else {
			slot = d.field(slot, s.text, done, at)
			done = join(done, s.text)
		}
		if slot == nil {
			return
		}
		if last := i == len(steps)-1; last {
			d.fill(slot, value, at)
		}
	}
}

// Reject reports a flag that asks for nothing that could be done.
func (d *Document) Reject(flag, problem, remedy string) {
	d.report(position{flag: flag}, "", problem, remedy)
}

// fill makes the node of a value. What is no YAML is taken as a text.
func (d *Document) fill(slot **node, value string, at position) {
	probe := &Document{}
	n := &node{kind: text, text: value, value: value}
	if file := probe.parse(value, at); file != nil && len(file.Docs) == 1 {
		c := &converter{doc: probe, anchors: map[string]*node{}, budget: maxNodes, at: at}
		if made := c.node(file.Docs[0].Body, ""); len(probe.mistakes) == 0 {
			n = made
		}
	}
	if n.position = at; n.kind != text {
		n.text = value
	}
	*slot = n
}

// field finds the value of a key in a group, or makes it.
func (d *Document) field(slot **node, key, path string, at position) **node {
	n := *slot
	if n.kind == null {
		n = &node{kind: mapping, position: at}
		*slot = n
	}
	switch {
	case n.kind == sequence:
		d.report(at, path, "a list", fmt.Sprintf("write %s[0].%s; approaches may be named: approaches[NAME].%s", path, key, key))
		return nil
	case n.kind != mapping:
		d.report(at, join(path, key), fmt.Sprintf("%s holds %s, no fields", path, Quote(n.text)), "set the field itself: "+path+"=...")
		return nil
	}
	e := n.find(key)
	if e == nil {
		n.entries = append(n.entries, entry{key: key, position: at, value: &node{position: at}})
		e = n.find(key)
	}
	e.position = at
	return &e.value
}

// item finds an item of a list by its index or by its name.
func (d *Document) item(list *node, name, path string, at position) **node {
	field := path + "[" + name + "]"
	if list.kind != sequence {
		d.report(at, field, path+" is no list", "set the field itself: "+path+"=...")
		return nil
	}
	var names []string
	for i := range list.items {
		if list.items[i].name() == name {
			return &list.items[i].value
		}
		if n := list.items[i].name(); n != "" {
			names = append(names, n)
		}
	}
	i, err := strconv.Atoi(name)
	switch {
	case err == nil && i >= 0 && i < len(list.items):
		return &list.items[i].value
	case err == nil:
		d.report(at, field, fmt.Sprintf("%s has %d items", path, len(list.items)), fmt.Sprintf("indices run from 0 to %d", len(list.items)-1))
	default:
		d.report(at, field, fmt.Sprintf("there is none named %s", Quote(name)), DidYouMean(name, names, "the names are"))
	}
	return nil
}

// name is an item's field name, if it has one.
func (i item) name() string {
	if e := i.value.find("name"); e != nil && e.value.kind == text {
		return e.value.text
	}
	return ""
}

// Keep takes all items out of a list but those with one of these names.
func (d *Document) Keep(path string, names []string, flag string) {
	list := d.At(path).node
	if list == nil || list.kind != sequence {
		return // Decode reports what is there instead
	}
	var have []string
	for _, i := range list.items {
		have = append(have, i.name())
	}
	sound := true
	for _, name := range names {
		if !slices.Contains(have, name) || name == "" {
			d.report(position{flag: flag}, path+"["+name+"]", fmt.Sprintf("there is none named %s", Quote(name)), DidYouMean(name, have, "the names are"))
			sound = false
		}
	}
	if sound {
		list.items = slices.DeleteFunc(list.items, func(i item) bool { return !slices.Contains(names, i.name()) })
	}
}
