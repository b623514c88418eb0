package stat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostDifferences bounds the memory of HodgesLehmann: 80 MB.
const mostDifferences = 10_000_000

// ShiftEstimate is by how much the values of one sample lie above those of another.
type ShiftEstimate struct {
	Shift float64 // of b over a, in the unit of the values
	// Interval holds the shift at the confidence asked for, or more, if Bounded. Else the samples are too small for one.
	Interval Interval
	Bounded  bool
}

// HodgesLehmann is the median of all differences b[j] - a[i], and the interval of the shifts that MannWhitney would not reject
// (Hodges and Lehmann, 1963): from the k-th smallest difference to the k-th largest, k the largest with P(U <= k-1) at most
// half of what the confidence leaves. The law of U is counted up to 50 values a side and normal above. With ties the
// confidence is higher than asked for. The values must be independent: one of each block or run. It fails for an empty
// sample, a value that is not finite and more than ten million pairs.
func HodgesLehmann(a, b []float64, confidence float64) (ShiftEstimate, error) {
	if err := checkShare("the confidence", confidence); err != nil {
		return ShiftEstimate{}, err
	}
	for i, v := range [][]float64{a, b} {
		if err := checkValues(v, 1); err != nil {
			return ShiftEstimate{}, fmt.Errorf("shift: sample %d of 2: %w", i+1, err)
		}
	}
	if len(b) > mostDifferences/len(a) {
		return ShiftEstimate{}, fmt.Errorf("shift: %d times %d values make too many pairs: take one value of each block", len(a), len(b))
	}
	differences := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, y-x)
		}
	}
	e := ShiftEstimate{Shift: median(differences)}
	if math.IsInf(e.Shift, 0) || math.IsNaN(e.Shift) {
		return ShiftEstimate{}, fmt.Errorf("shift: the differences overflow")
	}
	if k := rankOfShift(len(a), len(b), (1-confidence)/2); k >= 1 {
		// median has put them in order.
		e.Interval, e.Bounded = Interval{differences[k-1], differences[len(differences)-k]}, true
	}
	return e, nil
}

// rankOfShift is the largest k with P(U <= k-1) <= tail, 0 if there is none.
func rankOfShift(na, nb int, tail float64) int {
	if na > exactU || nb > exactU {
		a, b := float64(na), float64(nb)
		return max(0, int(math.Floor(a*b/2+distuv.UnitNormal.Quantile(tail)*math.Sqrt(a*b*(a+b+1)/12))))
	}
	law, sum, k := uLaw(na, nb, slices.Repeat([]int{1}, na+nb)), 0.0, 0
	for ; k < na*nb; k++ {
		sum += law[2*k] // 2U is even without ties
		// Chances that are equal but for rounding are equal.
		if sum > tail*(1+1e-12) {
			break
		}
	}
	return k
}
