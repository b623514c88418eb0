package workload

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TraceFit is a scenario that mimics a trace, beside what it mimics.
type TraceFit struct {
	Scenario *Scenario
	Recorded *TraceProfile
	Fitted   *TraceProfile // of the scenario's schedule and lengths
	// Distance is the mean of |ln(fitted/recorded)| over CV and the IDCs that could be compared: 0.1 is about 10% off.
	Distance float64
}

// FitOptions say how a trace is fitted.
type FitOptions struct {
	Name string // of the scenario
	Seed uint64 // of the scenario, and of what is sampled
	// Lognormal takes lognormal lengths, prompt and answer apart, in the place of pairs out of the trace.
	Lognormal bool
}

const (
	fitPairs    = 1000    // pairs of lengths that a scenario holds
	fitSample   = 100_000 // rows they are chosen from
	fitSteps    = 20      // steps of a rate that is not constant
	stepsMargin = 0.1     // how much less distance steps must leave to be worth it
)

// FitTrace reads the trace that the options name and makes a scenario that mimics it: of a constant rate and one in steps,
// with Poisson, gamma or on-off gaps, the one whose schedules come closest in CV and IDC.
func FitTrace(t *Trace, dir string, o FitOptions) (*TraceFit, error) {
	p, err := InspectTrace(t, dir, o.Seed)
	if err != nil {
		return nil, err
	}
	if p.Used < 100 || p.Span < 10 {
		return nil, fmt.Errorf("%s has %d usable requests in %.3g s: a fit needs 100 in 10 s or more", p.Path, p.Used, p.Span)
	}
	sample, err := sampleTrace(t, dir, o.Seed, p)
	if err != nil {
		return nil, err
	}
	fit := &TraceFit{Recorded: p, Scenario: &Scenario{Name: o.Name, Seed: o.Seed,
		Phases: Phases{Measure: Duration(rounded(math.Floor(min(p.Span, seconds(maxPhase))) * 1e9)), Drain: Duration(30 * time.Second)}}}
	if err := fit.arrivals(sample); err != nil {
		return nil, err
	}
	fit.Scenario.Prompts = fitPrompts(p, sample, o)
	sched, err := NewSchedule(fit.Scenario)
	if err != nil {
		return nil, err
	}
	source, err := NewSource(fit.Scenario, sched)
	if err != nil {
		return nil, err
	}
	fit.Fitted, err = ProfileSchedule("fitted", sched, source.Lengths)
	return fit, err
}

// arrivals chooses the shape and the burst family.
func (f *TraceFit) arrivals(sample *traceSample) error {
	p := f.Recorded
	rates := p.Timeline.Rates(p.Span, fitSteps)
	length := Duration(rounded(p.Span / fitSteps * 1e9).Round(time.Millisecond))
	var steps []Step
	for _, r := range rates {
		steps = append(steps, Step{For: length, Rate: Rate(significant(r))})
	}
	best := math.Inf(1)
	for _, burst := range fitBursts(p, sample) {
		constant := Arrivals{Rate: Rate(significant(p.Rate)), Shape: &Shape{Constant: &ConstantShape{}}, Burst: &burst}
		stepped := Arrivals{Shape: &Shape{Steps: steps}, Burst: &burst}
		for _, c := range []struct {
			arrivals Arrivals
			penalty  float64
		}{{constant, 0}, {stepped, stepsMargin}} {
			d, err := f.distance(c.arrivals)
			if err != nil {
				return err
			}
			if d+c.penalty < best {
				best = d + c.penalty
				f.Scenario.Arrivals, f.Distance = c.arrivals, d
			}
		}
	}
	return nil
}

// fitBursts are the families to try: gamma on a grid around the CVs of the trace, and on-off where gaps are very uneven.
func fitBursts(p *TraceProfile, sample *traceSample) []Burst {
	bursts := []Burst{{Poisson: &PoissonBurst{}}}
	low, high := recordedCV(p), recordedCV(p)
	if p.Step == 0 && p.MinuteCV != nil {
		low, high = min(low, *p.MinuteCV), max(high, *p.MinuteCV)
	}
	low, high = max(low/2, minCV), min(high*1.5, maxCV)
	const grid = 10
	for i := range grid {
		cv := significant(low * math.Pow(high/low, float64(i)/(grid-1)))
		if math.Abs(cv-1) > 0.1 { // that is Poisson, as far as a trace can tell
			bursts = append(bursts, Burst{Gamma: &CVBurst{CV: cv}})
		}
	}
	if on, off := sample.periods(); recordedCV(p) > 1.5 && on > 0 && off > 0 {
		bursts = append(bursts, Burst{OnOff: &OnOff{On: Duration(on), Off: Duration(off)}})
	}
	return bursts
}

// recordedCV is the CV of the gaps, without the effect of coarse time stamps; 1 where it is not known.
func recordedCV(p *TraceProfile) float64 {
	switch {
	case p.DequantisedCV != nil:
		return *p.DequantisedCV
	case p.CV != nil:
		return *p.CV
	}
	return 1
}

// distance compares schedules of these arrivals with the trace, in the mean over some seeds.
func (f *TraceFit) distance(a Arrivals) (float64, error) {
	p := f.Recorded
	seeds := max(min(200_000/p.Used, 5), 1)
	var cv float64
	idc := make([]float64, len(p.Dispersions))
	for seed := range seeds {
		s, err := NewSchedule(&Scenario{Seed: f.Scenario.Seed + uint64(seed), Phases: f.Scenario.Phases, Arrivals: a})
		if err != nil {
			return 0, err
		}
		st := s.Stats()
		if st.CV == nil { // a handful of arrivals
			return math.Inf(1), nil
		}
		cv += *st.CV / float64(seeds)
		for i, d := range st.Dispersions {
			if d.IDC != nil {
				idc[i] += *d.IDC / float64(seeds)
			}
		}
	}
	sum, n := math.Abs(math.Log(cv/recordedCV(p))), 1.0
	for i, d := range p.Dispersions {
		// Within a few steps of coarse time stamps the counts say nothing.
		if d.IDC != nil && *d.IDC > 0 && idc[i] > 0 && d.Width > 4*p.Step {
			sum += math.Abs(math.Log(idc[i] / *d.IDC))
			n++
		}
	}
	return sum / n, nil
}

// fitPrompts takes the lengths from the sample, or from the moments of the trace.
func fitPrompts(p *TraceProfile, sample *traceSample, o FitOptions) Prompts {
	law := func(l *LengthProfile) *Lengths {
		if l == nil { // not recorded
			fixed := 100
			return &Lengths{Fixed: &fixed}
		}
		return &Lengths{Lognormal: &Lognormal{Median: significant(math.Exp(l.LogMean)), Sigma: significant(l.LogSD), Max: min(l.Max, longest)}}
	}
	if pairs := sample.spread(fitPairs); len(pairs) > 0 && !o.Lognormal {
		return Prompts{Synthetic: &Synthetic{Pairs: pairs}}
	}
	return Prompts{Synthetic: &Synthetic{Input: law(p.Input), Output: law(p.Output)}}
}

// significant rounds to four digits: more only look exact.
func significant(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// traceSample is what a fit takes from a second reading.
type traceSample struct {
	pairs [][2]int // each used row is among them with the same chance

	quiet    time.Duration // a longer gap ends an on period
	last     time.Duration
	on, off  time.Duration // all together
	offCount int
}

// sampleTrace reads the trace once more.
func sampleTrace(t *Trace, dir string, seed uint64, p *TraceProfile) (*traceSample, error) {
	f, err := OpenTrace(t, dir, seed)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &traceSample{quiet: rounded(10 / p.Rate * 1e9), last: -1}
	dice := stat.Keyed(seed, "trace fit sample", 0)
	n := 0
	err = eachRow(f.rows, func(r *TraceRow) {
		if r.unusable() != "" {
			return
		}
		s.gap(r.At)
		if r.Input > longest || r.Output > longest || r.Input < 0 || r.Output < 0 {
			return
		}
		n++
		if len(s.pairs) < fitSample {
			s.pairs = append(s.pairs, [2]int{r.Input, r.Output})
		} else if i := dice.IntN(n); i < fitSample {
			s.pairs[i] = [2]int{r.Input, r.Output}
		}
	})
	return s, err
}

// gap counts the time since the row before as on or off.
func (s *traceSample) gap(at time.Duration) {
	switch d := at - s.last; {
	case s.last < 0:
	case d > s.quiet:
		s.off += d
		s.offCount++
	default:
		s.on += d
	}
	s.last = at
}

// periods are the mean on and off period; 0 where there are too few to tell.
func (s *traceSample) periods() (on, off time.Duration) {
	if s.offCount < 10 {
		return 0, 0
	}
	n := time.Duration(s.offCount)
	return (s.on / n).Round(time.Millisecond), (s.off / n).Round(time.Millisecond)
}

// spread chooses n pairs whose input and output lengths are distributed like those of the sample: one of each of n parts
// in the order of the input length, at ranks of the output length within its part that go evenly through all.
func (s *traceSample) spread(n int) [][2]int {
	sorted := slices.Clone(s.pairs)
	slices.SortFunc(sorted, byLength(0))
	if len(sorted) <= n {
		return sorted
	}
	chosen := make([][2]int, n)
	rank := 0.5
	for i := range chosen {
		part := sorted[i*len(sorted)/n : (i+1)*len(sorted)/n]
		slices.SortFunc(part, byLength(1))
		chosen[i] = part[int(rank*float64(len(part)))]
		_, rank = math.Modf(rank + 1/math.Phi)
	}
	return chosen
}

// byLength orders pairs by one of their lengths, then by the other.
func byLength(first int) func(a, b [2]int) int {
	return func(a, b [2]int) int {
		return cmp.Or(a[first]-b[first], a[1-first]-b[1-first])
	}
}
