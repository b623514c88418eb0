package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// Plot is one picture of the report.
type Plot struct {
	Name    string // of its files, without extension
	Title   string
	Caption string // how to read it
	SVG     []byte
	PNG     []byte // at twice the natural size
}

// sketch is a plot before it is drawn.
type sketch struct {
	name, caption string
	figure        *figure.Figure
}

// Plots draws the pictures of a run, in the order in which the report shows them. What has no data becomes a plot that
// says so. The same Analysis gives the same bytes.
func Plots(a *analyze.Analysis) ([]Plot, error) {
	if err := check(a); err != nil {
		return nil, err
	}
	return draw(sketches(a))
}

// draw renders sketches, in their order.
func draw(list []sketch) ([]Plot, error) {
	var plots []Plot
	for _, s := range list {
		svg, err := s.figure.SVG()
		if err != nil {
			return nil, fmt.Errorf("report: plot %s: %w", s.name, err)
		}
		png, err := s.figure.PNG()
		if err != nil {
			return nil, fmt.Errorf("report: plot %s: %w", s.name, err)
		}
		plots = append(plots, Plot{Name: s.name, Title: s.figure.Title, Caption: s.caption, SVG: svg, PNG: png})
	}
	return plots, nil
}

func sketches(a *analyze.Analysis) []sketch {
	list := []sketch{tailPlot(a), timelinePlot(a), cdfPlot(a), loadPlot(a), breakdownPlot(a), clientPlot(a)}
	if hasLadderBins(a) {
		list = slices.Insert(list, 5, ladderPlot(a)) // behind the breakdown
	}
	if hasSessions(a.Summary) {
		list = append(list, turnsPlot(a))
	}
	if hasServer(a.Summary) {
		list = append(list, serverPlot(a))
	}
	for i := range list {
		f := list[i].figure
		f.Footer = footer(a)
		f.Desc = list[i].caption
		if simulated(a.Summary) {
			f.Title += " (simulated)"
		}
	}
	return list
}

// footer says where a picture's data come from, since pictures travel without their report.
func footer(a *analyze.Analysis) []string {
	s := a.Summary
	parts := []string{"scenario " + cmp.Or(s.Scenario.Name, "unnamed"), fmt.Sprintf("seed %d", s.Scenario.Seed), attempts(s), "run " + cmp.Or(s.Validity.Verdict, "not judged")}
	if s.Run.State != "complete" {
		parts = append(parts, cmp.Or(s.Run.State, "state unknown"))
	}
	if !s.Schedule.OpenLoop {
		parts = append(parts, "closed loop")
	}
	if simulated(s) {
		parts = append(parts, "simulated")
	}
	return []string{strings.Join(parts, "  ·  "), strings.Join(nonEmpty(s.Run.ID, toolName(s.Run.Tool)), "  ·  ")}
}

// attempts says how many requests stand behind each approach.
func attempts(s *analyze.Summary) string {
	if len(s.Approaches) == 0 {
		return "n = 0"
	}
	lo, hi := math.MaxInt, 0
	for _, p := range s.Approaches {
		lo, hi = min(lo, p.Attempts), max(hi, p.Attempts)
	}
	if lo == hi {
		return "n = " + count(int64(lo)) + " attempts per approach"
	}
	return "n = " + count(int64(lo)) + " to " + count(int64(hi)) + " attempts per approach"
}

func simulated(s *analyze.Summary) bool {
	for _, p := range s.Approaches {
		if p.Simulated {
			return true
		}
	}
	return false
}

func nonEmpty(list ...string) []string {
	out := list[:0]
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// seriesOf gives the series of the i-th approach of the summary, empty where there is none.
func seriesOf(a *analyze.Analysis, i int) *analyze.ApproachSeries {
	name := a.Summary.Approaches[i].Name
	if i < len(a.Series) && a.Series[i].Name == name {
		return &a.Series[i]
	}
	for j := range a.Series {
		if a.Series[j].Name == name {
			return &a.Series[j]
		}
	}
	return &analyze.ApproachSeries{Name: name}
}

// approachEntries is one legend entry per approach.
func approachEntries(s *analyze.Summary) []figure.Entry {
	var e []figure.Entry
	for i, p := range s.Approaches {
		e = append(e, figure.Entry{Label: p.Name, Swatch: figure.Swatch{Line: approachStroke(i)}})
	}
	return e
}

// objectives gives the scenario's objectives on one metric.
func objectives(a *analyze.Analysis, m workload.Metric) []workload.Objective {
	if a.Scenario == nil {
		return nil
	}
	var out []workload.Objective
	for _, o := range a.Scenario.SLO.Objectives {
		if o.Metric == string(m) && (o.Op == "<=" || o.Op == "<") && o.Value > 0 {
			out = append(out, o)
		}
	}
	return out
}

// share is the percentile that a statistic names, as a share.
func share(stat string) (float64, bool) {
	switch stat {
	case "p50":
		return 0.5, true
	case "p90":
		return 0.9, true
	case "p95":
		return 0.95, true
	case "p99":
		return 0.99, true
	case "p99.9", "p999":
		return 0.999, true
	}
	return 0, false
}

// bounds tracks the range of positive, finite values.
type bounds struct{ lo, hi float64 }

func (b *bounds) add(v float64) {
	if !(v > 0) || math.IsInf(v, 0) {
		return
	}
	if b.hi == 0 {
		b.lo, b.hi = v, v
	}
	b.lo, b.hi = math.Min(b.lo, v), math.Max(b.hi, v)
}

// logSeconds is a log axis of seconds that holds b.
func (b bounds) logSeconds(labels int) figure.Axis {
	lo, hi := figure.LogRange(b.lo, b.hi)
	return figure.Axis{Min: lo, Max: hi, Scale: figure.Log, Ticks: figure.LogTicks(lo, hi, labels, figure.Seconds)}
}

// noData is the one panel of a plot that has nothing to show.
func noData(why string) []figure.Row {
	return []figure.Row{{Height: 180, Panels: []*figure.Panel{{Empty: why,
		X: figure.Axis{Min: 0, Max: 1}, Y: figure.Axis{Min: 0, Max: 1}}}}}
}
