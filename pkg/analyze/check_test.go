package analyze

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// policyOf gates one figure.
func policyOf(figure string, worse workload.Share, atLeast workload.Duration) *workload.Policy {
	return &workload.Policy{Gates: []workload.Gate{{Figure: figure, Worse: worse, AtLeast: atLeast}}, Confidence: 0.95}
}

// TestGateIsAboutTheBound: a gate fails when the whole interval lies beyond what is allowed, passes when none of it does.
func TestGateIsAboutTheBound(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	for name, c := range map[string]struct {
		by      []float64
		worse   workload.Share
		atLeast workload.Duration
		want    string
	}{
		"twice what is allowed":                     {[]float64{1.19, 1.21}, 0.1, 0, Fail},
		"half of what is allowed":                   {[]float64{1.04, 1.06}, 0.1, 0, Pass},
		"just what is allowed":                      {[]float64{1.06, 1.14}, 0.1, 0, CannotTell},
		"the point lies beyond, the bound does not": {[]float64{1.0, 1.3}, 0.1, 0, CannotTell},
		"better":                   {[]float64{0.5, 0.6}, 0, 0, Pass},
		"much, but little in time": {[]float64{1.19, 1.21}, 0.1, workload.Duration(100e6), Pass},
		"much, in time too":        {[]float64{1.19, 1.21}, 0.1, workload.Duration(10e6), Fail},
	} {
		got, err := CheckPolicy(armOf("a", 1, base...), armOf("b", 1, scaledBy(base, c.by...)...), policyOf("ttft p95", c.worse, c.atLeast), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Verdict != c.want || len(got.Results) != 1 || got.Results[0].Verdict != c.want || got.Results[0].Why == "" {
			t.Errorf("%s: %+v", name, got.Results)
		}
	}
}

// TestCheckNeverPassesWhatItCannotTell: a figure that is missing, a single block and what does not compare.
func TestCheckNeverPassesWhatItCannotTell(t *testing.T) {
	for name, values := range map[string][]float64{"one block": {0.1}, "a value is missing": {0.1, 0, 0.1}} {
		got, err := CheckPolicy(armOf("a", 1, values...), armOf("b", 1, values...), policyOf("ttft p95", 0.1, 0), nil)
		if err != nil || got.Verdict != CannotTell || got.Results[0].Why == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	a, b := armOf("a", 1, 0.1, 0.1), armOf("b", 1, 0.1, 0.1)
	b.Summary.Validity = Invalid
	for name, c := range map[string]struct {
		b *Arm
		p *workload.Policy
	}{"invalid": {b, policyOf("ttft p95", 0.1, 0)}, "no figure": {a, policyOf("ttft", 0.1, 0)}, "at_least of a share": {a, policyOf("error_rate", 0.1, 1)}} {
		if got, err := CheckPolicy(a, c.b, c.p, nil); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestCheckTakesTheSLOIn: objectives and the error budget are the candidate's.
func TestCheckTakesTheSLOIn(t *testing.T) {
	p := policyOf("ttft p95", 0.1, 0)
	p.SLO, p.ErrorBudget = true, new(workload.Share(0.01))
	for _, c := range []struct {
		verdict string
		ok      int
		want    string
	}{{Pass, 1000, Pass}, {Fail, 1000, Fail}, {CannotTell, 1000, CannotTell}, {Pass, 900, Fail}, {CannotTell, 900, Fail}} {
		a, b := armOf("a", 1, 0.1, 0.11, 0.1), armOf("b", 1, 0.1, 0.111, 0.099)
		b.Summary.Attempts, b.Summary.OK = 1000, c.ok
		b.Summary.SLO = []ObjectiveResult{{Objective: "ttft p95 <= 1s", Verdict: c.verdict}}
		got, err := CheckPolicy(a, b, p, nil)
		if err != nil || got.Verdict != c.want || len(got.Results) != 3 {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}

// TestExperimentGate: two identical servers, 400 times: a gate that allows 5% fails in at most 5% of the trials, and passes in
// most; a candidate that is 20% slower fails in nine of ten.
func TestExperimentGate(t *testing.T) {
	trials := 400
	if !FullExperiment() {
		trials = 40
	}
	t.Logf("%5s %8s %6s %6s %12s", "load", "decode", "fail", "pass", "cannot tell")
	for i, c := range []struct{ load, decode float64 }{{0.3, 1}, {0.5, 1}, {0.8, 1}, {0.5, 1.2}} {
		verdicts := map[string]int{}
		for k := range trials {
			a, b := experimentArms(uint64(5_000_000*(i+1)+k), 10, 600, c.load, c.decode, true)
			got, err := CheckPolicy(a, b, policyOf("e2e p95", 0.05, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			verdicts[got.Verdict]++
		}
		share := func(v string) float64 { return float64(verdicts[v]) / float64(trials) }
		t.Logf("%5.1f %7.1fx %5.1f%% %5.1f%% %11.1f%%", c.load, c.decode, 100*share(Fail), 100*share(Pass), 100*share(CannotTell))
		if trials == 400 && (c.decode == 1 && share(Fail) > 0.05 || c.decode > 1 && share(Fail) < 0.9) {
			t.Errorf("%+v: %v", c, verdicts)
		}
	}
}

// TestCheckIsDeterministic: the same record gives the same check.
func TestCheckIsDeterministic(t *testing.T) {
	r := stat.Keyed(3, "check", 0)
	var base, other []float64
	for range 20 {
		v := r.Lognormal(0.2, 0.5)
		base, other = append(base, v), append(other, v*r.Lognormal(1.03, 0.05))
	}
	var first string
	for range 3 {
		c, err := CheckPolicy(armOf("a", 1, base...), armOf("b", 1, other...), policyOf("ttft p95", 0.1, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join([]string{c.Verdict, c.Results[0].Why}, " ")
		if first != "" && text != first {
			t.Errorf("%q, then %q", first, text)
		}
		first = text
	}
}

// TestErrorBudgetOfNone: a budget of 0% is one, and a single failure is beyond it; no budget is none.
func TestErrorBudgetOfNone(t *testing.T) {
	for _, c := range []struct {
		budget *workload.Share
		ok     int
		want   string
	}{{nil, 999, Pass}, {new(workload.Share(0)), 999, Fail}, {new(workload.Share(0)), 1000, Pass}} {
		p := policyOf("ttft p95", 0.1, 0)
		p.ErrorBudget = c.budget
		a, b := armOf("a", 1, 0.1, 0.11, 0.1), armOf("b", 1, 0.1, 0.111, 0.099)
		b.Summary.Attempts, b.Summary.OK = 1000, c.ok
		if got, err := CheckPolicy(a, b, p, nil); err != nil || got.Verdict != c.want {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}

// TestGateAllowsTheNoiseFloor: a change below what two identical endpoints differ by passes, and the line says why; one beyond it
// fails, and a floor below the limit changes nothing.
func TestGateAllowsTheNoiseFloor(t *testing.T) {
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	for _, c := range []struct {
		floor float64
		want  string
		said  bool
	}{{0, Fail, false}, {0.04, Fail, false}, {0.06, Fail, true}, {0.1, Pass, true}} {
		got, err := CheckPolicy(armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.07, 1.072)...), policyOf("ttft p95", 0.05, 0), map[string]float64{"ttft p95": c.floor})
		if err != nil || got.Verdict != c.want || strings.Contains(got.Results[0].Allowed, "noise floor") != c.said {
			t.Errorf("a floor of %g: %+v, %v", c.floor, got, err)
		}
	}
}
