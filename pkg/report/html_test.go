package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// pageOf is report.html, without the PNG pictures that it does not hold.
func pageOf(t *testing.T, a *analyze.Analysis) []byte {
	t.Helper()
	var plots []Plot
	for _, s := range sketches(a) {
		svg, err := s.figure.SVG()
		if err != nil {
			t.Fatal(err)
		}
		plots = append(plots, Plot{Name: s.name, Title: s.figure.Title, Caption: s.caption, SVG: svg})
	}
	var b bytes.Buffer
	if err := HTML(&b, a, plots); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// elements lists the start tags of a page and checks that every element is closed where it should be. The template keeps
// to the part of HTML that is XML too, but for the elements that have no end.
func elements(t *testing.T, page []byte) []xml.StartElement {
	t.Helper()
	void := []string{"meta", "link", "br", "img"}
	d := xml.NewDecoder(bytes.NewReader(page))
	var open []string
	var all []xml.StartElement
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			all = append(all, e.Copy())
			if !slices.Contains(void, e.Name.Local) {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				line, _ := d.InputPos()
				t.Fatalf("line %d: </%s> closes nothing; open are %v", line, e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Fatalf("never closed: %v", open)
	}
	return all
}

func TestHTMLIsWellFormedAndLoadsNothing(t *testing.T) {
	for name, a := range runs() {
		page := pageOf(t, a)
		ids := map[string]bool{}
		for _, e := range elements(t, page) {
			if slices.Contains([]string{"script", "iframe", "object", "embed", "form", "base", "image", "use", "img"}, e.Name.Local) {
				t.Errorf("%s: the page holds <%s>", name, e.Name.Local)
			}
			for _, attr := range e.Attr {
				k, v := attr.Name.Local, attr.Value
				switch {
				case strings.HasPrefix(k, "on"):
					t.Errorf("%s: <%s %s=%q>", name, e.Name.Local, k, v)
				case k == "href" && !strings.HasPrefix(v, "#") && v != "data:,", k == "src", k == "srcset", k == "action":
					t.Errorf("%s: <%s %s=%q> refers to something else", name, e.Name.Local, k, v)
				case k == "id":
					if ids[v] {
						t.Errorf("%s: the id %q occurs twice", name, v)
					}
					ids[v] = true
				}
			}
		}
		for _, bad := range []string{"http://", "https://", "url(", "@import", "javascript:", "ZgotmplZ"} {
			if bytes.Contains(page, []byte(bad)) {
				t.Errorf("%s: the page holds %q", name, bad)
			}
		}
		if n := bytes.Count(page, []byte("<svg ")); n != 6 {
			t.Errorf("%s: %d pictures, want 6", name, n)
		}
	}
}

func TestHTMLSaysWhatMustBeKnown(t *testing.T) {
	page := string(pageOf(t, synthetic(0.1)))
	for _, want := range []string{"<title>chat-spike (simulated)", "default-src &#39;none&#39;", "seed 42", "4b1e7a90c2d3f4a5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b",
		"open loop", "CV 1.31", "warm-up 30s", "linux/amd64, 2 CPUs", "infbench 0.1.0", "client lag", "n too small", "spike of 3 times the base rate"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the report does not say %q", want)
		}
	}
	for _, word := range glossary {
		if !strings.Contains(page, "<dt>"+word.word+"</dt>") {
			t.Errorf("the report does not define %s", word.word)
		}
	}
	real := synthetic(0.1)
	for i := range real.Summary.Approaches {
		real.Summary.Approaches[i].Simulated = false
	}
	if strings.Contains(string(pageOf(t, real)), "(simulated)") {
		t.Error("a run of real endpoints is called simulated")
	}
}

// dressed puts s into every text that comes from outside.
func dressed(s string) *analyze.Analysis {
	a := bare(synthetic(0.2), "x")
	sum := a.Summary
	sum.Scenario.Name, sum.Run.ID, sum.Run.Machine, sum.Run.Tool, sum.Run.State = s, s, s, s, s
	sum.Schedule.SHA256, sum.Scenario.Digest, sum.Validity.Verdict = s, s, s
	for i := range sum.Validity.Reasons {
		sum.Validity.Reasons[i] = analyze.Reason{Code: s, Verdict: s, Text: s}
	}
	for i := range sum.Approaches {
		p := &sum.Approaches[i]
		p.Name = fmt.Sprintf("%d%s", i, s)
		a.Series[i].Name, a.Series[i].QueueingLabel = p.Name, s
		p.Errors = map[endpoint.Class]int{endpoint.Class(s): 2}
		p.ErrorExamples = map[endpoint.Class]string{endpoint.Class(s): s}
		p.Levers = map[string]string{s: s}
		p.Tokens.Basis = s
		p.Labels = map[workload.Metric]string{workload.ITL: s, workload.QueueingDelay: s}
		for j := range p.SLO {
			p.SLO[j].Objective, p.SLO[j].Why = fmt.Sprintf("%d%s", j, s), s
		}
		for _, q := range p.Metrics {
			q.Warnings = append(q.Warnings, s, "p99.9: "+s)
		}
		for _, b := range a.Series[i].Breakdown {
			b.Parts[0].Name = s
		}
	}
	a.Scenario.Description = s
	a.Scenario.Approaches = []workload.Approach{{Name: sum.Approaches[0].Name, API: s, Model: s, URL: s}}
	sum.Approaches[0].Simulated = false
	a.Windows[0].Name = s
	return a
}

var attacks = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</title></style></svg></desc><script>alert(1)</script>`,
	`<svg onload=alert(1)>`,
	`]]><!--`,
	`{{.}}{{template "table"}}`,
	"javascript:alert(1)",
	"\x00\x01\x1b[31m\ufffe\xff\u202e",
	`&lt;script&gt;&#x3c;script>`,
	`style="font-family:Liberation Sans;font-variant:none;font-weight:normal;font-style:normal;`,
}

// A text from outside, whatever it says, changes nothing in the structure of the page and of the pictures.
func TestForeignTextStaysText(t *testing.T) {
	names := func(list []xml.StartElement) []string {
		var out []string
		for _, e := range list {
			n := e.Name.Local
			for _, attr := range e.Attr {
				n += " " + attr.Name.Local
			}
			out = append(out, n)
		}
		return out
	}
	harmless := dressed("harmless")
	want := names(elements(t, pageOf(t, harmless)))
	for _, attack := range attacks {
		a := dressed(attack)
		page := pageOf(t, a)
		if got := names(elements(t, page)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q changes the page: %d elements instead of %d", attack, len(got), len(want))
		}
		for _, s := range sketches(a) {
			svg, err := s.figure.SVG()
			if err != nil {
				t.Fatal(err)
			}
			if err := xml.Unmarshal(svg, new(struct{})); err != nil {
				t.Errorf("%q: plot %s is not XML: %v", attack, s.name, err)
			}
		}
	}
	if page := string(pageOf(t, dressed(attacks[0]))); !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the message is lost")
	}
}

func TestEndpointHasNoSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:pw@api.example/v1?key=sk-123#frag": "https://api.example/v1",
		"http://127.0.0.1:8000/v1":                       "http://127.0.0.1:8000/v1",
		"http://[::1":                                    "(not a URL)",
	} {
		if got := publicURL(in); got != want {
			t.Errorf("publicURL(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHTMLSize(t *testing.T) {
	a := synthetic(2)
	if n := len(a.Series[0].TTFT); n < 3000 {
		t.Fatalf("only %d points, want a run of the largest kind", n)
	}
	if n := len(pageOf(t, a)); n > 1_500_000 {
		t.Errorf("report.html of four approaches has %d bytes", n)
	}
}

func TestHTMLErrors(t *testing.T) {
	if err := HTML(&bytes.Buffer{}, &analyze.Analysis{}, nil); err == nil {
		t.Error("no error for an analysis without a summary")
	}
	if err := HTML(failingWriter{}, synthetic(0.1), nil); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

// The page follows the reader's scheme: each colour of the light one has a counterpart in the dark one and in print.
func TestEverySchemeHasEveryColor(t *testing.T) {
	root := regexp.MustCompile(`(?s):root\{([^}]*)\}`)
	variable := regexp.MustCompile(`--([a-z-]+):`)
	sets := root.FindAllStringSubmatch(pageStyle, -1)
	if len(sets) != 3 {
		t.Fatalf("%d colour schemes, want light, dark and print", len(sets))
	}
	names := func(s string) []string {
		set := map[string]bool{}
		for _, m := range variable.FindAllStringSubmatch(s, -1) {
			set[m[1]] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	for _, s := range sets[1:] {
		if !slices.Equal(names(s[1]), names(sets[0][1])) {
			t.Errorf("colours %v, want %v", names(s[1]), names(sets[0][1]))
		}
	}
}
