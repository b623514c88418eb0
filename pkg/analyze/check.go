package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// Check is the verdict of a gate: whether a change may pass, by a policy that was written down before.
type Check struct {
	// Verdict is that of the worst of the results: fail over cannot tell over pass.
	Verdict    string      `json:"verdict"`
	Comparison *Comparison `json:"comparison"`
	Results    []GateCheck `json:"results"`
}

// GateCheck is one line of a check.
type GateCheck struct {
	Name    string `json:"name"` // as in "ttft p95", "slo: ttft p99 <= 1s", "error budget"
	Verdict string `json:"verdict"`
	// Allowed is what passes, in words; Why is what was found.
	Allowed string `json:"allowed"`
	Why     string `json:"why"`
}

// CheckPolicy holds a candidate against a baseline by a policy. It fails where the two do not compare, and where the policy
// names a figure that there is not: a gate that cannot be held is no gate.
func CheckPolicy(baseline, candidate *Arm, p *workload.Policy, floor map[string]float64) (*Check, error) {
	o := CompareOptions{Confidence: float64(p.Confidence), Floor: floor}
	for _, g := range p.Gates {
		o.Gated = append(o.Gated, g.Figure)
		known := FigureNames()
		switch _, _, time := strings.Cut(g.Figure, " "); {
		case !slices.Contains(known, g.Figure):
			return nil, fmt.Errorf("the policy gates %q, and there is no such figure: there are %s", g.Figure, strings.Join(known, ", "))
		case g.AtLeast > 0 && !time:
			return nil, fmt.Errorf("the policy gates %s with at_least: %s, and it is no time: remove at_least", g.Figure, g.AtLeast)
		}
	}
	c, err := Compare(baseline, candidate, false, o)
	if err != nil {
		return nil, err
	}
	check := &Check{Comparison: c}
	for i := range p.Gates {
		k := slices.IndexFunc(c.Figures, func(f Figure) bool { return f.Name == p.Gates[i].Figure })
		check.Results = append(check.Results, holdGate(&c.Figures[k], &p.Gates[i], c.Confidence))
	}
	if p.SLO {
		check.slo(candidate)
	}
	if p.ErrorBudget > 0 {
		check.budget(candidate, float64(p.ErrorBudget))
	}
	check.Verdict = Pass
	for _, r := range check.Results {
		if r.Verdict == Fail || r.Verdict == CannotTell && check.Verdict == Pass {
			check.Verdict = r.Verdict
		}
	}
	return check, nil
}

// holdGate judges one figure by the bound of its interval.
func holdGate(f *Figure, g *workload.Gate, confidence float64) GateCheck {
	unit := "%"
	if f.Share {
		unit = " points"
	}
	out := GateCheck{Name: f.Name, Verdict: CannotTell, Allowed: fmt.Sprintf("at most %.4g%s worse", 100*float64(g.Worse), unit)}
	if g.AtLeast > 0 {
		out.Allowed += fmt.Sprintf(", or less than %s", g.AtLeast)
	}
	if f.Low == nil || f.High == nil || f.Baseline == nil {
		out.Why = f.Why
		return out
	}
	low, high := *f.Low, *f.High // of the change to the worse
	if f.HigherIsBetter {
		low, high = -high, -low
	}
	limit := float64(g.Worse)
	if g.AtLeast > 0 { // what is small in absolute terms passes
		limit = max(limit, g.AtLeast.D().Seconds()/(*f.Baseline))
	}
	out.Why = fmt.Sprintf("%+.3g%s, %g%% interval %+.3g to %+.3g", 100**f.Change, unit, 100*confidence, 100**f.Low, 100**f.High)
	switch {
	case low > limit:
		out.Verdict = Fail
	case high <= limit:
		out.Verdict = Pass
	default:
		out.Why += "; the interval holds what passes and what does not"
		if f.Needed > 0 {
			out.Why += fmt.Sprintf(" (about %d blocks would settle it)", f.Needed)
		}
	}
	return out
}

// slo takes the candidate's objectives in.
func (c *Check) slo(candidate *Arm) {
	for _, o := range candidate.Summary.Objectives() {
		r := GateCheck{Name: "slo: " + o.Objective, Verdict: o.Verdict, Allowed: o.Objective, Why: o.Why}
		if o.Value != nil && r.Why == "" {
			r.Why = fmt.Sprintf("%.4g", *o.Value)
		}
		c.Results = append(c.Results, r)
	}
}

// budget judges the share of the candidate's attempts that failed.
func (c *Check) budget(candidate *Arm, allowed float64) {
	n, failed := candidate.Summary.Attempts, candidate.Summary.Attempts-candidate.Summary.OK
	share := float64(failed) / float64(max(n, 1))
	verdict, why := judgeShare(failed, n, allowed, share, workload.Objective{Metric: string(workload.ErrorRate), Op: "<=", Value: allowed})
	if why == "" {
		why = fmt.Sprintf("%d of %d attempts failed", failed, n)
	}
	c.Results = append(c.Results, GateCheck{Name: "error budget", Verdict: verdict, Allowed: fmt.Sprintf("at most %.4g%% of the attempts", 100*allowed), Why: why})
}

// Objectives are the approach's own, and those of its traffic classes by their names.
func (a *ApproachSummary) Objectives() []ObjectiveResult {
	all := slices.Clone(a.SLO)
	for _, c := range a.Classes {
		for _, o := range c.SLO {
			o.Objective = c.Name + ": " + o.Objective
			all = append(all, o)
		}
	}
	return all
}
