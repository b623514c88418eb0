package strict

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// sample has a field of every kind that Decode knows.
type sample struct {
	Text    string            `yaml:"text"`
	Kind    string            `yaml:"kind" jsonschema:"enum=small,enum=large,default=small"`
	Word    string            `yaml:"word" jsonschema:"pattern=^[a-z]+$,hint=use small letters,example=word"`
	Flag    bool              `yaml:"flag"`
	Count   int8              `yaml:"count" jsonschema:"maximum=100"`
	Size    uint              `yaml:"size"`
	Share   float64           `yaml:"share" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	Load    float64           `yaml:"load" jsonschema:"maximum=2"`
	Address netip.Addr        `yaml:"address" jsonschema:"example=127.0.0.1"`
	Pair    [2]int            `yaml:"pair" jsonschema:"minimum=1"`
	List    []string          `yaml:"list" jsonschema:"minItems=1"`
	Map     map[string]string `yaml:"map"`
	Any     any               `yaml:"any"`
	Group   *group            `yaml:"group"`
	Groups  []group           `yaml:"groups"`
	Hidden  string            `yaml:"-"`
}

type group struct {
	Name string  `yaml:"name" jsonschema:"required"`
	Mode string  `yaml:"mode" jsonschema:"required,enum=on,enum=off"`
	Size *int    `yaml:"size" jsonschema:"default=3"`
	Rest *sample `yaml:"rest"`
}

// decode reads a text; the mistakes are one line each.
func decode(text string) (sample, []string) {
	d := Read([]byte(text))
	var s sample
	d.Decode(&s)
	var all []string
	for _, m := range d.Mistakes() {
		all = append(all, fmt.Sprintf("%d:%d %s: %s: %s", m.Line, m.Column, m.Field, m.Problem, m.Remedy))
	}
	return s, all
}

func TestDecode(t *testing.T) {
	const text = `text: |
  two
  lines
kind: large
word: "abc"
flag: true
count: -5
size: 7
share: 5e-1
load: -1
address: ::1
pair: [1, 2]
list: ["7", 'true', plain]
map: {a b: c, 7: seven, true: yes, 1.5: x}
any: [null, true, 7, -7, 18446744073709551615, 1.5, text, {a: {b: []}}]
group: {name: one, mode: "on"}
groups:
  - name: two
    mode: "off"
    size: 4
    rest: {flag: true}
`
	got, mistakes := decode(text)
	want := sample{Text: "two\nlines\n", Kind: "large", Word: "abc", Flag: true, Count: -5, Size: 7, Share: 0.5, Load: -1, Address: netip.MustParseAddr("::1"),
		Pair: [2]int{1, 2}, List: []string{"7", "true", "plain"}, Map: map[string]string{"a b": "c", "7": "seven", "true": "yes", "1.5": "x"},
		Any:    []any{nil, true, int64(7), int64(-7), uint64(1<<64 - 1), 1.5, "text", map[string]any{"a": map[string]any{"b": []any{}}}},
		Group:  &group{Name: "one", Mode: "on", Size: pointer(3)},
		Groups: []group{{Name: "two", Mode: "off", Size: pointer(4), Rest: &sample{Flag: true, Kind: "small"}}}}
	if len(mistakes) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v\n%s", got, want, strings.Join(mistakes, "\n"))
	}
}

func pointer[T any](v T) *T { return &v }

// TestDecodeMistakes: each text has the mistakes that are listed, and no other.
func TestDecodeMistakes(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"1:1 : the file holds nothing: begin with a line such as name: my-scenario"}},
		{"a directive alone", "%YAML 1.2\n---\n", []string{"1:1 : the file holds nothing: begin with a line such as name: my-scenario"}},
		{"an address", "address: here", []string{"1:10 address: ParseAddr(\"here\"): unable to parse IP: write something such as 127.0.0.1"}},
		{"a list for an address", "address: [a]", []string{"1:1 address: a list: write something such as 127.0.0.1"}},
		{"too large for its type", "count: 200", []string{"1:8 count: 200 is out of range: give at most 100"}},
		{"too large for any type", "count: 99999999999999999999", []string{"1:8 count: 99999999999999999999 is out of range: give at most 100"}},
		{"too large for its type, whole", "count: 9223372036854775808", []string{"1:8 count: 9223372036854775808 is out of range: give at most 100"}},
		{"too small for any type", "count: -99999999999999999999", []string{"1:8 count: -99999999999999999999 is out of range: give at most 100"}},
		{"below zero", "size: -1", []string{"1:7 size: -1 is out of range: give a finite number"}},
		{"bounds that are excluded", "share: 1", []string{"1:8 share: 1 is out of range: give more than 0 and less than 1"}},
		{"an upper bound", "load: 3", []string{"1:7 load: 3 is out of range: give at most 2"}},
		{"text for a number", "load: heavy", []string{`1:7 load: "heavy" is text: write a number: at most 2`}},
		{"an item of an array", "pair: [0, 1]", []string{"1:8 pair[0]: 0 is out of range: give 1 or more"}},
		{"an array that is too short", "pair: [1]", []string{"1:1 pair: 1 items: give 2"}},
		{"an empty list", "list: []", []string{"1:1 list: an empty list: give at least one item, or remove the line"}},
		{"a list of nothing", "list: [a, ]\nflag: 1", []string{"2:7 flag: 1 is a number: write true or false"}},
		{"empty items", "list:\n  -\n  - a", []string{"2:4 list[0]: empty: give a value, or remove the line"}},
		{"an empty group", "group:", []string{"1:1 group: empty: write its fields below it, indented: name, mode, size, rest"}},
		{"an empty word", "word: ''", []string{"1:7 word: empty: use small letters, such as word"}},
		{"an empty choice", "kind: ''", []string{"1:7 kind: empty: write one of small, large"}},
		{"missing fields", "group: {size: 1}", []string{"1:1 group.name: missing: add `name:`", "1:1 group.mode: missing: add `mode:` with one of on, off"}},
		{"a field of another group", "mode: on", []string{"1:1 mode: no such field: it belongs in `group.mode`; the fields here are text, kind, word, flag, count, size, share, load, address, pair, list, map, any, group, groups"}},
		{"a hidden field", "hidden: x", []string{"1:1 hidden: no such field: the fields here are text, kind, word, flag, count, size, share, load, address, pair, list, map, any, group, groups"}},
		{"octal, or not", "any: {a: 010}\nsize: 0777", []string{
			"1:10 any.a: 010 can be read in more than one way: write a decimal number without leading zeros and without _; or put a text in quotes",
			"2:7 size: 0777 can be read in more than one way: write a decimal number without leading zeros and without _; or put a text in quotes"}},
		{"no decimal", "size: 0x10", []string{"1:7 size: 0x10 can be read in more than one way: write a decimal number without leading zeros and without _; or put a text in quotes"}},
		{"underscores", "share: 0_0.5", []string{"1:8 share: 0_0.5 can be read in more than one way: write a decimal number without leading zeros and without _; or put a text in quotes"}},
		{"beyond any float", "load: 1e999", []string{"1:7 load: 1e999 is no finite number: give at most 2"}},
		{"beyond 64 bits in a body", "any: 18446744073709551616", []string{"1:6 any: 18446744073709551616 is out of range: give a smaller number"}},
		{"a whole number with an exponent", "size: 1e3", []string{"1:7 size: 1e3 is no whole number: give a whole number"}},
		{"a number in quotes", "size: '7'\nshare: \"0.5\"", []string{`1:7 size: "7" is text: remove the quotes`, `2:8 share: "0.5" is text: remove the quotes`}},
		{"a bad number anywhere", "any: {a: [.inf]}", []string{"1:11 any.a[0]: .inf is no finite number: give a finite number"}},
		{"an empty literal", "word: |\nflag: 1", []string{"1:7 word: empty: use small letters, such as word", "2:7 flag: 1 is a number: write true or false"}},
		{"a tag", "text: !!binary aGk=", []string{"1:7 text: !!binary has no meaning here: write plain values, lists and groups; put a text with a special first character in quotes"}},
		{"nothing as a key", "~: c\n", []string{"1:1 : this cannot be a key: write a plain word before the colon"}},
		{"an alias of itself", "any: &a [*a]", []string{"1:10 any[0]: there is no anchor &a before this line: write the value out, or put &a before the one that it should repeat"}},
		{"a merge of a text", "text: &t x\ngroup: {<<: *t, name: a, mode: on}", []string{"2:13 group.<<: << merges groups of fields only: name an anchor that stands before a group, such as <<: *common"}},
		{"a merge of texts", "group: {<<: [a], name: a, mode: on}", []string{"1:13 group.<<: << merges groups of fields only: name an anchor that stands before a group, such as <<: *common"}},
		{"too long", "list:\n" + strings.Repeat("- a\n", maxItems+1), []string{fmt.Sprintf("%d:1 : this is nested too deeply or too long: keep long lists in a dataset or a trace of their own", maxItems+2)}},
		{"too many keys", strings.Repeat("a: b\n", maxKeys+1), []string{fmt.Sprintf("%d:2 : this is nested too deeply or too long: keep long lists in a dataset or a trace of their own", maxKeys+1)}},
		{"a byte that is no text", "text: a\nword: caf\xe9", []string{"2:10 : a byte here is no UTF-8 text: save the file as UTF-8"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, got := decode(c.text); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		})
	}
}

// TestMerge: what is written wins over what is merged, the first that is merged over the second.
func TestMerge(t *testing.T) {
	for _, text := range []string{
		"any: {a: &a {size: 1, mode: \"on\"}, b: &b {mode: \"off\", name: b}}\ngroup: {<<: [*a, *b], size: 2}",
		"any: {a: &a {size: 1, mode: \"on\"}, b: &b {mode: \"off\", name: b}}\ngroup:\n  <<: [*a, *b]\n  size: 2",
		"any: [&a {size: 2, mode: \"on\"}]\ngroup: {<<: *a, name: b}",
	} {
		got, mistakes := decode(text)
		if want := (group{Name: "b", Mode: "on", Size: pointer(2)}); len(mistakes) > 0 || got.Group == nil || !reflect.DeepEqual(*got.Group, want) {
			t.Errorf("%+v, %s, want %+v", got.Group, mistakes, want)
		}
	}
}

// TestTagsThatCannotBeRead: a mistake in the program shows at once.
func TestTagsThatCannotBeRead(t *testing.T) {
	for name, v := range map[string]any{
		"an unknown rule": new(struct {
			A int `yaml:"a" jsonschema:"least=1"`
		}),
		"a bound that is no number": new(struct {
			A int `yaml:"a" jsonschema:"minimum=one"`
		}),
		"a default of another type": new(struct {
			A int `yaml:"a" jsonschema:"default=one"`
		}),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Read([]byte("{}")).Decode(v)
		})
	}
}
