package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// SlopeInterval bounds the slope that TheilSen finds, at a two-sided confidence in (0, 1), by the normal approximation to the null
// distribution of Kendall's score with ties in x (Sen, 1968, section 4): of the N slopes between two points in order, those of
// rank (N - C)/2 and (N + C)/2 + 1, where C is the normal quantile of the confidence times the standard deviation of the score.
// Not ok where no two points differ in x. The slices are of one length.
func SlopeInterval(x, y []float64, confidence float64) (low, high float64, ok bool) {
	var slopes []float64
	ties := map[float64]int{}
	for i := range x {
		ties[x[i]]++
		for j := range i {
			if x[i] != x[j] {
				slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0, false
	}
	slices.Sort(slopes)
	variance := scoreVariance(len(x))
	for _, t := range ties {
		variance -= scoreVariance(t) // whole numbers: in any order the same
	}
	c := distuv.UnitNormal.Quantile((1+confidence)/2) * math.Sqrt(float64(variance)/18)
	n := float64(len(slopes))
	lower := int(math.Floor((n-c)/2)) - 1 // ranks count from 1; rounded outwards
	upper := int(math.Ceil((n + c) / 2))
	return slopes[max(lower, 0)], slopes[min(upper, len(slopes)-1)], true
}

// scoreVariance is 18 times the variance of Kendall's score over n points, or what so many ties take from it.
func scoreVariance(n int) int64 {
	k := int64(n)
	return k * (k - 1) * (2*k + 5)
}

// LeastAbsolute fits y = c[0] + c[1] x + ... + c[degree] x^degree by least absolute deviations, a few wild points cannot move it far:
// by least squares with weights 1/|residual|, repeated (Schlossmacher, 1973). Not ok where there are not more points than
// coefficients, or they do not decide them. The slices are of one length.
func LeastAbsolute(x, y []float64, degree int) (c []float64, ok bool) {
	if len(x) <= degree+1 {
		return nil, false
	}
	scale := 0.0
	for _, v := range x {
		scale = max(scale, math.Abs(v))
	}
	if scale == 0 {
		return nil, false
	}
	weights := make([]float64, len(x))
	for i := range weights {
		weights[i] = 1
	}
	for range 100 {
		if c, ok = weightedPolynomial(x, y, weights, scale, degree); !ok {
			return nil, false
		}
		var spread float64
		for i := range x {
			spread += math.Abs(y[i] - Polynomial(c, x[i]/scale))
		}
		least := max(1e-6*spread/float64(len(x)), 1e-300)
		for i := range x {
			weights[i] = 1 / max(math.Abs(y[i]-Polynomial(c, x[i]/scale)), least)
		}
	}
	power := 1.0
	for k := range c {
		c[k] /= power
		power *= scale
	}
	return c, true
}

// Polynomial is c[0] + c[1] x + c[2] x^2 + ...
func Polynomial(c []float64, x float64) float64 {
	v := 0.0
	for _, k := range slices.Backward(c) {
		v = float64(v*x) + k
	}
	return v
}

// weightedPolynomial solves the normal equations in x/scale by elimination with pivots.
func weightedPolynomial(x, y, weights []float64, scale float64, degree int) ([]float64, bool) {
	n := degree + 1
	m := make([][]float64, n)
	for r := range m {
		m[r] = make([]float64, n+1)
	}
	powers := make([]float64, 2*n)
	for i := range x {
		p := weights[i]
		for k := range powers {
			powers[k] = p
			p *= x[i] / scale
		}
		for r := range n {
			for k := range n {
				m[r][k] += powers[r+k]
			}
			m[r][n] += float64(powers[r] * y[i])
		}
	}
	return solve(m)
}

// solve takes rows of coefficients with the right side behind them.
func solve(m [][]float64) ([]float64, bool) {
	n := len(m)
	for k := range n {
		best := k
		for r := k + 1; r < n; r++ {
			if math.Abs(m[r][k]) > math.Abs(m[best][k]) {
				best = r
			}
		}
		m[k], m[best] = m[best], m[k]
		if !(math.Abs(m[k][k]) > 1e-12*math.Abs(m[0][0])) {
			return nil, false
		}
		for r := range n {
			if r != k {
				f := m[r][k] / m[k][k]
				for j := k; j <= n; j++ {
					m[r][j] -= float64(f * m[k][j])
				}
			}
		}
	}
	c := make([]float64, n)
	for k := range c {
		c[k] = m[k][n] / m[k][k]
	}
	return c, true
}
