package stat

import (
	"fmt"
	"slices"
	"sort"
)

// mostQueries bounds the totals that are looked for.
const mostQueries = 1 << 30

// EarlyStopTotal is how many queries a run needs in all when t of them were over the latency limit, to say with this
// confidence that at least a share p of all queries is within it: the smallest n with P(Binomial(n, 1-p) <= t) <=
// 1-confidence, which is I[p](n-t, t+1) of the incomplete beta function (MLPerf LoadGen, early_stopping.cc, with tolerance 0;
// its confidence is 0.99). It assumes independent queries: as a gate it needs a bound of runs beside it. It fails for a
// negative t, a p or a confidence outside (0, 1), and where more than 2^30 queries would be needed.
func EarlyStopTotal(t int, p, confidence float64) (n int, err error) {
	if err := checkQuantile(p, confidence); err != nil {
		return 0, err
	}
	if t < 0 {
		return 0, fmt.Errorf("%d queries over the limit: a count cannot be negative", t)
	}
	enough := func(n int) bool { return binomialAtMost(n, 1-p, t) <= 1-confidence }
	high := t + 1
	for !enough(high) {
		if high > mostQueries {
			return 0, fmt.Errorf("early stopping at the quantile %v with %d over the limit: more than 2^30 queries would be needed", p, t)
		}
		high *= 2
	}
	return t + 1 + sort.Search(high-t-1, func(i int) bool { return enough(t + 1 + i) }), nil
}

// EarlyStopAllowed is the largest number of queries over the limit with which a run of n still passes by EarlyStopTotal, and
// whether there is one: below EarlyStopTotal(0) not even 0 passes.
func EarlyStopAllowed(n int, p, confidence float64) (t int, ok bool, err error) {
	if err := checkQuantile(p, confidence); err != nil {
		return 0, false, err
	}
	// The chance of at most t grows with t.
	t = sort.Search(max(n, 0), func(t int) bool { return binomialAtMost(n, 1-p, t) > 1-confidence }) - 1
	return max(t, 0), t >= 0, nil
}

// EarlyStopEstimate is LoadGen's estimate of the p-quantile: with t = EarlyStopAllowed it discards the t-1 highest values and
// takes the largest that is left, an upper bound of the quantile at this one-sided confidence. It fails with ErrTooFew where t is below 1,
// as LoadGen does (64 values for p 0.9 and 662 for p 0.99 at confidence 0.99), and for a value that is not finite.
func EarlyStopEstimate(values []float64, p, confidence float64) (float64, error) {
	if err := checkValues(values, 1); err != nil {
		return 0, fmt.Errorf("early-stopping estimate: %w", err)
	}
	t, _, err := EarlyStopAllowed(len(values), p, confidence)
	if err != nil {
		return 0, err
	}
	if t < 1 {
		least, err := EarlyStopTotal(1, p, confidence)
		if err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("early-stopping estimate: %w: %d, at least %d are needed", ErrTooFew, len(values), least)
	}
	return slices.Sorted(slices.Values(values))[len(values)-t], nil
}
