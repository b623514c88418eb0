package analyze

import (
	"math"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// firstRounds is an arm with its first n rounds only.
func firstRounds(a *Arm, n int) *Arm {
	c := *a
	c.Blocks = map[int]*BlockSummary{}
	for round, b := range a.Blocks {
		if round < n {
			c.Blocks[round] = b
		}
	}
	return &c
}

// twoLooks checks at n rounds and, where that cannot tell, at 2n. Divided: the error is divided between the two.
func twoLooks(t *testing.T, a, b *Arm, n int, p *workload.Policy, divided bool) (verdict string, rounds int) {
	t.Helper()
	looks := 1
	if divided {
		looks = 2
	}
	for rounds = n; ; rounds = 2 * n {
		c, err := CheckLooks(firstRounds(a, rounds), firstRounds(b, rounds), p, nil, looks)
		if err != nil {
			t.Fatal(err)
		}
		if c.Verdict != CannotTell || rounds == 2*n {
			return c.Verdict, rounds
		}
	}
}

// TestExperimentRerun: two identical servers, 400 times, on the queues of the other experiments: a gate that allows 5% does not
// fail in more than 5% of the trials, and can tell more often than with one look.
func TestExperimentRerun(t *testing.T) {
	trials := 400
	if !FullExperiment() {
		trials = 20
	}
	p := policyOf("e2e p95", 0.05, 0)
	t.Logf("%5s %7s | %-24s | %-24s %7s", "load", "decode", "10 blocks: fail, unsure", "with a rerun", "blocks")
	for i, c := range []struct{ load, decode float64 }{{0.3, 1}, {0.5, 1}, {0.8, 1}, {0.5, 1.07}} {
		single, double, blocks := map[string]int{}, map[string]int{}, 0
		for k := range trials {
			a, b := experimentArms(uint64(7_000_000*(i+1)+k), 20, 600, c.load, c.decode, true)
			one, err := CheckPolicy(firstRounds(a, 10), firstRounds(b, 10), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			single[one.Verdict]++
			v, n := twoLooks(t, a, b, 10, p, true)
			double[v]++
			blocks += n
		}
		share := func(of map[string]int, v string) float64 { return 100 * float64(of[v]) / float64(trials) }
		t.Logf("%5.1f %6.2fx | %10.1f%% %11.1f%% | %10.1f%% %11.1f%% %7.1f", c.load, c.decode, share(single, Fail), share(single, CannotTell),
			share(double, Fail), share(double, CannotTell), float64(blocks)/float64(trials))
		if trials == 400 && (c.decode == 1 && share(double, Fail) > 5 || double[CannotTell] >= single[CannotTell]) {
			t.Errorf("%+v: one look %v, two looks %v", c, single, double)
		}
	}
}

// TestExperimentLooks: at the hardest truth, a change of exactly what is allowed, a check may fail in 2.5% of the trials (one side
// of 95%), and pass in as many. Two looks at the full error do so more often, and two that share it do not.
func TestExperimentLooks(t *testing.T) {
	trials := 6000
	if !FullExperiment() {
		trials = 300
	}
	p := policyOf("ttft p95", 0.05, 0)
	shares := map[bool]float64{}
	for _, divided := range []bool{false, true} {
		failed, passed := 0, 0
		for k := range trials {
			r := stat.Keyed(uint64(k), "experiment looks", 0)
			base, other := make([]float64, 12), make([]float64, 12)
			for i := range base {
				base[i] = r.Lognormal(0.2, 0.5)
				other[i] = base[i] * r.Lognormal(1.05, 0.05)
			}
			switch v, _ := twoLooks(t, armOf("a", 1, base...), armOf("b", 1, other...), 6, p, divided); v {
			case Fail:
				failed++
			case Pass:
				passed++
			}
		}
		shares[divided] = float64(failed) / float64(trials)
		t.Logf("error divided: %5v: fails %.2f%%, passes %.2f%%", divided, 100*shares[divided], 100*float64(passed)/float64(trials))
	}
	// Four binomial standard errors are 0.8 points.
	if allowed := 0.025; trials == 6000 && (shares[true] > allowed+4*math.Sqrt(allowed*(1-allowed)/float64(trials)) || shares[false] < 0.034) {
		t.Errorf("false fails %v", shares)
	}
}

// TestLooksOfARunThatGrew: it is judged as at a second look, whoever asks, and says so.
func TestLooksOfARunThatGrew(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	a, b := armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.06, 1.14)...)
	one, err := CheckPolicy(a, b, policyOf("ttft p95", 0.1, 0), nil)
	if err != nil || one.Looks != 1 || one.Comparison.Confidence != 0.95 {
		t.Fatalf("%+v, %v", one, err)
	}
	b.Record.Manifest.Extended = append(b.Record.Manifest.Extended, measure.Extension{From: 4, To: 8})
	for _, planned := range []int{1, 2} {
		two, err := CheckLooks(a, b, policyOf("ttft p95", 0.1, 0), nil, planned)
		if err != nil || two.Looks != 2 || math.Abs(two.Comparison.Confidence-0.975) > 1e-12 {
			t.Fatalf("%+v, %v", two, err)
		}
		x, y := one.Comparison.Figures[0], two.Comparison.Figures[0]
		if *y.Low >= *x.Low || *y.High <= *x.High {
			t.Errorf("the interval did not widen: %v %v, then %v %v", *x.Low, *x.High, *y.Low, *y.High)
		}
	}
}

// TestBlocksMayTell: more blocks settle an interval that is too wide, a single block, an objective and a budget of few attempts;
// not a figure that blocks are too small for.
func TestBlocksMayTell(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	for name, c := range map[string]struct {
		a, b *Arm
		want bool
	}{
		"too wide":         {armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.0, 1.3)...), true},
		"one block":        {armOf("a", 1, 0.1), armOf("b", 1, 0.1), true},
		"passes":           {armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 0.99, 0.98)...), false},
		"fails":            {armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.5, 1.51)...), false},
		"too few requests": {armOf("a", 1, 0.1, 0, 0.1), armOf("b", 1, 0.1, 0.1, 0.1), false},
	} {
		got, err := CheckPolicy(c.a, c.b, policyOf("ttft p95", 0.1, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if may, why := got.BlocksMayTell(); may != c.want || got.Verdict == CannotTell && may == (why != "") {
			t.Errorf("%s: %v %q (%s)", name, may, why, got.Verdict)
		}
	}
	// An objective that more attempts would decide, beside one that they would not.
	a, b := armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 0.99, 0.98)...)
	p := policyOf("ttft p95", 0.1, 0)
	p.SLO = true
	for _, few := range []bool{true, false} {
		b.Summary.SLO = []ObjectiveResult{{Objective: "ttft p99 <= 1s", Verdict: CannotTell, few: few}}
		got, err := CheckPolicy(a, b, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if may, _ := got.BlocksMayTell(); may != few {
			t.Errorf("an objective, few attempts %v: %v", few, may)
		}
	}
}
