package stat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// The largest samples whose law of U is counted, and above which it is taken as normal: those of benchstat.
const (
	exactU     = 50
	exactTiedU = 25
)

// MannWhitneyTest is a test of two independent samples.
type MannWhitneyTest struct {
	// U is the number of pairs (one of a, one of b) in which a is larger, equal ones counting half.
	U float64
	// P is the two-sided p-value of "both are from one law".
	P float64
	// Exact: P is counted over all ways to deal the pooled values out. Else it is the normal law's, with the corrections for
	// ties and continuity.
	Exact bool
}

// MannWhitney tests whether values of a tend to be larger or smaller than those of b (Mann and Whitney, 1947). P is counted up
// to 50 values a side, 25 with ties, as benchstat does, whose p-value it is for samples of one size. The values must be
// independent: one of each block or run, never the requests of one run. It fails for an empty sample and for a value that is
// not finite.
func MannWhitney(a, b []float64) (MannWhitneyTest, error) {
	ranks, groups, err := poolRanks(a, b, 1)
	if err != nil {
		return MannWhitneyTest{}, fmt.Errorf("Mann-Whitney test: %w", err)
	}
	na, nb := len(a), len(b)
	t := MannWhitneyTest{U: -float64(na) * float64(na+1) / 2}
	for _, r := range ranks[:na] {
		t.U += r
	}
	limit := exactU
	if len(groups) < na+nb {
		limit = exactTiedU
	}
	if na <= limit && nb <= limit {
		t.Exact = true
		below, above := 0.0, 0.0
		for i, p := range uLaw(na, nb, groups) {
			if u := float64(i) / 2; u <= t.U {
				below += p
			}
			if u := float64(i) / 2; u >= t.U {
				above += p
			}
		}
		t.P = min(1, 2*min(below, above))
		return t, nil
	}
	t.P = normalU(t.U, na, nb, groups)
	return t, nil
}

// poolRanks are the midranks of a, then b, in the pooled sample, and its groups of ties.
func poolRanks(a, b []float64, least int) (ranks []float64, groups []int, err error) {
	for i, v := range [][]float64{a, b} {
		if err := checkValues(v, least); err != nil {
			return nil, nil, fmt.Errorf("sample %d of 2: %w", i+1, err)
		}
	}
	ranks, groups = midranks(slices.Concat(a, b))
	return ranks, groups, nil
}

// uLaw is the law of 2U when na of the pooled values are dealt to a and the other nb to b, given the sizes of the groups of
// equal ones, ascending: the chance of every 2U from 0 to 2 na nb.
//
// One group after the other: r of a group's g values go to a, in C(g, r) ways. Each is larger than all of b in the groups
// below, and ties with the g-r of b in its own.
func uLaw(na, nb int, groups []int) []float64 {
	// ways[k][u] is of k values dealt to a so far, with 2U so far of u.
	ways := make([][]float64, na+1)
	for k := range ways {
		ways[k] = make([]float64, 2*na*nb+1)
	}
	ways[0][0] = 1
	seen := 0
	for _, g := range groups {
		next := make([][]float64, na+1)
		for k := range next {
			next[k] = make([]float64, 2*na*nb+1)
		}
		for k := max(0, seen-nb); k <= min(na, seen); k++ {
			low := seen - k // values of b so far
			for r := max(0, g-(nb-low)); r <= min(g, na-k); r++ {
				add(next[k+r], ways[k], 2*r*low+r*(g-r), 2*k*low, choose(g, r))
			}
		}
		ways, seen = next, seen+g
	}
	law, all := ways[na], choose(na+nb, na)
	for i := range law {
		law[i] /= all
	}
	return law
}

// add adds times from[0..last] to the cells of to that lie so far on.
func add(to, from []float64, shift, last int, times float64) {
	for u, w := range from[:last+1] {
		if w != 0 {
			to[u+shift] += times * w
		}
	}
}

// choose is the binomial coefficient, exact up to 2^53.
func choose(n, k int) float64 {
	c := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		c = c * float64(n-i+1) / float64(i)
	}
	return c
}

// normalU is the two-sided p-value of U by the normal law, corrected for ties and by 1/2 for continuity.
func normalU(u float64, na, nb int, groups []int) float64 {
	a, b, n, ties := float64(na), float64(nb), float64(na+nb), 0.0
	for _, g := range groups {
		ties += math.Pow(float64(g), 3) - float64(g)
	}
	variance := a * b / 12 * (n + 1 - ties/(n*(n-1)))
	z := math.Abs(u-a*b/2) - 0.5
	if !(variance > 0) || z <= 0 {
		return 1
	}
	return min(1, 2*distuv.UnitNormal.CDF(-z/math.Sqrt(variance)))
}
