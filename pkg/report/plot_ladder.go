package report

import (
	"image/color"
	"math"
	"slices"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// stepFills are the colours of the parts of a TTFT by their labels (Paul Tol's "muted", colour-blind safe): waiting in warm colours,
// work in cool ones, what nobody can tell in greys.
var stepFills = []stepFill{
	{analyze.StepSend, figure.Hex(0x332288), true},
	{analyze.StepConnect, figure.Hex(0xddcc77), false},
	{analyze.StepNetwork + ", as at light load", figure.Hex(0x999933), false},
	{analyze.StepQueue + ", reported", figure.Hex(0xcc6677), false},
	{analyze.StepQueue + ", inferred", figure.Hex(0xe6a1ac), false},
	{analyze.LadderPart{Name: analyze.StepExcess}.Label(), figure.Hex(0x8c8c8c), false},
	{analyze.StepPrefill + ", reported", figure.Hex(0x44aa99), false},
	{analyze.StepPrefill + ", as at light load", figure.Hex(0x88ccee), false},
	{analyze.StepRest + ", unknown", figure.Hex(0xd5d8dc), false},
}

type stepFill struct {
	label string
	fill  color.NRGBA
	dark  bool // text on it is white
}

// stepStyle is the style of a part of the ladder, and whether it is one.
func stepStyle(label string) (partStyle, bool) {
	for _, s := range stepFills {
		if s.label == label {
			if s.dark {
				return partStyle{s.fill, figure.Hex(0xffffff)}, true
			}
			return partStyle{s.fill, figure.Hex(0x1f2328)}, true
		}
	}
	return partStyle{}, false
}

// ladderPlot stacks the parts of TTFT over time, one panel per approach.
func ladderPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "ladder-over-time", figure: &figure.Figure{Title: "What TTFT is made of, over time"},
		caption: "When requests waited, and when the model was slow. One panel per approach, each with a scale of its own; each step is the mean TTFT of the requests scheduled in one time bin, stacked in the order " +
			"in which the parts happen, from the bottom. Warm colours are waiting, cool ones work; grey is what cannot be told. \"Reported\" is the server's own figure, \"inferred\" what TTFT is above " +
			"that of the same prompt at light load. A part that is below zero in a bin is not drawn."}
	x := timeAxis(a, false)
	var labels []string
	height := map[int]float64{1: 260, 2: 190, 3: 155}[len(a.Summary.Approaches)]
	if height == 0 {
		height = 130
	}
	for i := range a.Summary.Approaches {
		axis := unlabelled(x)
		if i == len(a.Summary.Approaches)-1 {
			axis = x
			height += 35
		}
		p := ladderPanel(a, i, axis)
		s.figure.Rows = append(s.figure.Rows, figure.Row{Height: height, Panels: []*figure.Panel{p}})
		for _, b := range seriesOf(a, i).Ladder {
			for _, part := range b.Parts {
				if !slices.Contains(labels, part.Label()) {
					labels = append(labels, part.Label())
				}
			}
		}
	}
	for _, style := range stepFills {
		if slices.Contains(labels, style.label) {
			s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: style.label, Swatch: figure.Swatch{Fill: style.fill}})
		}
	}
	return s
}

// ladderPanel draws the sums up to each part, the last first, so that each covers what is above it.
func ladderPanel(a *analyze.Analysis, i int, x figure.Axis) *figure.Panel {
	bins := seriesOf(a, i).Ladder
	p := &figure.Panel{Heading: a.Summary.Approaches[i].Name, Color: darker(approachColor(i)), YTitle: "mean TTFT per bin", X: x, Layers: bands(a)}
	top := 0.0
	sums := make([][]figure.XY, len(stepFills))
	for k, b := range bins {
		var sum float64
		for j, style := range stepFills {
			for _, part := range b.Parts {
				if part.Label() == style.label && !math.IsNaN(part.Seconds) {
					sum += max(0, part.Seconds)
				}
			}
			if k > 0 && b.T-bins[k-1].T > 1.5*a.BinWidth { // a bin without an answer
				sums[j] = append(sums[j], figure.XY{X: bins[k-1].T + a.BinWidth, Y: math.NaN()})
			}
			sums[j] = append(sums[j], figure.XY{X: b.T, Y: sum})
		}
		top = max(top, sum)
	}
	if len(bins) == 0 || top == 0 {
		p.Empty, p.Y = "no data: TTFT could not be split into parts", figure.Axis{Min: 0, Max: 1}
		return p
	}
	end, ticks := figure.LinearTicks(top*1.02, 4, figure.Seconds)
	p.Y = figure.Axis{Min: 0, Max: end, Ticks: ticks}
	for j := len(stepFills) - 1; j >= 0; j-- {
		p.Layers = append(p.Layers, figure.Steps{Name: stepFills[j].label, Points: sums[j], End: bins[len(bins)-1].T + a.BinWidth, Fill: stepFills[j].fill})
	}
	return p
}

// hasLadderBins reports whether any approach has parts of TTFT over time.
func hasLadderBins(a *analyze.Analysis) bool {
	return slices.ContainsFunc(a.Series, func(s analyze.ApproachSeries) bool { return len(s.Ladder) > 0 })
}
