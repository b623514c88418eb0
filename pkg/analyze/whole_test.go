package analyze

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// TestCheckOfAPartNeverPasses: a run that was stopped or died, and an arm that lacks rounds, on either side; what fails by the
// blocks that there are still fails, and no rerun is offered.
func TestCheckOfAPartNeverPasses(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15}
	p := policyOf("ttft p95", 0.1, 0)
	for name, change := range map[string]func(a, b *Arm){
		"1 of its 8":     func(_, b *Arm) { b.scenario().Blocks = 8; b.Blocks = map[int]*BlockSummary{0: b.Blocks[0]} },
		"4 of its 8":     func(a, _ *Arm) { a.scenario().Blocks = 8 },
		"is interrupted": func(a, _ *Arm) { a.Record.Manifest.State = measure.Interrupted },
		"is failed (no route to host)": func(_, b *Arm) {
			b.Record.Manifest.State, b.Record.Manifest.Problem = measure.Failed, "no route to host"
		},
		"is running": func(_, b *Arm) { b.Record.Manifest.State = measure.Running },
	} {
		a, b := armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 0.9, 0.91)...)
		if got, err := CheckPolicy(a, b, p, nil); err != nil || got.Verdict != Pass {
			t.Fatalf("whole: %+v, %v", got, err)
		}
		change(a, b)
		got, err := CheckPolicy(a, b, p, nil)
		if err != nil || got.Verdict != CannotTell || !strings.Contains(got.Results[0].Why, name) {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		if may, _ := got.BlocksMayTell(); may {
			t.Errorf("%s: a rerun is offered", name)
		}
	}
	a, b := armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.5, 1.51)...)
	b.Record.Manifest.State = measure.Failed
	if got, err := CheckPolicy(a, b, p, nil); err != nil || got.Verdict != Fail {
		t.Errorf("it fails by what there is: %+v, %v", got, err)
	}
}

// TestFailedBlocksCount: the requests of a block that failed and was driven again are in the shares of its round; those of a
// block that somebody stopped are not.
func TestFailedBlocksCount(t *testing.T) {
	a := armOf("a", 1, 0.1, 0.1)
	for _, b := range a.Blocks {
		b.Goodput = &Goodput{Ratio: 1}
	}
	broken := BlockSummary{Approach: "a", State: measure.Failed, Attempts: 50, OK: 10, Record: &measure.BlockRecord{Round: 1}, Goodput: &Goodput{Ratio: 0.2}}
	stopped, other := broken, broken
	stopped.State, other.Approach = measure.Interrupted, "b"
	a.takeFailed([]BlockSummary{broken, stopped, other})
	for _, f := range comparedFigures() {
		want, hit := map[string]float64{"error_rate": 40. / 150, "goodput": 110. / 150}[f.name]
		if !hit {
			continue
		}
		v, why := f.of(a.Blocks[1])
		hits, n := f.counts(a.Blocks[1])
		if v == nil || math.Abs(*v-want) > 1e-12 || n != 150 || hits != int(math.Round(150*want)) {
			t.Errorf("%s: %v (%s), %d of %d, want %g", f.name, v, why, hits, n, want)
		}
		if v, _ := f.of(a.Blocks[0]); *v != want && *v != 0 && *v != 1 {
			t.Errorf("%s of the other round: %g", f.name, *v)
		}
	}
}

// TestCheckAgainstItself: a run, a copy of it and a link to it are one measurement; another approach of it is another, and so is a
// run of the same name at another time.
func TestCheckAgainstItself(t *testing.T) {
	values := []float64{0.1, 0.2, 0.4, 0.15}
	arm := func(dir, approach string, second int64) *Arm {
		a := armOf(approach, 1, values...)
		a.Record.Dir, a.Record.Manifest.ID, a.Record.Manifest.Started = dir, "gate-1", time.Unix(second, 0)
		return a
	}
	for name, c := range map[string]struct {
		baseline *Arm
		same     bool
	}{
		"itself":           {arm("run", "a", 1), true},
		"a copy":           {arm("copy", "a", 1), true},
		"another approach": {arm("run", "b", 1), false},
		"another day":      {arm("run", "a", 2), false},
	} {
		got, err := CheckPolicy(c.baseline, arm("run", "a", 1), policyOf("ttft p95", 0.1, 0), nil)
		if (err != nil) != c.same || c.same && !strings.Contains(err.Error(), "are one measurement") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
