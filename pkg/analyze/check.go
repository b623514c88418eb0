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
	// Looks is among how many looks at the data the error that the policy allows is divided: 1 unless a rerun was done or is
	// to be. The intervals of Comparison are those of this look.
	Looks int `json:"looks"`
}

// GateCheck is one line of a check.
type GateCheck struct {
	Name    string `json:"name"` // as in "ttft p95", "slo: ttft p99 <= 1s", "error budget"
	Verdict string `json:"verdict"`
	// Allowed is what passes, in words; Why is what was found.
	Allowed string `json:"allowed"`
	Why     string `json:"why"`
	// MoreBlocks: the verdict is cannot tell, and for want of blocks.
	MoreBlocks bool `json:"more_blocks,omitempty"`
}

// CheckPolicy holds a candidate against a baseline by a policy. It fails where the two do not compare, and where the policy
// names a figure that there is not: a gate that cannot be held is no gate.
//
// A run that has grown is taken as one that was looked at before each growth (CheckLooks).
func CheckPolicy(baseline, candidate *Arm, p *workload.Policy, floor map[string]float64) (*Check, error) {
	return CheckLooks(baseline, candidate, p, floor, 1)
}

// CheckLooks is CheckPolicy where so many looks at growing data are planned, 1 or more: whoever looks again when he cannot tell
// errs more often, so the error that the policy allows is divided among the looks (Bonferroni). Each of k looks has intervals of
// confidence 1 - (1 - p.Confidence)/k, which holds the error of all together however the looks depend on each other. A run that
// has grown had as many looks before as growths.
func CheckLooks(baseline, candidate *Arm, p *workload.Policy, floor map[string]float64, looks int) (*Check, error) {
	for _, arm := range []*Arm{baseline, candidate} {
		looks = max(looks, 1+len(arm.Record.Manifest.Extended))
	}
	if sameMeasurement(baseline, candidate) {
		return nil, fmt.Errorf("%s (%s) and %s (%s) are one measurement, which passes against itself whatever it is: name another run or approach as the baseline",
			baseline.Name, baseline.Record.Dir, candidate.Name, candidate.Record.Dir)
	}
	o := CompareOptions{Confidence: 1 - (1-float64(p.Confidence))/float64(looks), Floor: floor}
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
	check := &Check{Comparison: c, Looks: looks}
	check.whole(baseline)
	check.whole(candidate)
	for i := range p.Gates {
		k := slices.IndexFunc(c.Figures, func(f Figure) bool { return f.Name == p.Gates[i].Figure })
		check.Results = append(check.Results, holdGate(&c.Figures[k], &p.Gates[i], c.Confidence))
	}
	if p.SLO {
		check.slo(candidate)
	}
	if p.ErrorBudget != nil {
		check.budget(candidate, float64(*p.ErrorBudget))
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
		out.Why, out.MoreBlocks = f.Why, f.Change != nil && f.Blocks < leastFlat
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
	if f.Floor > limit { // a smaller change is none here (measurement.md section 12)
		limit = f.Floor
		out.Allowed += fmt.Sprintf(", or up to the noise floor of %.3g%%, which two identical endpoints differ by", 100*f.Floor)
	}
	out.Why = fmt.Sprintf("%+.3g%s, %.9g%% interval %+.3g to %+.3g", 100**f.Change, unit, 100*confidence, 100**f.Low, 100**f.High)
	switch {
	case low > limit:
		out.Verdict = Fail
	case high <= limit:
		out.Verdict = Pass
	default:
		out.MoreBlocks = true
		out.Why += "; the interval holds what passes and what does not"
		if n := f.blocksToPass(limit, confidence); n > f.Blocks {
			out.Why += fmt.Sprintf(" (with about %d blocks a candidate that is no worse passes in 9 of 10 cases)", n)
		}
	}
	return out
}

// slo takes the candidate's objectives in.
func (c *Check) slo(candidate *Arm) {
	for _, o := range candidate.Summary.Objectives() {
		r := GateCheck{Name: "slo: " + o.Objective, Verdict: o.Verdict, Allowed: o.Objective, Why: o.Why, MoreBlocks: o.few}
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
	c.Results = append(c.Results, GateCheck{Name: "error budget", Verdict: verdict, Allowed: fmt.Sprintf("at most %.4g%% of the attempts", 100*allowed), Why: why,
		MoreBlocks: verdict == CannotTell})
}

// BlocksMayTell reports whether more blocks can settle a check that cannot tell. Else why names a line that stays as it is.
func (c *Check) BlocksMayTell() (may bool, why string) {
	for _, r := range c.Results {
		if r.Verdict == CannotTell && !r.MoreBlocks {
			return false, fmt.Sprintf("%s: %s", r.Name, r.Why)
		}
	}
	return c.Verdict == CannotTell, ""
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
