package analyze

import (
	"math"

	"github.com/infbench/infbench/pkg/measure"
)

const (
	// flat is the standard deviation of log ratios below which the blocks are all equal: what is left is rounding. Of quantiles it
	// is a bucket: what is nearer than that is so because there was nothing between.
	flat = 1e-9
	// leastFlat is how many equal blocks it takes to say anything: by the signs alone, as many as a sign flip takes for p < 0.05.
	leastFlat = leastFlipped
)

// bucket is by how much the logarithm of a quantile may be off: the relative width of the histogram's buckets.
var bucket = math.Pow10(-measure.HistDigits)

// finest is the smallest standard deviation of log ratios that says something about how blocks differ.
func (f comparedFigure) finest() float64 {
	if f.quantile {
		return bucket
	}
	return flat
}

// level says that a few equal blocks tell nothing: times that fell into the same buckets have no spread to estimate an interval
// by, and one of width 0 would pass or fail with certainty.
func (f *Figure) level() {
	f.withoutInterval()
	f.cannot("all %d blocks differ by the same, to the histogram's last digit: so few have no spread to say how sure this is by; run with --blocks 10", f.Blocks)
}

// unbounded says that the interval has no end that a number could tell: too few blocks for so high a confidence.
func (f *Figure) unbounded() {
	f.withoutInterval()
	f.cannot("%d blocks say nothing at this confidence: the interval has no upper end; run with more blocks", f.Blocks)
}

func (f *Figure) withoutInterval() {
	f.Low, f.High, f.P, f.SD, f.SignFlip, f.BootstrapLow, f.BootstrapHigh = nil, nil, nil, nil, nil, nil, nil
}

// blur widens the interval of a ratio of two quantiles by what their buckets hide: either may be off by a bucket, in any block
// the same way, which no spread shows.
func (f *Figure) blur() {
	f.Low, f.High = new((1+*f.Low)*math.Exp(-bucket)-1), new((1+*f.High)*math.Exp(bucket)-1)
}
