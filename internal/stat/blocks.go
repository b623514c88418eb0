package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// BlocksNeeded is how many paired blocks a one-sided test at level alpha needs to find a ratio of 1+delta with this power,
// where the log ratio of a block has this standard deviation: ((z[1-alpha] + z[power]) sd / ln(1+delta))^2, rounded up. For
// alpha 0.05 and power 0.9 the sum of the two quantiles is 2.93.
//
// It takes sd as known, as a plan has to: with an sd estimated from the blocks themselves Student's law asks for about
// z[1-alpha]^2/2 blocks more (Guenther, 1981), which is one or two, and never fewer than two. Detectable answers the other
// way round, with Student's law. delta is negative for an improvement, and above -1.
func BlocksNeeded(sd, delta, alpha, power float64) (int, error) {
	if !(sd >= 0) || math.IsInf(sd, 0) {
		return 0, fmt.Errorf("the standard deviation is %v: it must be finite and not negative", sd)
	}
	if !(delta > -1) || delta == 0 || math.IsInf(delta, 0) {
		return 0, fmt.Errorf("the difference is %v: it must be above -1, finite and not 0", delta)
	}
	z, err := testQuantiles(alpha, power)
	if err != nil {
		return 0, err
	}
	n := math.Ceil(math.Pow(z*sd/math.Log1p(delta), 2))
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("a difference of %v is not to be found against a standard deviation of %v: it would take %.3g blocks", delta, sd, n)
	}
	return max(2, int(n)), nil
}

// testQuantiles is z[1-alpha] + z[power].
func testQuantiles(alpha, power float64) (float64, error) {
	if err := checkShare("alpha", alpha); err != nil {
		return 0, err
	}
	if err := checkShare("the power", power); err != nil {
		return 0, err
	}
	if alpha >= power {
		return 0, fmt.Errorf("the power, %v, must be above alpha, %v", power, alpha)
	}
	return distuv.UnitNormal.Quantile(1-alpha) + distuv.UnitNormal.Quantile(power), nil
}

// Detectable is the smallest delta for which n paired blocks find a ratio of 1+delta with this power, in a one-sided test at
// level alpha: exp((t[1-alpha] + t[power]) sd / sqrt(n)) - 1 with quantiles of Student's law of n-1 degrees of freedom. It
// fails below two blocks.
func Detectable(n int, sd, alpha, power float64) (delta float64, err error) {
	if n < 2 {
		return 0, fmt.Errorf("detectable difference: %w: %d blocks, at least 2 are needed", ErrTooFew, n)
	}
	if !(sd >= 0) || math.IsInf(sd, 0) {
		return 0, fmt.Errorf("the standard deviation is %v: it must be finite and not negative", sd)
	}
	if _, err := testQuantiles(alpha, power); err != nil {
		return 0, err
	}
	law := studentsT(n - 1)
	return math.Expm1((law.Quantile(1-alpha) + law.Quantile(power)) * sd / math.Sqrt(float64(n))), nil
}
