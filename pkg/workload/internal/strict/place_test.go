package strict

import (
	"fmt"
	"testing"
)

func TestPlaces(t *testing.T) {
	d := Read([]byte("a:\n  b: [x, {c: 7}]\nd: text\n"))
	for _, c := range []struct {
		path, text string
		present    bool
		at         string
	}{
		{"", "", true, "1:1"},
		{"a", "", true, "1:1"},
		{"a.b", "", true, "2:3"},
		{"a.b[0]", "x", true, "2:7"},
		{"a.b[1].c", "7", true, "2:14"},
		{"d", "text", true, "3:4"},
		{"a.x", "", false, "1:1"},      // pointed at is the group that should have it
		{"a.b[2]", "", false, "2:3"},   // or the list
		{"a.b[-1]", "", false, "2:3"},  //
		{"a.b[one]", "", false, "2:3"}, // no index
		{"d.x.y", "", false, "3:4"},
		{"a..b", "", false, "1:1"}, // no path
		{"a[", "", false, "1:1"},
		{"a[0]b", "", false, "1:1"},
	} {
		p := d.At(c.path)
		if at := fmt.Sprintf("%d:%d", p.at.line, p.at.column); p.Present() != c.present || p.Text() != c.text || at != c.at || p.Path() != c.path {
			t.Errorf("%q: present %t, %q at %s, path %q; want %+v", c.path, p.Present(), p.Text(), at, p.Path(), c)
		}
	}
	if n := d.At("a.b").Len(); n != 2 || d.At("a").Len() != 0 || d.At("x").Len() != 0 {
		t.Errorf("%d items", n)
	}
	if keys := d.At("").Keys(); fmt.Sprint(keys) != "[a d]" || d.At("d").Keys() != nil {
		t.Errorf("keys %v", keys)
	}
}

// TestSound: a field is not sound while a mistake is known at it or below it; its neighbours are.
func TestSound(t *testing.T) {
	d := Read([]byte("a: {b: [x, y], bc: z}\nab: 1\n"))
	d.At("a.b[1]").Mistake("wrong", "do it right")
	for path, want := range map[string]bool{"": false, "a": false, "a.b": false, "a.b[1]": false, "a.b[0]": true, "a.bc": true, "ab": true, "absent": false} {
		if got := d.At(path).Sound(); got != want {
			t.Errorf("%q is sound: %t", path, got)
		}
	}
	d.At("a.b[1]").Mistake("wrong again", "do it right")
	if got := d.Mistakes(); len(got) != 1 || got[0].Problem != "wrong" || got[0].Source != "a: {b: [x, y], bc: z}" {
		t.Errorf("%+v", got)
	}
}

func TestReplace(t *testing.T) {
	d := Read([]byte("a: 7\nb: [x]\n"))
	d.At("a").Replace("text")
	d.At("b").Replace("text")
	d.At("c").Replace("text")
	var got struct {
		A string   `yaml:"a"`
		B []string `yaml:"b"`
	}
	if d.Decode(&got); len(d.Mistakes()) > 0 || fmt.Sprint(got) != "{text [x]}" {
		t.Errorf("%v, %+v", got, d.Mistakes())
	}
}

// TestSetAfterNoYAML: what is wrong with the file is said; a flag cannot be put into it.
func TestSetAfterNoYAML(t *testing.T) {
	d := Read([]byte("a: [\n"))
	d.Set("b", "1", "--set b=1")
	d.Keep("c", []string{"x"}, "--only x")
	d.Decode(new(sample))
	if got := d.Mistakes(); len(got) != 1 || got[0].Line != 1 || got[0].Flag != "" {
		t.Errorf("%+v", got)
	}
}

// TestSetIntoNamelessItems: items without a name are found by their index alone.
func TestSetIntoNamelessItems(t *testing.T) {
	d := Read([]byte("list: [{a: 1}, 2]\n"))
	d.Set("list[x].a", "3", "--set list[x].a=3")
	d.Set("list[1].a", "3", "--set list[1].a=3")
	d.Set("list[0].a", "3", "--set list[0].a=3")
	got := d.Mistakes()
	if len(got) != 2 || got[0].Problem != `there is none named "x"` || got[0].Remedy != "there are none" || got[1].Problem != `list[1] holds "2", no fields` {
		t.Errorf("%+v", got)
	}
	if d.At("list[0].a").Text() != "3" {
		t.Error("not set")
	}
}
