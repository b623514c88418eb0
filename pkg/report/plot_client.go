package report

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// clientPlot is the load generator's own health over time: whether a bump of the other plots is the client's.
func clientPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "client-health", figure: &figure.Figure{Title: "The client itself over time"},
		caption: "Whether the load generator was itself the bottleneck. Above: the share of its cores that its process used in each second" + embedded(a) +
			". Below: how late, at worst in each second, its heartbeat was, which should wake every millisecond: for so long nothing in the process ran on time. " +
			"A peak here beside a peak of the TTFT means that the client, not the endpoint, may be its cause. Dashed, where the axis reaches that far: from where on the run is called suspect (" +
			fmt.Sprintf("%.0f%% in any 5 s, %s once", 100*analyze.CPULimit, figure.Seconds(analyze.StallLimit.Seconds())) + ")."}
	var busy, late []curveOverTime
	for i := range a.Summary.Approaches {
		series := seriesOf(a, i)
		busy = append(busy, perSecondCurve(i, series.ClientCPU))
		late = append(late, perSecondCurve(i, series.ClientStall))
	}
	x := timeAxis(a, true)
	x.Title = strings.TrimPrefix(x.Title, "scheduled ")
	up := overTimePanel(a, busy, "CPU", "share of its cores", unlabelled(x), func(v float64) string { return figure.Short(100*v) + "%" }, 0.001)
	down := overTimePanel(a, late, "heartbeat", "late by, worst of each second", x, figure.Seconds, 1e-4)
	if up.Empty != "" && down.Empty != "" {
		s.figure.Rows = noData("no data: the client's health was not recorded")
		return s
	}
	var limits []string // the legend names the lines that are there
	if markLimit(up, analyze.CPULimit) {
		limits = append(limits, fmt.Sprintf("%.0f%% in any 5 s", 100*analyze.CPULimit))
	}
	if markLimit(down, analyze.StallLimit.Seconds()) {
		limits = append(limits, figure.Seconds(analyze.StallLimit.Seconds())+" once")
	}
	s.figure.Legend = approachEntries(a.Summary)
	if len(limits) > 0 {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "suspect: " + strings.Join(limits, ", "), Swatch: figure.Swatch{Line: limitStroke(0)}})
	}
	s.figure.Legend = append(s.figure.Legend, bandEntries(a, x)...)
	s.figure.Rows = []figure.Row{{Height: 150, Panels: []*figure.Panel{up}}, {Height: 190, Panels: []*figure.Panel{down}}}
	return s
}

// embedded warns where the process holds the server too.
func embedded(a *analyze.Analysis) string {
	if simulated(a.Summary) {
		return " (the simulated endpoints run in the same process, and are in it)"
	}
	return ""
}

// perSecondCurve takes points that stand at the end of their second.
func perSecondCurve(approach int, points []analyze.Point) curveOverTime {
	c := curveOverTime{approach: approach, width: 1}
	for _, p := range points {
		c.bins = append(c.bins, analyze.Bin{T: p.T - 1, V: p.V})
	}
	return c
}

// markLimit draws a limit where the panel's axis reaches it, and reports whether: far below it, it would only press the lines
// flat.
func markLimit(p *figure.Panel, y float64) bool {
	if p.Empty != "" || y > p.Y.Max {
		return false
	}
	p.Layers = append(p.Layers, figure.Limit{Y: y, Full: true, Stroke: limitStroke(0)})
	return true
}
