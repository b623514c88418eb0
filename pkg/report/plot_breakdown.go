package report

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// breakdownPlot splits TTFT into its parts, one panel per statistic, one bar per approach.
func breakdownPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "ttft-breakdown", figure: &figure.Figure{Title: "What TTFT is made of"},
		caption: "Where the wait for the first token is spent: before the request is sent (the harness and the connection), in the server's queue, and in the service itself. " +
			"\"reported\" is the server's own figure, \"inferred\" is TTFT above what the same prompt takes at light load; a queue that the server does not report is inside service. " +
			"Each panel has a scale of its own; the figure beside a bar is the sum. The parts are means over the requests around the percentile, so that they add up."}
	names := partNames(a)
	var stats []string
	for _, at := range []string{"mean", "p50", "p95", "p99", analyze.SlowestPercent} {
		if hasStat(a, at) {
			stats = append(stats, at)
		}
	}
	if len(stats) == 0 {
		s.figure.Rows = noData("no data: TTFT could not be split into parts")
		return s
	}
	styles := map[string]partStyle{}
	for _, n := range names {
		styles[n] = stylePart(n, styles)
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: n, Swatch: figure.Swatch{Fill: styles[n].fill}})
	}
	n := len(a.Summary.Approaches)
	bar := math.Max(9, math.Min(17, 68/float64(n)))
	for _, at := range stats {
		s.figure.Rows = append(s.figure.Rows, figure.Row{Height: 17 + 20 + float64(n)*(bar+6) + 6, Panels: []*figure.Panel{breakdownPanel(a, at, styles, bar)}})
	}
	last := s.figure.Rows[len(s.figure.Rows)-1]
	last.Panels[0].X.Title = "time from the scheduled arrival"
	s.figure.Rows[len(s.figure.Rows)-1].Height += 15
	return s
}

func breakdownOf(s *analyze.ApproachSeries, at string) *analyze.Breakdown {
	for i := range s.Breakdown {
		if s.Breakdown[i].At == at {
			return &s.Breakdown[i]
		}
	}
	return nil
}

func hasStat(a *analyze.Analysis, at string) bool {
	for i := range a.Summary.Approaches {
		if b := breakdownOf(seriesOf(a, i), at); b != nil && len(b.Parts) > 0 {
			return true
		}
	}
	return false
}

// partNames lists the parts of all approaches: known ones in the order of partColors, then the others as they come.
func partNames(a *analyze.Analysis) []string {
	var names []string
	for i := range a.Summary.Approaches {
		for _, b := range seriesOf(a, i).Breakdown {
			for _, part := range b.Parts {
				if !slices.Contains(names, part.Name) {
					names = append(names, part.Name)
				}
			}
		}
	}
	rank := func(name string) int {
		if i := slices.IndexFunc(stepFills, func(s stepFill) bool { return s.label == name }); i >= 0 {
			return i
		}
		if i := partIndex(name); i >= 0 {
			return i
		}
		return len(partColors)
	}
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(rank(x), rank(y)) })
	return names
}

type partStyle struct{ fill, text color.NRGBA }

// partIndex finds a part's place in partColors by the word in its name, or gives -1.
func partIndex(name string) int {
	for i, p := range partColors {
		if strings.Contains(strings.ToLower(name), p.word) {
			return i
		}
	}
	return -1
}

func stylePart(name string, taken map[string]partStyle) partStyle {
	if s, ok := stepStyle(name); ok {
		return s
	}
	if i := partIndex(name); i >= 0 {
		return partStyle{partColors[i].fill, partColors[i].text}
	}
	return partStyle{spareParts[len(taken)%len(spareParts)], figure.Hex(0xffffff)}
}

func breakdownPanel(a *analyze.Analysis, at string, styles map[string]partStyle, size float64) *figure.Panel {
	n := len(a.Summary.Approaches)
	p := &figure.Panel{Heading: at, YTitle: "TTFT by approach", Y: figure.Axis{Min: -0.5, Max: float64(n) - 0.5, NoGrid: true}}
	switch at {
	case "mean":
	case analyze.SlowestPercent:
		p.YTitle = "of the answers by TTFT: what makes the p99 the p99, by approach"
	default:
		p.YTitle = "requests around the " + at + " of TTFT, by approach"
	}
	var top float64
	for i, approach := range a.Summary.Approaches {
		row := float64(n - 1 - i)
		p.Y.Ticks = append(p.Y.Ticks, figure.Tick{At: row, Label: figure.Fit(approach.Name, 150)})
		bar := figure.Bar{Row: row, Size: size, Label: absent}
		if b := breakdownOf(seriesOf(a, i), at); b != nil {
			bar.Parts, bar.Label = stack(b, styles)
		}
		if len(bar.Parts) > 0 {
			top = math.Max(top, bar.Parts[len(bar.Parts)-1].To)
		}
		p.Layers = append(p.Layers, bar)
	}
	if top == 0 {
		top = 1e-3
	}
	_, ticks := figure.LinearTicks(top, 8, figure.Seconds)
	p.X = figure.Axis{Min: 0, Max: top * 1.1} // room for the sum beside the longest bar
	for _, t := range ticks {
		if t.At <= p.X.Max {
			p.X.Ticks = append(p.X.Ticks, t)
		}
	}
	return p
}

// stack lays the parts end to end. A negative part (service below what light load suggests) is drawn as nothing; the sum
// beside the bar still holds it.
func stack(b *analyze.Breakdown, styles map[string]partStyle) ([]figure.BarPart, string) {
	var parts []figure.BarPart
	var at, sum float64
	for _, part := range b.Parts {
		if math.IsNaN(part.Value) || math.IsInf(part.Value, 0) {
			continue
		}
		sum += part.Value
		if part.Value <= 0 {
			continue
		}
		parts = append(parts, figure.BarPart{Name: part.Name, From: at, To: at + part.Value, Fill: styles[part.Name].fill,
			Text: styles[part.Name].text, Label: Seconds(part.Value)})
		at += part.Value
	}
	if len(parts) == 0 {
		return nil, absent
	}
	for i := range parts {
		if parts[i].To-parts[i].From > 0.98*sum {
			parts[i].Label = "" // the sum beside the bar says it
		}
	}
	return parts, Seconds(sum)
}
