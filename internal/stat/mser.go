package stat

import "fmt"

const (
	mserBatch = 5
	// leastBatches is the smallest number of batches of MSER5: with fewer, one of them decides.
	leastBatches = 10
)

// Truncation says how much of the start of a series is warm-up.
type Truncation struct {
	Batches int // of five values; a rest of up to four values at the end is in none
	// Drop is how many values at the start to leave out.
	Drop int
	// Steady: the least error lies well inside the first half. Else the series had not settled by its middle: run longer.
	Steady bool
}

// MSER5 finds the warm-up of a series by the marginal standard error rule on the means Z of five consecutive values (White,
// 1997; White, Cobb and Spratt, 2000): of k batches it leaves out the first
//
//	d* = argmin over 0 <= d <= k/2 of sum over j > d of (Z_j - mean(Z_d+1..k))^2 / (k-d)^2
//
// The series is not steady where d* >= k/2 - 1. Values are in the order of arrival. It fails below 50 values and for one that
// is not finite.
func MSER5(values []float64) (Truncation, error) {
	if err := checkValues(values, leastBatches*mserBatch); err != nil {
		return Truncation{}, fmt.Errorf("MSER-5: %w", err)
	}
	k := len(values) / mserBatch
	t := Truncation{Batches: k}
	var tail Moments
	least, best := 0.0, -1
	for d := k - 1; d >= 0; d-- {
		z := 0.0
		for _, x := range values[d*mserBatch : (d+1)*mserBatch] {
			z += x / mserBatch
		}
		tail.Add(z)
		if 2*d > k {
			continue
		}
		// Of equal errors the shorter warm-up: d falls.
		if e := tail.squares / (float64(tail.n) * float64(tail.n)); best < 0 || e <= least {
			least, best = e, d
		}
	}
	t.Drop, t.Steady = best*mserBatch, 2*best < k-2
	return t, nil
}
