package report

import (
	"image/color"
	"math"
	"strconv"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// timelinePlot is the TTFT of every request by its scheduled time, one panel per approach, over the arrivals.
func timelinePlot(a *analyze.Analysis) sketch {
	s := sketch{name: "ttft-over-time", figure: &figure.Figure{Title: "TTFT over time"},
		caption: "When it was slow, and whether it recovered. One panel per approach, all on the same scales. Each dot is one request at the time at which it was scheduled; " +
			"the lines are the median and the 95th percentile of each time bin, absent where a bin has too few requests. Red marks hanging from the upper edge are failed requests. " +
			"The lowest panel is the load that all approaches got."}
	var reach bounds
	var shown, failed bool
	for i := range a.Summary.Approaches {
		series := seriesOf(a, i)
		for _, p := range series.TTFT {
			reach.add(p.V)
		}
		shown = shown || len(series.TTFT)+len(series.Failed) > 0
		failed = failed || len(series.Failed) > 0
	}
	if !shown {
		s.figure.Rows = noData("no data: no request was recorded")
		return s
	}
	limits := objectives(a, workload.TTFT)
	for _, l := range limits {
		reach.add(l.Value)
	}
	height := map[int]float64{1: 250, 2: 175, 3: 140, 4: 125}[len(a.Summary.Approaches)]
	if height == 0 {
		height = 105
	}
	y := reach.logSeconds(int(height / 24))
	x := timeAxis(a, false)
	for i := range a.Summary.Approaches {
		s.figure.Rows = append(s.figure.Rows, figure.Row{Height: height, Panels: []*figure.Panel{timelinePanel(a, i, x, y, limits)}})
	}
	s.figure.Rows = append(s.figure.Rows, figure.Row{Height: 125, Panels: []*figure.Panel{arrivalsPanel(a, x)}})
	s.figure.Legend = timelineLegend(a, x, failed, limits)
	return s
}

// Styles of the timeline; the lines of one panel share the approach's colour.
func medianStroke(c color.NRGBA) figure.Stroke { return figure.Stroke{Color: c, Width: 2} }
func p95Stroke(c color.NRGBA) figure.Stroke {
	return figure.Stroke{Color: c, Width: 1}
}

func timelinePanel(a *analyze.Analysis, i int, x, y figure.Axis, limits []workload.Objective) *figure.Panel {
	series, paint := seriesOf(a, i), approachColor(i)
	p := &figure.Panel{Heading: a.Summary.Approaches[i].Name, Color: darker(paint), YTitle: "TTFT (log scale)", X: unlabelled(x), Y: y, Layers: bands(a)}
	if len(series.TTFT)+len(series.Failed) == 0 {
		p.Empty = "no data: no request was recorded"
		return p
	}
	dots := figure.Dots{Name: "requests", Mark: figure.Mark{Shape: figure.Dot, Color: figure.Fade(paint, 0.3), Size: 2.2}}
	for _, pt := range series.TTFT {
		dots.Points = append(dots.Points, figure.XY{X: pt.T, Y: pt.V})
	}
	p.Layers = append(p.Layers, dots)
	for j, l := range limits {
		p.Layers = append(p.Layers, figure.Limit{Y: l.Value, Full: true, Stroke: limitStroke(j)})
	}
	white := figure.Hex(0xffffff)
	p50, p95 := binLine(series.TTFTP50, a.BinWidth), binLine(series.TTFTP95, a.BinWidth)
	p.Layers = append(p.Layers, // a white edge keeps the lines apart from the dots
		figure.Line{Name: "p95 edge", Points: p95, Stroke: figure.Stroke{Color: figure.Fade(white, 0.8), Width: 2.6}},
		figure.Line{Name: "p95", Points: p95, Stroke: p95Stroke(darker(paint))},
		figure.Line{Name: "p50 edge", Points: p50, Stroke: figure.Stroke{Color: white, Width: 4}},
		figure.Line{Name: "p50", Points: p50, Stroke: medianStroke(darker(paint))},
		figure.TopMarks{Name: "failed", X: series.Failed, Mark: figure.Mark{Shape: figure.Tee, Color: failColor, Size: 7}})
	return p
}

func arrivalsPanel(a *analyze.Analysis, x figure.Axis) *figure.Panel {
	var top float64
	st := figure.Steps{Name: "offered rate", Fill: rateFill, Stroke: figure.Stroke{Color: rateLine, Width: 1.2}}
	for _, b := range a.Arrivals {
		if !math.IsNaN(b.V) && !math.IsInf(b.V, 0) {
			top = math.Max(top, b.V)
			st.Points = append(st.Points, figure.XY{X: b.T, Y: b.V})
			st.End = b.T + a.BinWidth
		}
	}
	end, ticks := figure.LinearTicks(top*1.02, 4, func(v float64) string { return thousands(figure.Short(v)) + "/s" })
	p := &figure.Panel{Heading: "arrivals", YTitle: "offered rate (scheduled arrivals per second)", X: x, Y: figure.Axis{Min: 0, Max: end, Ticks: ticks},
		Layers: append(bands(a), st)}
	if len(st.Points) == 0 {
		p.Empty = "no data: the schedule is not known"
	}
	return p
}

func timelineLegend(a *analyze.Analysis, x figure.Axis, failed bool, limits []workload.Objective) []figure.Entry {
	grey := figure.Hex(0x57606a)
	e := []figure.Entry{
		{Label: "one request", Swatch: figure.Swatch{Mark: figure.Mark{Shape: figure.Dot, Color: figure.Fade(grey, 0.6), Size: 4}}},
		{Label: "p50 per bin", Swatch: figure.Swatch{Line: medianStroke(grey)}},
		{Label: "p95 per bin", Swatch: figure.Swatch{Line: p95Stroke(grey)}},
	}
	if failed {
		e = append(e, figure.Entry{Label: "failed request", Swatch: figure.Swatch{Mark: figure.Mark{Shape: figure.Tee, Color: failColor, Size: 9}}})
	}
	for i, l := range limits {
		e = append(e, figure.Entry{Label: "SLO " + limitLabel(l), Swatch: figure.Swatch{Line: limitStroke(i)}})
	}
	return append(e, bandEntries(a, x)...)
}

// timeAxis is the shared horizontal axis: the block's time line, with the drain as far as requests were in flight if asked
// for.
func timeAxis(a *analyze.Analysis, drain bool) figure.Axis {
	var end float64
	far := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			end = math.Max(end, v)
		}
	}
	for _, b := range a.Arrivals {
		far(b.T + a.BinWidth)
	}
	for _, w := range a.Windows {
		if w.Name != "drain" {
			far(w.To)
		}
	}
	for _, s := range a.Series {
		for _, p := range s.TTFT {
			far(p.T)
		}
		for _, t := range s.Failed {
			far(t)
		}
		for _, b := range s.InFlight {
			if drain && b.V > 0 {
				far(b.T + a.BinWidth)
			}
		}
	}
	if end == 0 {
		end = 1
	}
	unit, div := "s", 1.0
	switch {
	case end > 4*3600:
		unit, div = "h", 3600
	case end > 600:
		unit, div = "min", 60
	}
	_, ticks := figure.LinearTicks(end/div, 10, func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) })
	var in []figure.Tick
	for _, t := range ticks {
		if t.At *= div; t.At <= end*(1+1e-9) {
			in = append(in, t)
		}
	}
	return figure.Axis{Title: "scheduled time since the start of the block (" + unit + ")", Min: 0, Max: end, Ticks: in}
}

// unlabelled is the axis of a panel whose labels stand further down.
func unlabelled(x figure.Axis) figure.Axis {
	x.Title, x.NoLabels = "", true
	return x
}

// bands shade the windows.
func bands(a *analyze.Analysis) []figure.Layer {
	var out []figure.Layer
	for _, w := range a.Windows {
		out = append(out, figure.Band{From: w.From, To: w.To, Fill: bandFill(w.Name)})
	}
	return out
}

func bandFill(name string) color.NRGBA {
	switch name {
	case "warm-up", "warmup", "drain":
		return warmupFill
	case "spike":
		return spikeFill
	}
	return otherFill
}

// bandEntries explains the shades that can be seen on the axis.
func bandEntries(a *analyze.Analysis, x figure.Axis) []figure.Entry {
	var e []figure.Entry
	seen := map[string]bool{}
	for _, w := range a.Windows {
		if !seen[w.Name] && w.To > w.From && w.From < x.Max && w.To > x.Min {
			seen[w.Name] = true
			label := w.Name
			if label == "warm-up" || label == "warmup" {
				label = "warm-up (not counted)"
			}
			e = append(e, figure.Entry{Label: label, Swatch: figure.Swatch{Fill: bandFill(w.Name)}})
		}
	}
	return e
}

// binLine joins the middles of bins. A missing bin breaks the line; a bin between two missing ones is a level dash as
// wide as itself.
func binLine(bins []analyze.Bin, width float64) []figure.XY {
	gap := func(i, j int) bool {
		return i < 0 || j >= len(bins) || math.IsNaN(bins[i].V) || math.IsNaN(bins[j].V) || bins[j].T-bins[i].T > 1.5*width
	}
	var out []figure.XY
	for i, b := range bins {
		before, after := gap(i-1, i), gap(i, i+1)
		if before && i > 0 {
			out = append(out, figure.XY{X: math.NaN(), Y: math.NaN()})
		}
		if before && after {
			out = append(out, figure.XY{X: b.T, Y: b.V}, figure.XY{X: b.T + width, Y: b.V})
			continue
		}
		out = append(out, figure.XY{X: b.T + width/2, Y: b.V})
	}
	return out
}
