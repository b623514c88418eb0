package analyze

import (
	"math"
	"slices"

	"github.com/infbench/infbench/internal/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// How change points are looked for (measurement.md section 12). Windows keep an old change from hiding a new one and the work
// linear in the nights.
const (
	changeWindow = 50 // nights
	changeStep   = 25
	// weakP keeps a candidate for the tests between whole segments, which decide.
	weakP = 0.01
	// leastSegment is the fewest nights on each side: a night alone is an outlier, and no change.
	leastSegment = 3
)

// changePoint is where a series changes: the first night of the new level.
type changePoint struct {
	at            int
	before, after float64 // means of the segments on both sides
	p             float64
}

// changePoints finds where the mean of a series changes: E-divisive proposes, in windows that overlap, and Student's t between
// whole segments decides, the weakest proposal dropped first, until each of the rest has a p-value below maxP and a difference
// of means that matters (Hunter, 2023; E-divisive is of Matteson and James, 2014). The points are in order.
func changePoints(x []float64, maxP float64, matters func(before, after float64) bool) []changePoint {
	var at []int
	for from := 0; ; from += changeStep {
		to := min(from+changeWindow, len(x))
		for _, k := range divide(x[from:to]) {
			at = append(at, from+k)
		}
		if to == len(x) {
			break
		}
	}
	if from := len(x) - changeWindow; from > 0 { // the newest nights, whatever the steps are
		for _, k := range divide(x[from:]) {
			at = append(at, from+k)
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	return strongest(x, at, maxP, matters)
}

// strongest drops the weakest point until all that are left stand.
func strongest(x []float64, at []int, maxP float64, matters func(before, after float64) bool) []changePoint {
	for {
		points := make([]changePoint, len(at))
		worst, worstP := -1, -1.0
		for i, k := range at {
			from, to := 0, len(x)
			if i > 0 {
				from = at[i-1]
			}
			if i+1 < len(at) {
				to = at[i+1]
			}
			points[i] = studentAt(x[from:k], x[k:to])
			points[i].at = k
			p := points[i].p
			if p <= maxP && !matters(points[i].before, points[i].after) {
				p = 1
			}
			if p > maxP && p > worstP {
				worst, worstP = i, p
			}
		}
		if worst < 0 {
			return points
		}
		at = slices.Delete(at, worst, worst+1)
	}
}

// divide proposes the change points of a window, in no order: the split of greatest divergence, and those of both its sides,
// as long as the sides differ a little.
func divide(x []float64) []int {
	k, end := split(x)
	if k == 0 || studentAt(x[:k], x[k:end]).p > weakP {
		return nil
	}
	at := append([]int{k}, divide(x[:k])...)
	for _, later := range divide(x[k:]) {
		at = append(at, k+later)
	}
	return at
}

// split is the (τ, κ) of the greatest divergence between x[:τ] and x[τ:κ] (Matteson and James, equation 7, with the exponent
// 1), mn/(m+n) · (2/(mn) ΣΣ|x-y| - ΣΣ|x-x'|/C(m,2) - ΣΣ|y-y'|/C(n,2)); 0 where a side would be too short.
func split(x []float64) (tau, kappa int) {
	n := len(x)
	if n < 2*leastSegment {
		return 0, 0
	}
	// sums[i][j] is the sum of |x_a - x_b| over a < i, b < j.
	sums := make([]float64, (n+1)*(n+1))
	w := n + 1
	for i := range n {
		row := 0.0
		for j := range n {
			row += math.Abs(x[i] - x[j])
			sums[(i+1)*w+j+1] = sums[i*w+j+1] + row
		}
	}
	best := 0.0
	for t := leastSegment; t <= n-leastSegment; t++ {
		within := sums[t*w+t] / 2
		for k := t + leastSegment; k <= n; k++ {
			cross := sums[t*w+k] - sums[t*w+t]
			other := (sums[k*w+k] - 2*cross - 2*within) / 2
			m, l := float64(t), float64(k-t)
			q := m * l / (m + l) * (2*cross/(m*l) - 2*within/(m*(m-1)) - 2*other/(l*(l-1)))
			if q > best {
				best, tau, kappa = q, t, k
			}
		}
	}
	return tau, kappa
}

// studentAt holds two segments against each other by Student's t of pooled variance, two-sided.
func studentAt(x, y []float64) changePoint {
	var a, b stat.Moments
	for _, v := range x {
		a.Add(v)
	}
	for _, v := range y {
		b.Add(v)
	}
	out := changePoint{before: a.Mean(), after: b.Mean(), p: 1}
	m, n := float64(len(x)), float64(len(y))
	if min(len(x), len(y)) < leastSegment {
		return out
	}
	df := m + n - 2
	pooled := ((m-1)*a.SD()*a.SD() + (n-1)*b.SD()*b.SD()) / df
	se := math.Sqrt(pooled * (1/m + 1/n))
	diff := math.Abs(out.after - out.before)
	switch {
	case se > 0:
		out.p = min(1, 2*distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-diff/se))
	case diff > 0:
		out.p = 0 // two levels without any noise
	}
	return out
}
