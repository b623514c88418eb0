package report

import (
	"cmp"
	"math"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// loadPlot is the number of requests in flight and the mean queueing delay over time.
func loadPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "load-over-time", figure: &figure.Figure{Title: "Requests in flight and queueing over time"},
		caption: "Where requests pile up. Above: how many requests are between their scheduled arrival and their end, the mean of each time bin. " +
			"Below: the mean queueing delay of the requests scheduled in each bin; the legend says whether the server reported its part or it was inferred. \"Send delay only\" (thin lines) leaves out the queue of a server that does not report it: such a line near zero says nothing about that server. " +
			"What keeps rising while the load does not is overloaded."}
	x := timeAxis(a, true)
	var flight, queue []curveOverTime
	for i := range a.Summary.Approaches {
		series := seriesOf(a, i)
		flight = append(flight, curveOverTime{approach: i, bins: series.InFlight})
		queue = append(queue, curveOverTime{approach: i, bins: series.Queueing, partial: strings.HasPrefix(series.QueueingLabel, "send delay")})
		label := a.Summary.Approaches[i].Name
		if series.QueueingLabel != "" && len(series.Queueing) > 0 {
			label += " (queueing: " + firstClause(series.QueueingLabel) + ")"
		}
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: label, Swatch: figure.Swatch{Line: approachStroke(i)}})
	}
	s.figure.Legend = append(s.figure.Legend, bandEntries(a, x)...)
	up := overTimePanel(a, flight, "in flight", "requests", unlabelled(x), func(v float64) string { return thousands(figure.Short(v)) }, 0.1)
	down := overTimePanel(a, queue, "queueing delay", "mean per bin", x, figure.Seconds, 1e-4)
	if up.Empty != "" && down.Empty != "" {
		s.figure.Rows, s.figure.Legend = noData("no data: no request was recorded"), nil
		return s
	}
	s.figure.Rows = []figure.Row{{Height: 185, Panels: []*figure.Panel{up}}, {Height: 225, Panels: []*figure.Panel{down}}}
	return s
}

type curveOverTime struct {
	approach int
	bins     []analyze.Bin
	partial  bool    // the bins hold only a part of what the panel shows
	width    float64 // of its bins, seconds; 0: the analysis's
}

// overTimePanel draws one line per approach. Where the approaches' peaks lie far apart the axis is logarithmic, from
// floor or from the smallest value above it; what is smaller is drawn on the lower edge, whose label says so.
func overTimePanel(a *analyze.Analysis, curves []curveOverTime, heading, what string, x figure.Axis, name func(float64) string, floor float64) *figure.Panel {
	var all, peaks bounds
	below, found := false, false
	for _, c := range curves {
		var top float64
		for _, b := range c.bins {
			if math.IsNaN(b.V) || math.IsInf(b.V, 0) {
				continue
			}
			found = true
			below = below || b.V < floor
			all.add(math.Max(b.V, floor))
			top = math.Max(top, b.V)
		}
		peaks.add(top)
	}
	p := &figure.Panel{Heading: heading, YTitle: what, X: x, Layers: bands(a)}
	if !found {
		p.Empty = "no data: no " + heading + " was recorded"
		p.Y = figure.Axis{Min: 0, Max: 1}
		return p
	}
	if log := peaks.hi > 20*math.Max(peaks.lo, floor); log {
		p.YTitle += " (log scale)"
		lo, hi := figure.LogRange(all.lo, all.hi)
		p.Y = figure.Axis{Min: lo, Max: hi, Scale: figure.Log, Ticks: figure.LogTicks(lo, hi, 7, name)}
		if below && len(p.Y.Ticks) > 0 {
			p.Y.Min = floor
			p.Y.Ticks = figure.LogTicks(floor, hi, 7, name)
			p.Y.Ticks[0].Label = "≤ " + name(floor)
		}
	} else {
		end, ticks := figure.LinearTicks(all.hi*1.05, 5, name)
		p.Y = figure.Axis{Min: 0, Max: end, Ticks: ticks}
		floor = 0
	}
	for _, c := range curves {
		stroke := approachStroke(c.approach)
		if c.partial {
			stroke.Width, stroke.Color = 1, figure.Fade(approachColor(c.approach), 0.7)
		}
		line := figure.Line{Name: a.Summary.Approaches[c.approach].Name, Points: binLine(c.bins, cmp.Or(c.width, a.BinWidth)), Stroke: stroke}
		for i := range line.Points {
			if line.Points[i].Y < floor {
				line.Points[i].Y = floor
			}
		}
		if len(line.Points) > 0 {
			p.Layers = append(p.Layers, line)
		}
	}
	return p
}
