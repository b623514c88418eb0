package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
)

// settling is a run whose approaches are steady, cold, over-saturated and not judged.
func settling() *analyze.Analysis {
	a := synthetic(1)
	steady := func() *analyze.Steady {
		return &analyze.Steady{Blocks: 1, Tau: new(3.2), RelaxationSeconds: new(0.8), EffectiveN: new(375.0), RunLength: new(375.0)}
	}
	p := a.Summary.Approaches
	for i := range p {
		p[i].Steady = steady()
	}
	p[0].Steady.Few = []string{"p50"}
	p[1].Steady.WarmUp = &analyze.ShortWarmUp{Blocks: 1, Seconds: 52.1, Ratio: 3, Settled: true}
	p[2].Steady.OverSaturated = &analyze.OverSaturation{Blocks: 1, OfferedRate: 5, ServedRate: 4}
	p[3].Steady = &analyze.Steady{Blocks: 1, NotJudged: "the rate varies on purpose: a spike"}
	return a
}

func TestSteadyIsShown(t *testing.T) {
	a := settling()
	var html, md bytes.Buffer
	if err := HTML(&html, a, nil); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&md, a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"settled; its TTFTs say as much as 375 independent ones (relaxation time 800 ms, a block is 375 of them long: 200 in five blocks hold a p99, 60 a p95)",
		"from second 52.1 only: before, a typical TTFT was 3.00 times that of later",
		"none: 5.00/s came in, 4.00/s were answered, the queue grew",
		"not judged: the rate varies on purpose: a spike",
	} {
		if !strings.Contains(html.String(), want) || !strings.Contains(md.String(), want) {
			t.Errorf("the reports do not hold %q", want)
		}
	}
	screen := screenOf(t, a, 120, false)
	for form, text := range map[string]string{"terminal": screen, "report.md": md.String(), "report.html": html.String()} {
		// One figure, and the note below the table.
		if n := strings.Count(text, "‡"); n != 2 {
			t.Errorf("%s: %d marks, want 2", form, n)
		}
	}
	if n := strings.Count(screenOf(t, synthetic(1), 120, false), "‡"); n != 0 {
		t.Errorf("without a finding: %d marks", n)
	}
}
