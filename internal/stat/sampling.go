package stat

import (
	"math"
	"time"
)

// GapCVError is the standard error of GapCV, as if the gaps were independent, and whether it is defined.
//
// For the CV c of n values with skewness g and kurtosis k it is c sqrt(((k-1)/4 + c^2 - c g) / n) (the delta method on
// the first two sample moments). Of exponential gaps (c = 1, g = 2, k = 9) that is 1/sqrt(n).
func GapCVError(times []time.Duration) (se float64, ok bool) {
	c, ok := GapCV(times)
	if !ok || c == 0 {
		return 0, ok
	}
	n := len(times) - 1
	mean := float64(times[n]-times[0]) / float64(n)
	var m2, m3, m4 float64
	for i := range n {
		d := float64(times[i+1]-times[i])/mean - 1
		square := float64(d * d)
		m2 += square
		m3 += float64(square * d)
		m4 += float64(square * square)
	}
	m2, m3, m4 = m2/float64(n), m3/float64(n), m4/float64(n)
	skewness, kurtosis := m3/(m2*math.Sqrt(m2)), m4/(m2*m2)
	return c * math.Sqrt(max(0, (kurtosis-1)/4+float64(c*c)-float64(c*skewness))/float64(n)), true
}

// IDCError is the standard error of an index of dispersion over so many bins: that of a variance of independent normal
// counts, IDC sqrt(2/(bins-1)).
func IDCError(idc float64, bins int) float64 {
	if bins < 2 {
		return math.Inf(1)
	}
	return idc * math.Sqrt(2/float64(bins-1))
}

// QuantileRanks are the ranks, from 1 to n, one standard error below and above the q-quantile of n independent values:
// the number of values below it is binomial, with variance n q (1-q).
func QuantileRanks(n int, q float64) (low, high int) {
	middle, se := float64(float64(n)*q), math.Sqrt(float64(n)*q*(1-q))
	return max(1, int(math.Floor(middle-se))), min(n, int(math.Ceil(middle+se)))
}
