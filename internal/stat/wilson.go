package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson is the score interval of a share of which k of n were seen (Wilson, 1927), with z the normal quantile of the
// confidence and p = k/n: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). It fails without trials and for k outside 0
// to n.
func Wilson(k, n int, confidence float64) (Interval, error) {
	if err := checkShare("the confidence", confidence); err != nil {
		return Interval{}, err
	}
	if n < 1 {
		return Interval{}, fmt.Errorf("a share of %d trials: %w", n, ErrTooFew)
	}
	if k < 0 || k > n {
		return Interval{}, fmt.Errorf("%d of %d: there cannot be fewer than none or more than all", k, n)
	}
	z := distuv.UnitNormal.Quantile(0.5 + confidence/2)
	trials, p := float64(n), float64(k)/float64(n)
	middle, half := p+z*z/(2*trials), z*math.Sqrt(p*(1-p)/trials+z*z/(4*trials*trials))
	i := Interval{max(0, (middle-half)/(1+z*z/trials)), min(1, (middle+half)/(1+z*z/trials))}
	// Exactly so, where rounding would leave a little.
	if k == 0 {
		i.Low = 0
	}
	if k == n {
		i.High = 1
	}
	return i, nil
}
