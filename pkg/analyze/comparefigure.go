package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/infbench/infbench/internal/stat"
)

// The fewest blocks for each method (measurement.md section 11): below them it says nothing.
const (
	leastBlocks    = 2
	leastFlipped   = 6
	leastBootstrap = 5
	bootstrapDraws = 2000
)

// compare computes a figure of both arms over the rounds that they share, or over all their blocks where they share none.
func (f comparedFigure) compare(a, b *Arm, rounds []int, o CompareOptions) Figure {
	out := Figure{Name: f.name, HigherIsBetter: f.higher, Share: f.share}
	x, xwhy := f.values(a, rounds)
	y, ywhy := f.values(b, rounds)
	out.Baseline, out.Candidate = f.mean(x), f.mean(y)
	out.Blocks = min(len(x), len(y))
	switch {
	case f.name == goodputFigure && !sameLimits(a, b):
		out.cannot("their request limits differ, so a good request of %s is not one of %s: give both the same slo.request", a.Name, b.Name)
	case xwhy != "":
		out.cannot("%s: %s", a.Name, xwhy)
	case ywhy != "":
		out.cannot("%s: %s", b.Name, ywhy)
	case out.Blocks == 0:
		out.cannot("no block of one side went through")
	case out.Blocks < leastBlocks:
		out.change(*out.Baseline, *out.Candidate)
		out.cannot("%d block on a side: requests of one block are not independent, so nothing can be said of how sure this is; run with --blocks 10", out.Blocks)
	case !f.share && (slices.Contains(x, 0) || slices.Contains(y, 0)):
		out.cannot("a block has the value 0, which has no ratio")
	case len(rounds) > 0:
		out.paired(f.differences(x, y), o)
	default:
		out.independent(f.scaled(x), f.scaled(y), o)
	}
	switch {
	case out.Low == nil:
	case f.share:
		f.widen(&out, a, b, rounds, o)
	case *out.SD < f.finest() && out.Blocks < leastFlat:
		out.level()
	case math.IsInf(*out.High, 1):
		out.unbounded()
	case f.quantile:
		out.blur()
	}
	return out
}

// widen gives the interval of a difference of shares at least the width that as many independent attempts would leave it: ten
// blocks without a failure do not say that there is none (Newcombe's hybrid score interval; Statistics in Medicine 17, 1998,
// method 10).
func (f comparedFigure) widen(out *Figure, a, b *Arm, rounds []int, o CompareOptions) {
	var at [2]float64
	var in [2]stat.Interval
	for i, arm := range []*Arm{a, b} {
		hits, n := 0, 0
		for _, round := range roundsOf(arm, rounds) {
			k, attempts := f.counts(arm.Blocks[round])
			hits, n = hits+k, n+attempts
		}
		interval, err := stat.Wilson(hits, n, o.Confidence)
		if err != nil {
			out.cannot("%v", err)
			return
		}
		at[i], in[i] = float64(hits)/float64(n), interval
	}
	d := at[1] - at[0]
	low := d - math.Hypot(at[1]-in[1].Low, in[0].High-at[0])
	high := d + math.Hypot(in[1].High-at[1], at[0]-in[0].Low)
	out.Low, out.High = new(min(*out.Low, low)), new(max(*out.High, high))
}

// roundsOf are the rounds, or all of the arm's where there are none.
func roundsOf(a *Arm, rounds []int) []int {
	if len(rounds) > 0 {
		return rounds
	}
	return slices.Sorted(maps.Keys(a.Blocks))
}

// values are the figure's values in the rounds, or in all blocks where there are no rounds; why says what is missing.
func (f comparedFigure) values(a *Arm, rounds []int) (values []float64, why string) {
	for _, round := range roundsOf(a, rounds) {
		v, missing := f.of(a.Blocks[round])
		if v == nil {
			return nil, missing
		}
		values = append(values, *v)
	}
	return values, ""
}

// scaled are the logarithms of times and rates, and shares as they are.
func (f comparedFigure) scaled(values []float64) []float64 {
	out := slices.Clone(values)
	if !f.share {
		for i := range out {
			out[i] = math.Log(out[i])
		}
	}
	return out
}

func (f comparedFigure) differences(x, y []float64) []float64 {
	x, y = f.scaled(x), f.scaled(y)
	for i := range y {
		y[i] -= x[i]
	}
	return y
}

// mean is the arithmetic mean of shares and the geometric one of all else; nil for no values.
func (f comparedFigure) mean(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	var sum float64
	for _, v := range f.scaled(values) {
		sum += v
	}
	mean := sum / float64(len(values))
	if !f.share {
		mean = math.Exp(mean)
	}
	return &mean
}

func (f *Figure) cannot(format string, args ...any) {
	f.Verdict, f.Why = CannotTell, fmt.Sprintf(format, args...)
}

// change fills in the change alone, of which nobody knows how sure it is.
func (f *Figure) change(baseline, candidate float64) {
	switch {
	case f.Share:
		f.Change = new(candidate - baseline)
	case baseline > 0:
		f.Change = new(candidate/baseline - 1)
	}
}

// paired compares within rounds.
func (f *Figure) paired(r []float64, o CompareOptions) {
	e, err := stat.Paired(r, o.Confidence)
	if err != nil {
		f.cannot("%v", err)
		return
	}
	f.estimate(e)
	if e.SD == 0 && e.Mean == 0 {
		return // all pairs are equal: the other methods have nothing to add
	}
	if len(r) >= leastFlipped {
		if p, err := stat.SignFlip(r, 1); err == nil {
			f.SignFlip = &p
		}
	}
	if len(r) >= leastBootstrap {
		mean := func(v []float64) float64 {
			var m stat.Moments
			for _, x := range v {
				m.Add(x)
			}
			return m.Mean()
		}
		if i, err := stat.Bootstrap(r, mean, bootstrapDraws, 1, o.Confidence); err == nil {
			f.BootstrapLow, f.BootstrapHigh = new(f.scale(i.Low)), new(f.scale(i.High))
		}
	}
}

// independent compares arms that did not get the same requests.
func (f *Figure) independent(x, y []float64, o CompareOptions) {
	e, err := stat.Welch(x, y, o.Confidence)
	if err != nil {
		f.cannot("%v", err)
		return
	}
	f.estimate(e)
}

func (f *Figure) estimate(e stat.PairedEstimate) {
	f.Change, f.Low, f.High = new(f.scale(e.Mean)), new(f.scale(e.Interval.Low)), new(f.scale(e.Interval.High))
	f.P, f.SD = &e.P, &e.SD
}

// scale turns a difference of logarithms into a relative change.
func (f *Figure) scale(v float64) float64 {
	if f.Share {
		return v
	}
	return math.Expm1(v)
}
