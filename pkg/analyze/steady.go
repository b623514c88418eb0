package analyze

import (
	"fmt"
	"math"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// Steady says whether an approach had settled when it was measured, and how much its requests say (measurement.md sections 5
// and 9). Its figures are about TTFT, the one latency in which a queue shows at once; those over several blocks are sums, or
// means over the blocks that were judged. What could not be judged is absent.
type Steady struct {
	// NotJudged says why the truncation and the trend were not looked for. "" : they were.
	NotJudged string `json:"not_judged,omitempty"`
	// Blocks is how many blocks went through and had the 50 requests that a judgement takes.
	Blocks int `json:"blocks"`
	// Tau is the integrated autocorrelation time, in requests: one request in Tau counts.
	Tau *float64 `json:"tau,omitempty"`
	// RelaxationSeconds is the same in seconds: how long the endpoint remembers. It is rough, and too small, where RunLength of
	// a block is below some 50.
	RelaxationSeconds *float64 `json:"relaxation_seconds,omitempty"`
	// EffectiveN is how many independent requests say as much of the mean TTFT as these did, over all blocks. It is the length
	// of the run in relaxation times, too.
	EffectiveN *float64 `json:"effective_n,omitempty"`
	// RunLength is the length of a block in relaxation times: 200 in five blocks hold a p99, 60 a p95.
	RunLength *float64 `json:"run_length,omitempty"`
	// Few are the percentiles that are shown and have fewer than ten effective requests beyond them.
	Few []string `json:"few,omitempty"`
	// NeededSeconds is the measure time, over all blocks, that the highest of Few takes.
	NeededSeconds *float64 `json:"needed_seconds,omitempty"`
	// WarmUp is present where requests at the start of the measure phase were unlike the others.
	WarmUp *ShortWarmUp `json:"warm_up,omitempty"`
	// OverSaturated is present where more came in than was served.
	OverSaturated *OverSaturation `json:"over_saturated,omitempty"`
}

// ShortWarmUp is a start that does not belong to the rest.
type ShortWarmUp struct {
	Blocks int `json:"blocks"` // in which it was found
	// Seconds is how long the warm-up should be at least, from the block's time 0: the longest of the blocks.
	Seconds float64 `json:"seconds"`
	// Ratio is the geometric mean of the TTFTs before that over that of those behind it, of the worst block.
	Ratio float64 `json:"ratio"`
	// Settled: the start ends well inside the first half. Else the warm-up is longer than Seconds.
	Settled bool `json:"settled"`
}

// OverSaturation is a queue that grows as long as one measures.
type OverSaturation struct {
	Blocks      int     `json:"blocks"` // in which it was found
	OfferedRate float64 `json:"offered_rate"`
	// ServedRate is what was answered in the measure phase, 1/s: an estimate of the endpoint's capacity.
	ServedRate float64 `json:"served_rate"`
	// Growth is how many more requests were in flight at the end of the phase than at its start.
	Growth float64 `json:"growth"`
	// Slower is the factor by which TTFT rises over the phase, by the line through its logarithms.
	Slower float64 `json:"slower"`
}

// Advice of measurement.md section 9: so many blocks, each so many relaxation times long.
const (
	adviceBlocks = 5
	// adviceLoad of what was served is a rate at which the queue of an over-saturated endpoint forgets soon.
	adviceLoad = 0.8
)

// cycles is how many times arrivals that go on and off must do so in the measure phase before a trend is the endpoint's.
const cycles = 20

// varies says why the load of a scenario is not constant on purpose, so that latencies that change say nothing of the
// endpoint. "" : it is constant, in the mean over many cycles.
func varies(s *workload.Scenario) string {
	why := variesBy(&s.Arrivals, s.Phases)
	for i := range s.Mix {
		if a := s.Mix[i].Arrivals; a != nil && why == "" {
			if why = variesBy(a, s.Phases); why != "" {
				why += " (traffic class " + s.Mix[i].Name + ")"
			}
		}
	}
	return why
}

func variesBy(a *workload.Arrivals, p workload.Phases) string {
	shape, burst, err := a.Effective(p.Measure.D())
	if err != nil {
		return "" // no scenario that was driven has such arrivals
	}
	for _, named := range []struct {
		set  bool
		name string
	}{{len(shape.Steps) > 0, "steps"}, {shape.Spike != nil, "a spike"}, {shape.Ramp != nil, "a ramp"}, {shape.Diurnal != nil, "a day"}, {shape.Curve != nil, "a curve"}, {shape.Trace != nil, "a trace"}} {
		if named.set {
			return "the rate varies on purpose: " + named.name
		}
	}
	if burst.OnOff == nil {
		return ""
	}
	cycle := (burst.OnOff.On + burst.OnOff.Off).D().Seconds()
	if m := p.Measure.D().Seconds(); m < cycles*cycle {
		return fmt.Sprintf("the arrivals go on and off, and a measure phase of %s holds %.3g cycles: %d say something", p.Measure, m/cycle, cycles)
	}
	return ""
}

// steadyOf puts the blocks of an approach together; nil where none can be judged.
func steadyOf(blocks []steadyBlock, s *workload.Scenario) *Steady {
	out := &Steady{NotJudged: varies(s)}
	var tau, relaxation, effective stat.Moments
	for i := range blocks {
		b := &blocks[i]
		if b.n < leastSteady {
			continue
		}
		out.Blocks++
		// What the load does on purpose is no memory of the endpoint.
		if b.effective > 0 && out.NotJudged == "" {
			tau.Add(float64(b.n) / b.effective)
			effective.Add(b.effective)
			relaxation.Add(b.seconds / b.effective)
		}
	}
	if out.Blocks == 0 {
		return nil
	}
	if n := effective.N(); n > 0 {
		out.Tau, out.RelaxationSeconds, out.RunLength = new(tau.Mean()), new(relaxation.Mean()), new(effective.Mean())
		out.EffectiveN = new(effective.Mean() * float64(n))
	}
	if out.NotJudged != "" {
		return out
	}
	out.OverSaturated = saturationOf(blocks, out.Blocks)
	// A queue that grows has no start that is unlike the rest: all of it is.
	if out.OverSaturated == nil {
		out.WarmUp = warmUpOf(blocks, out.Blocks)
	}
	return out
}

// saturationOf gathers the blocks in which more came in than was served, nil unless they are at least half.
func saturationOf(blocks []steadyBlock, judged int) *OverSaturation {
	o := &OverSaturation{}
	var offered, served, growth, slower stat.Moments
	for i := range blocks {
		b := &blocks[i]
		if b.n < leastSteady || !b.saturated {
			continue
		}
		o.Blocks++
		offered.Add(b.offeredRate)
		served.Add(b.servedRate)
		growth.Add(b.growth)
		slower.Add(math.Log(b.slower))
	}
	if o.Blocks == 0 || 2*o.Blocks < judged {
		return nil
	}
	o.OfferedRate, o.ServedRate, o.Growth, o.Slower = offered.Mean(), served.Mean(), growth.Mean(), math.Exp(slower.Mean())
	return o
}

// warmUpOf gathers the blocks with a start of their own: the first block, whose endpoint may be cold, or at least half of them.
func warmUpOf(blocks []steadyBlock, judged int) *ShortWarmUp {
	w := &ShortWarmUp{Settled: true, Ratio: 1}
	first, seen := false, false
	for i := range blocks {
		b := &blocks[i]
		if b.n < leastSteady {
			continue
		}
		if b.cold {
			w.Blocks++
			w.Seconds = max(w.Seconds, b.settled)
			w.Settled = w.Settled && b.settles
			if math.Abs(math.Log(b.ratio)) > math.Abs(math.Log(w.Ratio)) {
				w.Ratio = b.ratio
			}
			first = first || !seen
		}
		seen = true
	}
	if w.Blocks == 0 || !first && 2*w.Blocks < judged {
		return nil
	}
	return w
}

// few finds the percentiles of TTFT that are shown and have too few effective requests beyond them, and what the highest takes.
func (s *Steady) few(q *Quantiles) {
	if s == nil || s.EffectiveN == nil || q == nil {
		return
	}
	for _, p := range percentiles {
		if *p.at(q) != nil && *s.EffectiveN*(1-p.q) < minTail {
			s.Few = append(s.Few, p.name)
			s.NeededSeconds = new(float64(tailSize(p.q)) * *s.RelaxationSeconds)
		}
	}
}

// steady judges whether an approach had settled, and says what to do where it had not.
func (a *audit) steady(f *fold, s *workload.Scenario) {
	st := f.steady
	if st == nil {
		return
	}
	if o := st.OverSaturated; o != nil {
		a.add(Suspect, "over_saturated", "%s: more came in than was served: %.3g requests/s were offered and %.3g/s answered, %.0f more were in flight at the end than at the start, and TTFT rose by a factor of %.3g%s. Its latencies depend on how long one measured, and %.3g/s is what it can do at most. For latencies, offer %.3g/s or less%s",
			f.name, o.OfferedRate, o.ServedRate, o.Growth, o.Slower, inBlocks(o.Blocks, st.Blocks), o.ServedRate, adviceLoad*o.ServedRate, queueAdvice(o.ServedRate))
	}
	if w := st.WarmUp; w != nil {
		how := fmt.Sprintf("%.3g times as slow", w.Ratio)
		if w.Ratio < 1 {
			how = fmt.Sprintf("%.3g times as fast", 1/w.Ratio)
		}
		least := "at least"
		if !w.Settled {
			least = "longer than"
		}
		verdict := Suspect
		if s.Converses() {
			verdict = Valid // conversations add up over their own length: that is the load, and not the endpoint
		}
		a.add(verdict, "warm_up_short", "%s: it had not settled when the measure phase began: until second %.3g its TTFTs were %s as later on (the typical one, MSER-5)%s. Make phases.warmup %s %s (it is %s)",
			f.name, w.Seconds, how, inBlocks(w.Blocks, st.Blocks), least, roundUp(w.Seconds), s.Phases.Warmup)
	}
	// Of a queue that grows no length of run is enough.
	if len(st.Few) > 0 && st.OverSaturated == nil {
		a.add(Valid, "few_effective", "%s: its TTFTs depend on those before (one in %.3g counts), so %d say as much as %.0f independent ones, and fewer than ten of these lie beyond %s: another run may find another value. %s",
			f.name, max(*st.Tau, 1), f.ok, *st.EffectiveN, andHigher(st.Few), lengthAdvice(*st.NeededSeconds, s.Phases.Measure.D().Seconds()))
	}
}

// andHigher names percentiles of which the first is the lowest.
func andHigher(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return names[0] + " and the higher percentiles"
}

// inBlocks says in how many of several blocks something was found.
func inBlocks(found, all int) string {
	if all < 2 {
		return ""
	}
	return fmt.Sprintf(", in %d of %d blocks", found, all)
}

// lengthAdvice says how many blocks of the present length would do, and the shortest way by five longer ones.
func lengthAdvice(needed, measure float64) string {
	blocks := max(adviceBlocks, int(math.Ceil(needed/measure)))
	text := fmt.Sprintf("About %d blocks of this length would do (--blocks %d)", blocks, blocks)
	if each := needed / adviceBlocks; each > measure {
		text += fmt.Sprintf(", or %d of %s", adviceBlocks, roundUp(each))
	}
	return text
}

// queueAdvice says how long to measure at the rate that is advised, where a queue of one server is the guide.
func queueAdvice(capacity float64) string {
	relaxation, err := stat.RelaxationTime(1/capacity, adviceLoad, 1, 1)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", for %s or longer (200 relaxation times of a queue at that load: a guide)", roundUp(200*relaxation))
}

// roundUp writes seconds as a length of time to put into a scenario: to two digits, upwards.
func roundUp(seconds float64) string {
	if seconds <= 0 {
		return "0s"
	}
	unit := math.Pow(10, math.Floor(math.Log10(seconds))-1)
	s := math.Ceil(seconds/unit-1e-9) * unit
	switch {
	case s < 120:
		return fmt.Sprintf("%.3gs", s)
	case s < 7200:
		return fmt.Sprintf("%.0fm", math.Ceil(s/60))
	}
	return fmt.Sprintf("%.0fh", math.Ceil(s/3600))
}
