package report

import (
	"math"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// turnsPlot shows how conversations grow: the wait for the first token and where the prompt comes from, turn by turn.
func turnsPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "turns", figure: &figure.Figure{Title: "Conversations, turn by turn"},
		caption: "What a longer conversation costs. Above: the median TTFT of each turn, from its scheduled time. Below: the mean number of prompt tokens (thin, dashed), and how many of them the server " +
			"took from its prefix cache (thick). Where the two lines stay one turn's text apart, the cache holds the conversation; where the lower one falls away, it has forgotten it. " +
			"Turns from 9 on are counted in stretches, each drawn at the mean of its turns. A line begins, ends or breaks where a turn has too few answers for a median (fewer than 20), " +
			"or where no server reported the figure: that is missing, and not 0."}
	var latency, prompt, cached bounds
	last := 1.0
	for _, p := range a.Summary.Approaches {
		if p.Sessions == nil {
			continue
		}
		for i := range p.Sessions.ByTurn {
			t := &p.Sessions.ByTurn[i]
			last = math.Max(last, t.Turn)
			addTo(&latency, turnTTFT(t))
			addTo(&prompt, t.Input)
			addTo(&cached, t.Cached)
		}
	}
	if latency.hi == 0 {
		s.figure.Rows = noData("no data: no turn has enough answers for a median")
		return s
	}
	x := turnAxis(last)
	top, ticks := figure.LinearTicks(latency.hi*1.05, 5, figure.Seconds)
	up := &figure.Panel{Heading: "TTFT", YTitle: "median", X: unlabelled(x), Y: figure.Axis{Min: 0, Max: top, Ticks: ticks}}
	top, ticks = figure.LinearTicks(math.Max(prompt.hi, 1)*1.05, 5, func(v float64) string { return thousands(figure.Short(v)) })
	down := &figure.Panel{Heading: "prompt", YTitle: "mean tokens", X: x, Y: figure.Axis{Min: 0, Max: top, Ticks: ticks}}
	for i := range a.Summary.Approaches {
		p := &a.Summary.Approaches[i]
		if p.Sessions == nil {
			continue
		}
		thick := approachStroke(i)
		thin := figure.Stroke{Color: figure.Fade(approachColor(i), 0.8), Width: 1, Dash: []float64{1.5, 3}}
		up.Layers = append(up.Layers, turnLine(p, thick, turnTTFT)...)
		down.Layers = append(down.Layers, turnLine(p, thin, func(t *analyze.TurnSummary) *float64 { return t.Input })...)
		if cached.hi > 0 {
			down.Layers = append(down.Layers, turnLine(p, thick, func(t *analyze.TurnSummary) *float64 { return t.Cached })...)
		}
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: p.Name, Swatch: figure.Swatch{Line: thick}})
	}
	s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "prompt tokens", Swatch: figure.Swatch{Line: figure.Stroke{Color: figure.Hex(0x666666), Width: 1, Dash: []float64{1.5, 3}}}})
	if cached.hi > 0 {
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: "of these from the cache", Swatch: figure.Swatch{Line: figure.Stroke{Color: figure.Hex(0x666666), Width: 2}}})
	}
	s.figure.Rows = []figure.Row{{Height: 185, Panels: []*figure.Panel{up}}, {Height: 235, Panels: []*figure.Panel{down}}}
	return s
}

func turnTTFT(t *analyze.TurnSummary) *float64 {
	if t.TTFT == nil {
		return nil
	}
	return t.TTFT.P50
}

func addTo(b *bounds, v *float64) {
	if v != nil {
		b.add(*v)
	}
}

// turnAxis goes from the first turn to the last, with every turn marked where there is room.
func turnAxis(last float64) figure.Axis {
	x := figure.Axis{Title: "turn of the conversation", Min: 0.75, Max: last + 0.25}
	step := 1.0
	for _, s := range []float64{5, 10, 50, 100} {
		if last/step > 14 {
			step = s
		}
	}
	for at := 1.0; at <= last; at++ {
		if at == 1 || math.Mod(at, step) == 0 {
			x.Ticks = append(x.Ticks, figure.Tick{At: at, Label: figure.Short(at)})
		}
	}
	return x
}

// turnLine is a line through what is known of each turn, with a dot on each.
func turnLine(p *analyze.ApproachSummary, stroke figure.Stroke, of func(*analyze.TurnSummary) *float64) []figure.Layer {
	var points []figure.XY
	for i := range p.Sessions.ByTurn {
		t := &p.Sessions.ByTurn[i]
		y := math.NaN()
		if v := of(t); v != nil {
			y = *v
		}
		points = append(points, figure.XY{X: t.Turn, Y: y})
	}
	return []figure.Layer{figure.Line{Name: p.Name, Points: points, Stroke: stroke},
		figure.Dots{Points: points, Mark: figure.Mark{Shape: figure.Dot, Color: stroke.Color, Size: 2 + 1.5*stroke.Width}}}
}
