package analyze

import (
	"math"

	"github.com/infbench/infbench/internal/stat"
)

// blocksToPass is about how many blocks it takes for the whole interval of a candidate that is no worse to lie below a gate's
// limit, in 9 of 10 cases; 0 where there is no limit to plan for. One side of the interval is in question, so it errs in half of
// what its confidence leaves. Limit is a relative change to the worse, or a difference of shares.
func (f *Figure) blocksToPass(limit, confidence float64) int {
	delta := limit
	switch {
	case f.SD == nil:
		return 0
	case f.Share: // differences: the same formula, without the logarithm
		delta = math.Expm1(limit)
	case f.HigherIsBetter:
		delta = -limit
	}
	n, err := stat.BlocksNeeded(*f.SD, delta, (1-confidence)/2, planPower)
	if err != nil {
		return 0
	}
	return n
}
