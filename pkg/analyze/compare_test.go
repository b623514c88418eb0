package analyze

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// armOf is an arm whose blocks have these values of "ttft p95", and nothing else.
func armOf(name string, seed uint64, values ...float64) *Arm {
	m := &measure.Manifest{State: measure.Complete, Scenario: &workload.Scenario{Seed: seed, Approaches: []workload.Approach{{Name: name}}}}
	a := &Arm{Name: name, Approach: name, Record: &measure.Record{Dir: "run-" + name, Manifest: m}, Summary: &ApproachSummary{Name: name, Validity: Valid}, Blocks: map[int]*BlockSummary{}}
	for i, v := range values {
		m.Rounds = append(m.Rounds, measure.RoundRecord{SHA256: strings.Repeat("a", i+1)})
		b := &BlockSummary{Approach: name, Attempts: 100, OK: 100, Metrics: map[workload.Metric]*Quantiles{workload.TTFT: {}}}
		if v > 0 {
			b.Metrics[workload.TTFT].P95 = new(v)
		} else {
			b.Metrics[workload.TTFT].Warnings = []string{"p95: too small (3, needs 200)"}
		}
		a.Blocks[i] = b
	}
	return a
}

// scaledBy are values of a baseline, multiplied.
func scaledBy(values []float64, by ...float64) []float64 {
	out := slices.Clone(values)
	for i := range out {
		out[i] *= by[i%len(by)]
	}
	return out
}

func figureOf(t *testing.T, c *Comparison, name string) *Figure {
	t.Helper()
	for i := range c.Figures {
		if c.Figures[i].Name == name {
			return &c.Figures[i]
		}
	}
	t.Fatalf("no figure %s in %+v", name, c.Figures)
	return nil
}

// TestCompareVerdicts: pairs that differ by a constant factor but for a little noise, in rounds that differ much more.
func TestCompareVerdicts(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	for name, c := range map[string]struct {
		candidate []float64
		verdict   string
		needed    bool
		change    float64
	}{
		"a tenth slower":   {scaledBy(base, 1.11, 1.09, 1.10, 1.10), Worse, false, 0.1},
		"a tenth faster":   {scaledBy(base, 0.91, 0.89, 0.90, 0.90), Better, false, -0.1},
		"the same":         {scaledBy(base, 1.01, 0.99, 1, 1), Same, false, 0},
		"nobody knows":     {scaledBy(base, 1.3, 0.8, 1.1, 0.9), CannotTell, true, 0},
		"one has no value": {append(scaledBy(base[:7], 1), 0), CannotTell, false, math.NaN()},
	} {
		got, err := Compare(armOf("a", 1, base...), armOf("b", 1, c.candidate...), false, CompareOptions{Gated: []string{"ttft p95"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f := figureOf(t, got, "ttft p95")
		if f.Verdict != c.verdict || (f.Needed > 8) != c.needed || !f.Gated || !got.Paired {
			t.Errorf("%s: %+v", name, f)
		}
		if !math.IsNaN(c.change) && (f.Change == nil || math.Abs(*f.Change-c.change) > 0.02) {
			t.Errorf("%s: a change of %v, want %g", name, f.Change, c.change)
		}
		if math.IsNaN(c.change) && (f.Change != nil || !strings.Contains(f.Why, "b: in a block, too small")) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestCompareUnpaired: runs of other seeds got other requests; what the pairs would show is lost in the spread of the rounds.
func TestCompareUnpaired(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	c, err := Compare(armOf("a", 1, base...), armOf("b", 2, scaledBy(base, 1.11, 1.09)...), false, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := figureOf(t, c, "ttft p95"); c.Paired || f.Verdict != CannotTell || f.SignFlip != nil || *f.Change < 0.09 || *f.Change > 0.11 {
		t.Errorf("%+v", f)
	}
	one, err := Compare(armOf("a", 1, 0.1), armOf("b", 1, 0.2), false, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := figureOf(t, one, "ttft p95"); f.Verdict != CannotTell || *f.Change < 0.99 || f.Low != nil || !strings.Contains(f.Why, "--blocks") {
		t.Errorf("one block: %+v", f)
	}
}

// TestCompareFloor: what two identical endpoints differ by is no difference.
func TestCompareFloor(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	aa, err := Compare(armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.06, 0.93, 1.02, 0.99)...), false, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	floor := NoiseOf(aa)
	if got := floor["ttft p95"]; got < 0.02 || got > 0.06 {
		t.Errorf("a noise floor of %g", got)
	}
	c, err := Compare(armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.021, 1.019)...), false, CompareOptions{Floor: floor})
	if err != nil {
		t.Fatal(err)
	}
	if f := figureOf(t, c, "ttft p95"); f.Verdict != CannotTell || !strings.Contains(f.Why, "identical endpoints") {
		t.Errorf("%+v", f)
	}
}

// TestIncomparable: each reason for refusing is told, and stands with what was compared all the same.
func TestIncomparable(t *testing.T) {
	values := []float64{0.1, 0.2}
	for want, change := range map[string]func(b *Arm){
		"is invalid":            func(b *Arm) { b.Summary.Validity = Invalid },
		"no block of b":         func(b *Arm) { b.Blocks = nil },
		"were asked other":      func(b *Arm) { b.scenario().Prompts.System = "Be brief." },
		"not counted alike":     func(b *Arm) { b.Summary.Tokens.Basis = "chunks" },
		"a streams, b does not": func(b *Arm) { b.approach().Stream = new(false) },
	} {
		a, b := armOf("a", 1, values...), armOf("b", 1, values...)
		a.Summary.Tokens.Basis, b.Summary.Tokens.Basis = "usage", "usage"
		change(b)
		if _, err := Compare(a, b, false, CompareOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if c, err := Compare(a, b, true, CompareOptions{}); err != nil || len(c.Forced) != 1 || !strings.Contains(c.Forced[0], want) {
			t.Errorf("%s: forced: %+v, %v", want, c, err)
		}
	}
	a, b := armOf("a", 1, values...), armOf("b", 1, values...)
	b.scenario().Name, b.scenario().SLO.Require, b.scenario().Output.Dir, b.scenario().Blocks = "other", "any", "elsewhere", 9
	if why := Incomparable(a, b); len(why) > 0 {
		t.Errorf("what is not asked: %q", why)
	}
	if _, err := Compare(a, b, false, CompareOptions{Gated: []string{"ttft p42"}}); err == nil || !strings.Contains(err.Error(), "ttft p95") {
		t.Errorf("an unknown figure: %v", err)
	}
}

// TestConfounded: several levers at once are named; one is what a comparison is for.
func TestConfounded(t *testing.T) {
	a, b := armOf("a", 1, 0.1), armOf("b", 1, 0.1)
	a.approach().Levers = map[string]string{"cache": "off", "batch": "8"}
	b.approach().Levers = map[string]string{"cache": "on", "batch": "8"}
	if got := confounded(a, b); got != nil {
		t.Errorf("one lever: %q", got)
	}
	b.approach().Levers["batch"], b.approach().Model = "16", "m"
	if got := confounded(a, b); !slices.Equal(got, []string{"batch", "cache", "model"}) {
		t.Errorf("three levers: %q", got)
	}
}

// TestAdjusted: with as many figures as there are, one that seems to differ by chance is none; one that was chosen in advance
// stands on its own.
func TestAdjusted(t *testing.T) {
	r := stat.Keyed(1, "adjusted", 0)
	a, b := armOf("a", 1, make([]float64, 10)...), armOf("b", 1, make([]float64, 10)...)
	for _, arm := range []*Arm{a, b} {
		for round := range len(arm.Blocks) { // in order, for the draws to be the same ones each time
			block := arm.Blocks[round]
			for _, m := range []workload.Metric{workload.TTFT, workload.TPOT, workload.E2E, workload.Stall} {
				v := func() *float64 { return new(math.Exp(0.05 * r.Normal())) }
				block.Metrics[m] = &Quantiles{P50: v(), P90: v(), P95: v(), P99: v()}
			}
		}
	}
	c, err := Compare(a, b, false, CompareOptions{Gated: []string{"ttft p95"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Figures {
		switch {
		case f.Gated && f.Adjusted != nil:
			t.Errorf("%s was chosen in advance, and was corrected", f.Name)
		case !f.Gated && f.P != nil && (f.Adjusted == nil || *f.Adjusted < *f.P):
			t.Errorf("%s: p %v, adjusted %v", f.Name, f.P, f.Adjusted)
		case !f.Gated && (f.Verdict == Worse || f.Verdict == Better):
			t.Errorf("%s differs by chance: %+v", f.Name, f)
		}
	}
}

// TestSharesAreAsUncertainAsTheirAttempts: blocks without a failure do not say that there is none. The closed form is
// Newcombe's method 10: with no failure in n attempts on both sides the interval is Wilson's upper limit, z²/(n+z²), to both
// sides.
func TestSharesAreAsUncertainAsTheirAttempts(t *testing.T) {
	const z2 = 1.959963984540054 * 1.959963984540054
	for blocks, want := range map[int]string{3: CannotTell, 30: Same} {
		values := make([]float64, blocks)
		for i := range values {
			values[i] = 0.1
		}
		c, err := Compare(armOf("a", 1, values...), armOf("b", 1, values...), false, CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f := figureOf(t, c, "error_rate")
		if limit := z2 / (100*float64(blocks) + z2); f.Verdict != want || math.Abs(*f.High-limit) > 1e-9 || math.Abs(*f.Low+limit) > 1e-9 || *f.Change != 0 {
			t.Errorf("%d blocks of 100 attempts: %+v, want an interval of %g", blocks, f, limit)
		}
	}
}
