package report

import (
	"image/color"
	"math"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// tailPlot is the latency by percentile on a log-tail axis, as HdrHistogram draws it.
func tailPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "ttft-percentiles", figure: &figure.Figure{Title: "TTFT by percentile"},
		caption: "How slow the slowest requests are. Across: the share of all attempts, stretched towards the tail, so that 90%, 99% and 99.9% are equally far apart. " +
			"Up: TTFT, from the scheduled arrival to the first token. Lower is better; a curve that keeps an SLO passes below its dot. " +
			"Where fewer than ten attempts lie beyond the percentile the curve is thin and dotted: do not read figures off it. " +
			"A cross marks where the failures begin: the attempts beyond it never got a token."}
	var curves []tailCurve
	var reach bounds
	top := 0.9
	for i := range a.Summary.Approaches {
		c := newTailCurve(seriesOf(a, i).Curves[workload.TTFT])
		if len(c.firm)+len(c.thin) == 0 {
			continue
		}
		c.approach = i
		for _, p := range append(c.firm, c.thin...) {
			reach.add(p.Y)
			top = math.Max(top, p.X)
		}
		curves = append(curves, c)
	}
	if len(curves) == 0 {
		s.figure.Rows = noData("no data: no request of the measure phase got a first token")
		return s
	}
	limits := ttftLimits(a)
	for _, l := range limits {
		reach.add(l.Y)
		top = math.Max(top, 1-(1-l.X)*0.8) // a little beyond the dot
	}
	p := &figure.Panel{YTitle: "TTFT (log scale)", Y: reach.logSeconds(12),
		X: figure.Axis{Title: "percentile of attempts (log-tail scale)", Min: 0, Max: top, Scale: figure.Tail, Ticks: figure.TailTicks(top)}}
	s.figure.Legend = approachEntries(a.Summary)
	var thin, failed bool
	for _, c := range curves {
		p.Layers = append(p.Layers, c.layers(a.Summary.Approaches[c.approach].Name)...)
		thin, failed = thin || len(c.thin) > 0, failed || c.failed
	}
	for _, l := range limits {
		p.Layers = append(p.Layers, l)
	}
	if thin {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "n too small: fewer than 10 beyond", Swatch: figure.Swatch{Line: thinStroke(slateText)}})
	}
	if failed {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "failures begin", Swatch: figure.Swatch{Mark: figure.Mark{Shape: figure.Cross, Color: slateText, Size: 8}}})
	}
	if len(limits) > 0 {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "SLO", Swatch: figure.Swatch{Line: limitStroke(0), Mark: figure.Mark{Shape: figure.Dot, Color: limitColor, Size: 5}}})
	}
	s.figure.Rows = []figure.Row{{Height: 340, Panels: []*figure.Panel{p}}}
	return s
}

// tailCurve is one approach's curve, cut where the samples no longer carry a percentile.
type tailCurve struct {
	approach   int
	firm, thin []figure.XY
	failed     bool // the curve ends because the rest of the attempts failed
}

// newTailCurve cuts c at n(1-p) = 10, n counting attempts. The largest value has p = 1, which has no place on the axis;
// it is drawn at 1 - 1/2n, halfway to where a next one would be.
func newTailCurve(c analyze.Curve) tailCurve {
	var t tailCurve
	if c.N <= 0 || !(c.Reached > 0) {
		return t
	}
	n := float64(c.N) / c.Reached
	for i, p := range c.P {
		if i >= len(c.V) || math.IsNaN(p) || !(c.V[i] > 0) {
			continue
		}
		pt := figure.XY{X: math.Min(p, 1-0.5/n), Y: c.V[i]}
		if n*(1-p) >= 10 {
			t.firm = append(t.firm, pt)
		} else {
			t.thin = append(t.thin, pt)
		}
	}
	t.failed = c.Reached < 1-1e-9
	return t
}

func thinStroke(c color.NRGBA) figure.Stroke {
	return figure.Stroke{Color: figure.Fade(c, 0.75), Width: 1, Dash: []float64{1.5, 2.5}}
}

func (t tailCurve) layers(name string) []figure.Layer {
	paint := approachColor(t.approach)
	var out []figure.Layer
	thin := t.thin
	if len(t.firm) > 0 {
		out = append(out, figure.Line{Name: name, Points: t.firm, Stroke: approachStroke(t.approach)})
		thin = append([]figure.XY{t.firm[len(t.firm)-1]}, thin...)
	}
	if len(t.thin) > 0 {
		out = append(out, figure.Line{Name: name + ", n too small", Points: thin, Stroke: thinStroke(paint)})
	}
	if t.failed {
		end := append(append([]figure.XY(nil), t.firm...), t.thin...)
		out = append(out, figure.Dots{Name: name + ", failures begin", Points: end[len(end)-1:], Mark: figure.Mark{Shape: figure.Cross, Color: paint, Size: 8}})
	}
	return out
}

// ttftLimits are the objectives on TTFT percentiles.
func ttftLimits(a *analyze.Analysis) []figure.Limit {
	var out []figure.Limit
	for _, o := range objectives(a, workload.TTFT) {
		if p, ok := share(o.Stat); ok {
			out = append(out, figure.Limit{Y: o.Value, X: p, Label: limitLabel(o), Stroke: limitStroke(0)})
		}
	}
	return out
}

// limitLabel writes a latency objective for a plot: p95 ≤ 800 ms.
func limitLabel(o workload.Objective) string {
	op := o.Op
	if op == "<=" {
		op = "≤"
	}
	return strings.Join(nonEmpty(o.Stat, op, figure.Seconds(o.Value)), " ")
}
