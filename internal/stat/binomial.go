package stat

import "gonum.org/v1/gonum/mathext"

// binomialAtMost is P(X <= k) of a binomial X of n trials with chance p, 0 < p < 1: the regularised incomplete beta function
// I[1-p](n-k, k+1).
func binomialAtMost(n int, p float64, k int) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k)+1, 1-p)
}
