package report

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"testing"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	plottext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// box is where a text of a picture stands.
type box struct {
	text                     string
	left, right, top, bottom float64
}

// textBoxes reads the texts of an SVG as a browser would: XML, its coordinates already the right way up.
func textBoxes(t *testing.T, svg []byte) (boxes []box, height float64) {
	t.Helper()
	var doc struct {
		ViewBox string `xml:"viewBox,attr"`
		Groups  []struct {
			Texts []struct {
				X     float64 `xml:"x,attr"`
				Y     float64 `xml:"y,attr"`
				Style string  `xml:"style,attr"`
				Text  string  `xml:",chardata"`
			} `xml:"text"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatalf("not XML: %v", err)
	}
	var x, y, w float64
	if _, err := fmt.Sscan(doc.ViewBox, &x, &y, &w, &height); err != nil {
		t.Fatalf("viewBox %q: %v", doc.ViewBox, err)
	}
	for _, g := range doc.Groups {
		for _, e := range g.Texts {
			_, rest, ok := strings.Cut(e.Style, "font-size:")
			var size float64
			if _, err := fmt.Sscan(strings.SplitN(rest, "px", 2)[0], &size); !ok || err != nil {
				t.Fatalf("text %q has no size: %q", e.Text, e.Style)
			}
			f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
			if strings.Contains(e.Style, "font-weight:bold") {
				f.Weight = xfont.WeightBold
			}
			width := float64(plottext.Style{Font: f, Handler: plot.DefaultTextHandler}.Width(e.Text))
			base := height + e.Y // the group is flipped at the foot of the page
			boxes = append(boxes, box{e.Text, e.X, e.X + width, base - 0.72*size, base + 0.2*size})
		}
	}
	return boxes, height
}

// extremes are runs that strain a layout.
func extremes() map[string]*analyze.Analysis {
	out := runs()
	for n := 1; n <= 8; n++ {
		out[fmt.Sprintf("%d approaches", n)] = multiply(synthetic(0.5), n)
	}
	long := multiply(synthetic(0.3), 8)
	for i := range long.Summary.Approaches {
		name := fmt.Sprintf("approach-with-a-name-that-is-much-too-long-for-any-legend-%d", i)
		long.Summary.Approaches[i].Name, long.Series[i].Name = name, name
	}
	out["long names"] = long
	for name, scale := range map[string]float64{"microseconds": 1e-5, "an hour": 150} {
		out[name] = stretched(synthetic(0.5), func(int) float64 { return scale })
	}
	out["a microsecond to an hour"] = stretched(synthetic(0.5), func(i int) float64 { return []float64{1e-5, 1e-2, 1, 140}[i] })
	out["no numbers"] = stretched(synthetic(0.3), func(i int) float64 { return []float64{math.NaN(), math.Inf(1), 0, -1}[i] })
	out["hours long"] = later(synthetic(0.3), 100)
	out["a second long"] = later(synthetic(0.3), 0.003)
	return out
}

// multiply gives a run n approaches.
func multiply(a *analyze.Analysis, n int) *analyze.Analysis {
	s, series := a.Summary.Approaches, a.Series
	a.Summary.Approaches, a.Series = nil, nil
	for i := range n {
		p, q := s[i%len(s)], series[i%len(s)]
		if i >= len(s) {
			p.Name += fmt.Sprintf("-%d", i)
			q.Name = p.Name
		}
		a.Summary.Approaches, a.Series = append(a.Summary.Approaches, p), append(a.Series, q)
	}
	return a
}

// stretched multiplies the times of the i-th approach by scale(i).
func stretched(a *analyze.Analysis, scale func(i int) float64) *analyze.Analysis {
	for i := range a.Series {
		s, k := &a.Series[i], scale(i)
		for m, c := range s.Curves {
			v := make([]float64, len(c.V))
			for j := range v {
				v[j] = c.V[j] * k
			}
			s.Curves[m] = analyze.Curve{N: c.N, P: c.P, V: v, Reached: c.Reached}
		}
		for j := range s.TTFT {
			s.TTFT[j].V *= k
		}
		for _, bins := range [][]analyze.Bin{s.TTFTP50, s.TTFTP95, s.Queueing, s.InFlight} {
			for j := range bins {
				bins[j].V *= k
			}
		}
		for _, b := range s.Breakdown {
			for j := range b.Parts {
				b.Parts[j].Value *= k
			}
		}
	}
	return a
}

// later stretches the time line.
func later(a *analyze.Analysis, k float64) *analyze.Analysis {
	a.BinWidth *= k
	for i := range a.Windows {
		a.Windows[i].From *= k
		a.Windows[i].To *= k
	}
	for i := range a.Arrivals {
		a.Arrivals[i].T *= k
	}
	for _, s := range a.Series {
		for _, bins := range [][]analyze.Bin{s.TTFTP50, s.TTFTP95, s.Queueing, s.InFlight} {
			for j := range bins {
				bins[j].T *= k
			}
		}
		for j := range s.TTFT {
			s.TTFT[j].T *= k
		}
		for j := range s.Failed {
			s.Failed[j] *= k
		}
	}
	return a
}

// No text of a picture leaves it, and none covers another.
func TestPlotTextsAreLegible(t *testing.T) {
	for name, a := range extremes() {
		for _, s := range sketches(a) {
			svg, err := s.figure.SVG()
			if err != nil {
				t.Fatal(err)
			}
			boxes, height := textBoxes(t, svg)
			if len(boxes) < 3 {
				t.Errorf("%s, %s: %d texts, want a title, a footer and more", name, s.name, len(boxes))
			}
			for i, b := range boxes {
				if b.left < 0 || b.right > 780 || b.top < 0 || b.bottom > height {
					t.Errorf("%s, %s: %q leaves the picture: %.0f to %.0f of 780, %.0f to %.0f of %.0f", name, s.name, b.text, b.left, b.right, b.top, b.bottom, height)
				}
				if strings.Contains(b.text, "NaN") || strings.Contains(b.text, "Inf") || strings.Contains(b.text, "e+") {
					t.Errorf("%s, %s: a label reads %q", name, s.name, b.text)
				}
				for _, c := range boxes[:i] {
					if math.Min(b.right, c.right)-math.Max(b.left, c.left) > 0.5 && math.Min(b.bottom, c.bottom)-math.Max(b.top, c.top) > 0.5 {
						t.Errorf("%s, %s: %q and %q cover each other", name, s.name, c.text, b.text)
					}
				}
			}
			if strings.Contains(string(svg), "NaN") {
				t.Errorf("%s, %s: the picture holds NaN", name, s.name)
			}
		}
	}
}

// The tail of a curve is drawn as uncertain exactly where fewer than ten attempts lie beyond.
func TestTailIsCutAtTen(t *testing.T) {
	c := analyze.Curve{N: 1000, Reached: 1}
	for i := 1; i <= 1000; i++ {
		c.P, c.V = append(c.P, float64(i)/1000), append(c.V, float64(i))
	}
	got := newTailCurve(c)
	if n := len(got.firm); n != 990 {
		t.Errorf("%d points are firm, want the 990 up to p99", n)
	}
	if last := got.thin[len(got.thin)-1].X; last != 0.9995 || got.failed {
		t.Errorf("the slowest of 1000 stands at %v, failed %v; want 0.9995 and no failure", last, got.failed)
	}
	// The same successes, and as many failures: the percentiles are over attempts.
	c.Reached = 0.5
	for i := range c.P {
		c.P[i] /= 2
	}
	if got = newTailCurve(c); len(got.thin) != 0 || !got.failed || got.firm[len(got.firm)-1].X != 0.5 {
		t.Errorf("with half the attempts failed: %d thin points, failed %v, end %v; want none, true, 0.5", len(got.thin), got.failed, got.firm[len(got.firm)-1].X)
	}
}

func TestObjectivesInPlots(t *testing.T) {
	a := synthetic(0.1)
	a.Scenario.SLO.Objectives = append(a.Scenario.SLO.Objectives, workload.Objective{Metric: "ttft", Stat: "p50", Op: ">=", Value: 1})
	limits := ttftLimits(a)
	if len(limits) != 2 || limits[0].Label != "p95 ≤ 1 s" || limits[0].X != 0.95 || limits[1].Label != "p99 ≤ 2.5 s" {
		t.Errorf("limits %+v, want p95 ≤ 1 s and p99 ≤ 2.5 s", limits)
	}
	a.Scenario = nil
	if l := ttftLimits(a); l != nil {
		t.Errorf("limits %+v without a scenario", l)
	}
}
