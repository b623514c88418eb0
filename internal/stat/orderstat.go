package stat

import (
	"fmt"
	"math"
	"sort"
)

// OrderInterval says between which of n independent sorted values a quantile lies.
type OrderInterval struct {
	// Low and High are ranks from 1 to n. Low is 0 where no value is low enough to bound the quantile at this confidence, and
	// High is n+1 where none is high enough: the interval is then open on that side.
	Low, High int
	// Coverage is the chance that the quantile lies between the two values, both included, for a continuous law: at least
	// the confidence where both sides are bounded.
	Coverage float64
}

// QuantileInterval is the two-sided interval of the q-quantile from n independent values, of whatever law: the number of
// values below the quantile is binomial(n, q). Low is the largest l with P(X <= l-1) at most half of what the confidence
// leaves, High the smallest u with P(X >= u) at most that (David and Nagaraja, Order Statistics, section 7.1).
//
// The requests of one run are not independent, and the interval is then far too narrow: it is for values of blocks or runs,
// and a lower bound on the uncertainty else. QuantileRanks is the same at one standard error, by the normal law. It fails
// for n below 1 and for a q or a confidence outside (0, 1).
func QuantileInterval(n int, q, confidence float64) (OrderInterval, error) {
	if err := checkQuantile(q, confidence); err != nil {
		return OrderInterval{}, err
	}
	if n < 1 {
		return OrderInterval{}, fmt.Errorf("a quantile of %d values: %w", n, ErrTooFew)
	}
	tail := (1 - confidence) / 2
	i := OrderInterval{
		Low: sort.Search(n, func(l int) bool { return binomialAtMost(n, q, l) > tail }),
		// P(X >= u) = P(n-X <= n-u), of the small side, so that nothing is lost near 1.
		High: n + 1 - sort.Search(n, func(k int) bool { return binomialAtMost(n, 1-q, k) > tail }),
	}
	i.Coverage = 1 - binomialAtMost(n, q, i.Low-1) - binomialAtMost(n, 1-q, n-i.High)
	return i, nil
}

// LeastForBound is the smallest n of which the largest value bounds the q-quantile from above at this one-sided confidence:
// q^n <= 1-confidence. For a two-sided interval of confidence c take (1+c)/2. With fewer values a quantile must not decide
// anything.
func LeastForBound(q, confidence float64) (int, error) {
	if err := checkQuantile(q, confidence); err != nil {
		return 0, err
	}
	n := math.Ceil(math.Log1p(-confidence) / math.Log(q))
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("quantile %v: more than %d values are needed to bound it", q, math.MaxInt32)
	}
	return max(1, int(n)), nil
}

func checkQuantile(q, confidence float64) error {
	if err := checkShare("the quantile", q); err != nil {
		return err
	}
	return checkShare("the confidence", confidence)
}
