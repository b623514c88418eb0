package report

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// withLadder gives the first two approaches of an analysis what a light-load phase tells: one has a queue that is inferred, of the
// other it cannot be told.
func withLadder() *analyze.Analysis {
	a := synthetic(0.06)
	a.Scenario.Phases.LightLoad = &workload.LightLoad{Requests: 24}
	part := func(name, source string, seconds float64) analyze.LadderPart {
		return analyze.LadderPart{Name: name, Source: source, Seconds: seconds, Share: seconds / 0.5}
	}
	queue := part(analyze.StepQueue, analyze.Inferred, 0.3)
	for i := range 2 {
		parts := []analyze.LadderPart{part(analyze.StepSend, analyze.Measured, 0.01), queue, part(analyze.StepPrefill, analyze.FromLight, 0.19)}
		p := &a.Summary.Approaches[i]
		p.Queueing = &analyze.Queueing{Basis: analyze.Inferred, Why: "because", DetectionLimit: new(0.004), BelowLimit: new(0.4),
			LightLoad: []*analyze.LightLine{{N: 24, Requests: 24, Base: 0.02, PerToken: 1e-4, Network: new(0.008)}},
			Ladder:    []analyze.Rung{{At: "mean", N: 900, TTFT: 0.5, Parts: parts}, {At: analyze.SlowestPercent, N: 12, TTFT: 0.5, Parts: parts}}}
		for _, t := range []float64{0, 1, 2, 5, 6} {
			a.Series[i].Ladder = append(a.Series[i].Ladder, analyze.LadderBin{T: t * a.BinWidth, Parts: parts})
		}
		queue = part(analyze.StepExcess, analyze.Unknown, 0.3)
	}
	a.Summary.Approaches[1].Queueing.Basis = analyze.CannotTell
	return a
}

// TestLadderIsShown: every form says how the queue is known and why, and what the slowest 1% are made of, with the sources apart.
func TestLadderIsShown(t *testing.T) {
	a := withLadder()
	for name, write := range map[string]func(b *bytes.Buffer) error{
		"terminal": func(b *bytes.Buffer) error { return Terminal(b, a, 120, false) },
		"markdown": func(b *bytes.Buffer) error { return Markdown(b, a) },
		"html":     func(b *bytes.Buffer) error { return HTML(b, a, nil) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"queue or model", "server queue, inferred", "TTFT excess, cannot tell", "prefill, as at light load", "300 ms (60%)", "queueing is inferred: because.", "cannot tell. Because.", "detection limit", "4.00 ms"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
	}
	var b bytes.Buffer
	if err := Terminal(&b, synthetic(0.06), 120, false); err != nil || strings.Contains(b.String(), "queue or model") {
		t.Errorf("a ladder of nothing: %v", err)
	}
}

// TestLadderPlot: the steps of a panel are the running sums of the parts, the largest drawn first so that each covers what is above
// it, with a hole where bins had no answer; every style of a part is another.
func TestLadderPlot(t *testing.T) {
	a := withLadder()
	i := slices.IndexFunc(sketches(a), func(s sketch) bool { return s.name == "ladder-over-time" })
	if i < 0 {
		t.Fatal("it is not drawn")
	}
	s := sketches(a)[i]
	panel := s.figure.Rows[0].Panels[0]
	last := math.Inf(1)
	drawn := 0
	for _, l := range panel.Layers {
		steps, ok := l.(figure.Steps)
		if !ok {
			continue
		}
		drawn++
		if y := steps.Points[0].Y; y > last {
			t.Errorf("%s: %g is drawn over %g", steps.Name, y, last)
		} else {
			last = y
		}
		if len(steps.Points) != 6 || !math.IsNaN(steps.Points[3].Y) || steps.Points[3].X != 3*a.BinWidth {
			t.Errorf("%s: %v", steps.Name, steps.Points)
		}
	}
	if drawn != len(stepFills) || last != 0.01 || panel.Y.Max < 0.5 {
		t.Errorf("%d layers, the lowest up to %g, the axis to %g", drawn, last, panel.Y.Max)
	}
	var labels []string
	for _, e := range s.figure.Legend {
		labels = append(labels, e.Label)
	}
	if want := "send delay|server queue, inferred|TTFT excess, cannot tell|prefill, as at light load"; strings.Join(labels, "|") != want {
		t.Errorf("legend %v", labels)
	}
	seen := map[string]bool{}
	for _, f := range stepFills {
		if seen[hexOf(f.fill)] {
			t.Errorf("%s: its colour is that of another part", f.label)
		}
		seen[hexOf(f.fill)] = true
	}
	if _, err := Plots(a); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(sketches(synthetic(0.06)), func(s sketch) bool { return s.name == "ladder-over-time" }) {
		t.Error("drawn without data")
	}
}
