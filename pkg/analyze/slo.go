package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mathext"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// judge decides one objective for one approach.
//
// A percentile objective "p95 <= x" says that at most 5% of attempts may be slower than x, and goodput and error rate
// are shares already. So each is a count k of bad attempts among n against an allowed share a. With enough attempts
// (n*a >= 10) the observed share decides. With fewer, only an outcome that would be improbable (5%) on the other side
// of the line decides (exact binomial test); the rest is "cannot tell".
//
// A latency closer to its limit than the instrument's own error is "cannot tell" too; floor may be nil.
func (f *fold) judge(o workload.Objective, floor *measure.NoiseFloor) ObjectiveResult {
	r := ObjectiveResult{Objective: o.Text, Verdict: CannotTell}
	if f.attempts == 0 {
		r.Why = "no attempt in the measure phase"
		return r
	}
	switch o.Metric {
	case "goodput":
		ratio := float64(f.good) / float64(f.attempts)
		r.Value = &ratio
		r.Verdict, r.Why = judgeShare(f.attempts-f.good, f.attempts, 1-o.Value, ratio, o)
		r.few = r.Verdict == CannotTell
	case "error_rate":
		ratio := float64(f.failures()) / float64(f.attempts)
		r.Value = &ratio
		r.Verdict, r.Why = judgeShare(f.failures(), f.attempts, o.Value, ratio, o)
		r.few = r.Verdict == CannotTell
	case "goodput_rate":
		if f.span > 0 {
			rate := float64(f.good) / f.span
			r.Value, r.Verdict = &rate, verdictOf(holds(o, rate))
		}
	default:
		f.judgeLatency(o, &r)
		if e := InstrumentError(floor, workload.Metric(o.Metric)); r.Value != nil && math.Abs(*r.Value-o.Value) < e {
			r.Verdict, r.few = CannotTell, false
			r.Why = fmt.Sprintf("closer to the limit than infbench itself may be off by on this machine (%s, infbench selftest)", time.Duration(e*1e9))
		}
	}
	return r
}

// InstrumentError is what infbench itself is off by (p99), seconds: 0 where that was never measured, or where the metric is
// none that its stamps decide. A difference below it is no difference.
func InstrumentError(floor *measure.NoiseFloor, m workload.Metric) float64 {
	switch {
	case floor == nil:
		return 0
	case m == workload.ITL || m == workload.ChunkGap || m == workload.TPOT || m == workload.Stall:
		return floor.Gap
	case overAttempts(m):
		return floor.TTFT
	}
	return 0
}

func (f *fold) judgeLatency(o workload.Objective, r *ObjectiveResult) {
	m := workload.Metric(o.Metric)
	h := f.tally.Hist(m)
	failures := int64(0)
	if overAttempts(m) {
		failures = int64(f.failures())
	}
	total := h.Count() + failures
	if total == 0 || h.Count() == 0 && failures == 0 {
		r.Why = "no request has this metric"
		return
	}
	q, isQuantile := quantileOfStat(o.Stat)
	if !isQuantile {
		f.judgeExtreme(o, r, failures)
		return
	}
	slow := failures
	for _, b := range h.Buckets() {
		if !holds(o, b.Value.Seconds()) {
			slow += b.Count
		}
	}
	slow += h.Totals().Overflow
	var value float64
	if d, ok := h.ValueAtRank(rank(q, total)); ok {
		value = d.Seconds()
		if total >= tailSize(q) {
			r.Value = &value
		}
	} else {
		value = math.Inf(1)
	}
	r.Verdict, r.Why = judgeShare(int(slow), int(total), 1-q, value, o)
	r.few = r.Verdict == CannotTell
	if math.IsInf(value, 1) && r.Verdict == Fail {
		r.Why = fmt.Sprintf("%d of %d attempts failed: this percentile lies among them", failures, total)
	}
}

// judgeExtreme judges mean and max, which failures make infinite.
func (f *fold) judgeExtreme(o workload.Objective, r *ObjectiveResult, failures int64) {
	t := f.tally.Hist(workload.Metric(o.Metric)).Totals()
	value := float64(t.Max) / 1e9
	if o.Stat == "mean" {
		value = t.Sum / float64(t.Count) / 1e9
	}
	switch {
	case failures > 0:
		r.Verdict, r.Why = Fail, fmt.Sprintf("%d attempts failed: they have no end to their latency", failures)
	default:
		r.Value, r.Verdict = &value, verdictOf(holds(o, value))
	}
}

func quantileOfStat(stat string) (float64, bool) {
	for _, p := range percentiles {
		if p.name == stat {
			return p.q, true
		}
	}
	return 0, false
}

// judgeShare decides k bad of n against an allowed share; value is the number that the objective itself speaks of.
func judgeShare(k, n int, allowed, value float64, o workload.Objective) (verdict, why string) {
	if float64(n)*allowed >= minTail-1e-6 {
		return verdictOf(holds(o, value)), ""
	}
	if allowed <= 0 {
		return verdictOf(k == 0), ""
	}
	switch {
	case binomialCDF(k, n, allowed) <= 0.05:
		return Pass, fmt.Sprintf("few attempts (%d), but so few bad ones (%d) that it holds at 95%% confidence", n, k)
	case 1-binomialCDF(k-1, n, allowed) <= 0.05:
		return Fail, fmt.Sprintf("few attempts (%d), but so many bad ones (%d) that it fails at 95%% confidence", n, k)
	}
	return CannotTell, fmt.Sprintf("n too small: %d attempts, %d bad; %d attempts would decide", n, k, int(math.Ceil(minTail/allowed-1e-6)))
}

// binomialCDF is P(Bin(n, p) <= k) = I_{1-p}(n-k, k+1) (measurement.md section 7).
func binomialCDF(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}

// holds compares a value with the objective's limit.
func holds(o workload.Objective, v float64) bool {
	switch o.Op {
	case "<":
		return v < o.Value
	case ">":
		return v > o.Value
	case ">=":
		return v >= o.Value
	default:
		return v <= o.Value
	}
}

func verdictOf(ok bool) string {
	if ok {
		return Pass
	}
	return Fail
}

// Verdict is the approach's verdict over all objectives, those of its traffic classes too: fail if any failed, else cannot
// tell if any cannot tell, else pass (also with no objective at all).
func (a *ApproachSummary) Verdict() string {
	all := slices.Clone(a.SLO)
	for _, c := range a.Classes {
		all = append(all, c.SLO...)
	}
	return verdictOver(all)
}

// Verdict is the class's verdict over its own objectives, as that of an approach is.
func (c *ClassSummary) Verdict() string { return verdictOver(c.SLO) }

func verdictOver(results []ObjectiveResult) string {
	out := Pass
	for _, o := range results {
		switch {
		case o.Verdict == Fail:
			return Fail
		case o.Verdict == CannotTell:
			out = CannotTell
		}
	}
	return out
}
