package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// BrunnerMunzelTest is a test of two independent samples whose spread may differ.
type BrunnerMunzelTest struct {
	// PHat estimates P(A < B) + P(A = B)/2: the chance that a value of b is the larger one. 0.5 is no tendency.
	PHat float64
	// W is positive where b tends to be larger. Under "PHat is 0.5" it has about Student's law of DF degrees of freedom.
	W, DF float64
	// P is the two-sided p-value.
	P float64
}

// BrunnerMunzel tests whether values of b tend to be larger or smaller than those of a, without assuming that they spread
// alike (Brunner and Munzel, 2000). With pooled midranks R and midranks r within the sample, of sample i
//
//	S_i^2 = sum over k of (R_ik - r_ik - mean(R_i) + (n_i+1)/2)^2 / (n_i - 1)
//	W     = n1 n2 (mean(R_2) - mean(R_1)) / ((n1+n2) sqrt(n1 S_1^2 + n2 S_2^2))
//	DF    = (n1 S_1^2 + n2 S_2^2)^2 / ((n1 S_1^2)^2/(n1-1) + (n2 S_2^2)^2/(n2-1))
//
// The law of W is an approximation that wants 10 values a side. The test fails below two a side, for a value that is not
// finite, and with ErrNoSpread where neither S varies, as where all of a lie below all of b: PHat is then set alone, and
// MannWhitney gives a p-value.
func BrunnerMunzel(a, b []float64) (BrunnerMunzelTest, error) {
	ranks, _, err := poolRanks(a, b, 2)
	if err != nil {
		return BrunnerMunzelTest{}, fmt.Errorf("Brunner-Munzel test: %w", err)
	}
	n1, n2 := float64(len(a)), float64(len(b))
	mean1, s1 := placements(ranks[:len(a)], a)
	mean2, s2 := placements(ranks[len(a):], b)
	t := BrunnerMunzelTest{PHat: (mean2 - (n2+1)/2) / n1}
	v := n1*s1 + n2*s2
	if v == 0 {
		return t, fmt.Errorf("Brunner-Munzel test: %w", ErrNoSpread)
	}
	t.W = n1 * n2 * (mean2 - mean1) / ((n1 + n2) * math.Sqrt(v))
	t.DF = v * v / (n1*s1*n1*s1/(n1-1) + n2*s2*n2*s2/(n2-1))
	t.P = min(1, 2*distuv.StudentsT{Sigma: 1, Nu: t.DF}.CDF(-math.Abs(t.W)))
	return t, nil
}

// placements are the mean of the pooled ranks of a sample and its S^2.
func placements(pooled, v []float64) (mean, s float64) {
	own, _ := midranks(v)
	var m, d Moments
	for i, r := range pooled {
		m.Add(r)
		d.Add(r - own[i])
	}
	// The mean of a sample's own ranks is (n+1)/2, so that S^2 is the variance of the differences.
	return m.Mean(), d.SD() * d.SD()
}
