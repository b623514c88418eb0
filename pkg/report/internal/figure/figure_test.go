package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

func TestPos(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		scale    Scale
		in, want float64
	}{
		{Linear, 3, 3}, {Linear, math.Inf(1), nan}, {Linear, nan, nan},
		{Log, 100, 2}, {Log, 0, nan}, {Log, -1, nan}, {Log, math.Inf(1), nan}, {Log, nan, nan},
		{Tail, 0, 0}, {Tail, 0.9, 1}, {Tail, 0.999, 3}, {Tail, 1, nan}, {Tail, -0.1, nan}, {Tail, nan, nan},
	} {
		if got := c.scale.Pos(c.in); math.Abs(got-c.want) > 1e-9 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%s position of %v is %v, want %v", c.scale, c.in, got, c.want)
		}
	}
}

func labels(ticks []Tick) string {
	var l []string
	for _, t := range ticks {
		if t.Label != "" {
			l = append(l, t.Label)
		}
	}
	return strings.Join(l, ", ")
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{1e-6, 3600, 10, "1 µs, 10 µs, 100 µs, 1 ms, 10 ms, 100 ms, 1 s, 10 s, 100 s, 1000 s"},
		{1e-6, 3600, 6, "1 µs, 100 µs, 10 ms, 1 s, 100 s"},
		{0.05, 50, 12, "50 ms, 100 ms, 200 ms, 500 ms, 1 s, 2 s, 5 s, 10 s, 20 s, 50 s"},
		{0.05, 50, 5, "100 ms, 1 s, 10 s"},
		{0.002, 0.1, 6, "2 ms, 5 ms, 10 ms, 20 ms, 50 ms, 100 ms"},
		{0.02, 0.09, 5, "20 ms, 50 ms"},
	} {
		if got := labels(LogTicks(c.lo, c.hi, c.n, Seconds)); got != c.want {
			t.Errorf("ticks from %v to %v: %s\nwant %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestLogRange(t *testing.T) {
	for _, c := range []struct{ lo, hi, wantLo, wantHi float64 }{
		{0.13, 4.2, 0.1, 5},
		{0.1, 5, 0.05, 10}, // what lies on a step is not drawn on the edge
		{0.3, 0.3, 0.1, 1},
		{0, 0, 1e-3, 1},
		{math.NaN(), 1, 1e-3, 1},
		{1e-300, 1e300, 5e-8, 2e5},
	} {
		lo, hi := LogRange(c.lo, c.hi)
		if math.Abs(lo/c.wantLo-1) > 1e-9 || math.Abs(hi/c.wantHi-1) > 1e-9 {
			t.Errorf("LogRange(%v, %v) = %v, %v, want %v, %v", c.lo, c.hi, lo, hi, c.wantLo, c.wantHi)
		}
	}
}

// Whatever the data, the range holds them and the axis has labels, but never too many.
func TestLogAxisHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := math.Pow(10, rapid.Float64Range(-6.9, 4.9).Draw(t, "lo"))
		hi := math.Min(lo*math.Pow(10, rapid.Float64Range(0, 10).Draw(t, "span")), 9e4)
		n := rapid.IntRange(3, 12).Draw(t, "labels")
		a, b := LogRange(lo, hi)
		if !(a <= lo && hi <= b) || b/a < 4*(1-1e-9) {
			t.Fatalf("[%v, %v] does not hold [%v, %v]", a, b, lo, hi)
		}
		got := 0
		for _, tick := range LogTicks(a, b, n, Seconds) {
			if !inside(tick.At, a, b) {
				t.Fatalf("a tick at %v outside [%v, %v]", tick.At, a, b)
			}
			if tick.Label != "" {
				got++
			}
		}
		if got < 1 || got > n {
			t.Fatalf("%d labels between %v and %v, want 1 to %d", got, a, b, n)
		}
	})
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		hi   float64
		n    int
		end  float64
		want string
	}{
		{1, 5, 1, "0, 0.2, 0.4, 0.6, 0.8, 1"},
		{17.3, 4, 20, "0, 5, 10, 15, 20"},
		{0, 4, 1, "0, 0.5, 1"},
		{math.NaN(), 4, 1, "0, 0.5, 1"},
		{1234, 5, 1500, "0, 500, 1000, 1500"},
	} {
		end, ticks := LinearTicks(c.hi, c.n, Short)
		if got := labels(ticks); got != c.want || math.Abs(end-c.end) > 1e-9*c.end {
			t.Errorf("ticks up to %v: %s, end %v\nwant %s, end %v", c.hi, got, end, c.want, c.end)
		}
	}
}

func TestTailTicks(t *testing.T) {
	for max, want := range map[float64]string{
		0.9:     "0%, 50%, 90%",
		0.9996:  "0%, 50%, 90%, 95%, 99%, 99.9%",
		0.99999: "0%, 50%, 90%, 95%, 99%, 99.9%, 99.99%, 99.999%",
	} {
		if got := labels(TailTicks(max)); got != want {
			t.Errorf("ticks up to %v: %s, want %s", max, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 1e-6: "1 µs", 2e-3: "2 ms", 0.3 - 0.1: "200 ms", 1: "1 s", 0.9999: "0.9999 s", 1000: "1000 s", 2.5: "2.5 s", -0.5: "-500 ms"} {
		if got := Seconds(in); got != want {
			t.Errorf("Seconds(%v) = %q, want %q", in, got, want)
		}
	}
}

// A simplified line stays within the tolerance of every point that it dropped.
func TestSimplifyStaysClose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		pts := make([]vg.Point, n)
		for i := range pts {
			pts[i] = vg.Point{X: vg.Length(i), Y: vg.Length(rapid.Float64Range(-3, 3).Draw(t, "y"))}
		}
		const tol = 0.5
		got := simplify(pts, tol)
		if n > 0 && (got[0] != pts[0] || got[len(got)-1] != pts[n-1]) {
			t.Fatal("the ends moved")
		}
		for _, p := range pts {
			best := vg.Length(math.Inf(1))
			for i := 1; i < len(got); i++ {
				best = min(best, distance(p, got[i-1], got[i]))
			}
			if len(got) > 1 && best > tol+1e-9 {
				t.Fatalf("%v is %v away", p, best)
			}
		}
	})
}

// tiny is a figure with every kind of layer.
func tiny(text string) *Figure {
	blue := Hex(0x0072b2)
	axis := Axis{Title: text, Min: 0, Max: 10, Ticks: []Tick{{At: 0, Label: "0"}, {At: 5}, {At: 10, Label: text}}}
	nan := math.NaN()
	return &Figure{Title: text, Desc: text, Footer: []string{text},
		Legend: []Entry{{text, Swatch{Line: Stroke{Color: blue, Width: 2, Dash: []float64{2, 1}}}}, {"b", Swatch{Fill: blue}}, {"c", Swatch{Mark: Mark{Cross, blue, 6}}}, {"d", Swatch{Mark: Mark{Tee, blue, 6}}}},
		Rows: []Row{{Height: 120, Panels: []*Panel{{Heading: text, Color: blue, YTitle: text, X: axis, Y: axis, Layers: []Layer{
			Band{1, 2, Fade(blue, 0.2)}, Band{nan, 2, blue}, Band{12, 20, blue},
			Line{Points: []XY{{0, 1}, {2, 3}, {nan, nan}, {5, 5}, {nan, 1}, {7, 20}, {9, -20}}, Stroke: Stroke{Color: blue, Width: 1}},
			Steps{Points: []XY{{0, 1}, {3, nan}, {4, 2}}, End: 9, Fill: blue, Stroke: Stroke{Color: blue, Width: 1}},
			Dots{Points: []XY{{1, 1}, {nan, 2}, {99, 99}}, Mark: Mark{Dot, blue, 3}}, Dots{Points: []XY{{4, 4}}, Mark: Mark{Cross, blue, 3}},
			TopMarks{X: []float64{1, 1.0001, nan, 50}, Mark: Mark{Tee, blue, 5}},
			Limit{Y: 4, X: 6, Label: text, Stroke: Stroke{Color: blue, Width: 1}}, Limit{Y: 10, Full: true, Label: "top", Stroke: Stroke{Color: blue, Width: 1}}, Limit{Y: nan}, Limit{Y: 3, X: nan},
			Bar{Row: 3, Size: 14, Label: text, Parts: []BarPart{{text, 0, 4, blue, color.White, "in"}, {"", 4, nan, blue, color.White, ""}}},
		}}, {Empty: "no data", X: axis, Y: axis}}}}}
}

func TestSVGAndPNG(t *testing.T) {
	f := tiny("a <b> & \"c\" 'd' \x00\x1b\ufffe\xff日本語")
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Title string `xml:"title"`
		Desc  string `xml:"desc"`
		Role  string `xml:"role,attr"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatalf("not XML: %v\n%s", err, svg)
	}
	if want := "a <b> & \"c\" 'd' ����日本語"; doc.Title != want || doc.Desc != want || doc.Role != "img" {
		t.Errorf("title %q, description %q, role %q", doc.Title, doc.Desc, doc.Role)
	}
	for _, bad := range []string{"NaN", "Inf", "font-family:"} {
		if bytes.Contains(svg, []byte(bad)) {
			t.Errorf("the SVG holds %q", bad)
		}
	}
	if !bytes.Contains(svg, []byte("sans-serif")) {
		t.Error("the SVG names no generic font to fall back on")
	}
	again, err := f.SVG()
	if err != nil || !bytes.Equal(svg, again) {
		t.Errorf("drawn again, the SVG differs (%v)", err)
	}
	data, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 2*Width || b.Dy() != 2*int(f.Height()) {
		t.Errorf("the PNG has %d x %d pixels, want twice %v x %v", b.Dx(), b.Dy(), Width, f.Height())
	}
	if r, g, b, a := img.At(1, 1).RGBA(); r+g+b+a != 4*0xffff {
		t.Error("the background is not opaque white")
	}
}

// A legend of any size flows inside the figure, and its lines are counted in the height.
func TestLegendFlows(t *testing.T) {
	f := &Figure{}
	for i := range 20 {
		f.Legend = append(f.Legend, Entry{Label: fmt.Sprintf("an approach with a rather long name %d", i), Swatch: Swatch{Line: Stroke{Color: ink, Width: 1}}})
	}
	spots, lines := f.layLegend(700)
	sty := textStyle(labelSize, false, ink)
	for i, s := range spots {
		if end := s.x + 26 + 5 + sty.Width(s.label); end > 700 {
			t.Errorf("entry %d ends at %v of 700", i, end)
		}
		if s.line >= lines {
			t.Errorf("entry %d stands on line %d of %d", i, s.line, lines)
		}
	}
	if lines < 5 {
		t.Errorf("20 long entries on %d lines", lines)
	}
}

func TestFitKeepsBothEnds(t *testing.T) {
	got := Fit("approach-with-a-name-that-is-much-too-long-7", 100)
	if !strings.HasPrefix(got, "appr") || !strings.HasSuffix(got, "-7") || !strings.Contains(got, "…") {
		t.Errorf("shortened to %q", got)
	}
	if got := Fit("short", 100); got != "short" {
		t.Errorf("a short label became %q", got)
	}
	if got := Fit("日本語の長い名前", 1); len([]rune(got)) > 2 {
		t.Errorf("no room gives %q", got)
	}
}
