package report

import (
	"math"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// cdfPlot is the distribution of TTFT and of ITL, side by side.
func cdfPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "cdf", figure: &figure.Figure{Title: "Distribution of TTFT and ITL"},
		caption: "The whole distribution: at a time on the horizontal axis, the height of a curve is the share that was at most that fast. " +
			"Further left is better, steeper is steadier. TTFT is counted over attempts, so a curve that ends below 100% (at a cross) lost the rest to failures; ITL is counted over tokens."}
	ttft, failed := cdfPanel(a, workload.TTFT, "TTFT", "share of attempts")
	itl, _ := cdfPanel(a, workload.ITL, "ITL", "share of tokens")
	if ttft.Empty != "" && itl.Empty != "" {
		s.figure.Rows = noData(ttft.Empty)
		return s
	}
	s.figure.Rows = []figure.Row{{Height: 290, Panels: []*figure.Panel{ttft, itl}}}
	s.figure.Legend = approachEntries(a.Summary)
	if failed {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "failures begin", Swatch: figure.Swatch{Mark: figure.Mark{Shape: figure.Cross, Color: slateText, Size: 8}}})
	}
	return s
}

func cdfPanel(a *analyze.Analysis, m workload.Metric, name, of string) (p *figure.Panel, failed bool) {
	_, ticks := figure.LinearTicks(1, 5, percentTick)
	p = &figure.Panel{Heading: name, YTitle: of, Y: figure.Axis{Min: 0, Max: 1, Ticks: ticks}}
	var reach bounds
	for i, approach := range a.Summary.Approaches {
		c := seriesOf(a, i).Curves[m]
		line := figure.Line{Name: approach.Name, Stroke: approachStroke(i)}
		for j, v := range c.V {
			if j < len(c.P) && v > 0 && !math.IsInf(v, 0) && !math.IsNaN(c.P[j]) {
				if len(line.Points) == 0 {
					line.Points = append(line.Points, figure.XY{X: v, Y: 0})
				}
				line.Points = append(line.Points, figure.XY{X: v, Y: c.P[j]})
				reach.add(v)
			}
		}
		if len(line.Points) == 0 {
			continue
		}
		p.Layers = append(p.Layers, line)
		if m == workload.TTFT && c.Reached < 1-1e-9 {
			failed = true
			p.Layers = append(p.Layers, figure.Dots{Name: approach.Name + ", failures begin", Points: line.Points[len(line.Points)-1:],
				Mark: figure.Mark{Shape: figure.Cross, Color: approachColor(i), Size: 8}})
		}
	}
	p.X = reach.logSeconds(6)
	p.X.Title = name + " (log scale)"
	if len(p.Layers) == 0 {
		p.Empty = "no data: no " + name + " was recorded"
	}
	return p, failed
}

func percentTick(v float64) string { return figure.Short(v*100) + "%" }
