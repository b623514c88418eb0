package stat

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// TestQuantileInterval: the ranks of reference/measurement.md section 7, and coverages of scipy.stats.binom.
func TestQuantileInterval(t *testing.T) {
	for _, c := range []struct {
		n        int
		q        float64
		low, top int
		coverage float64
	}{
		{100, 0.5, 40, 61, 0.9647997997822952}, {1000, 0.95, 936, 964, 0.9580952682226543}, {1000, 0.99, 983, 997, 0.976094763497977},
		{2000, 0.99, 1971, 1989, 0}, {10000, 0.99, 9880, 9920, 0}, {10000, 0.999, 9983, 9997, 0}, {10, 0.5, 2, 9, 0.978515625},
	} {
		got, err := QuantileInterval(c.n, c.q, 0.95)
		if err != nil || got.Low != c.low || got.High != c.top || got.Coverage < 0.95 || c.coverage > 0 && !within(got.Coverage, c.coverage, 1e-10) {
			t.Errorf("n %d, q %v: %+v, %v; want %d to %d, %v", c.n, c.q, got, err, c.low, c.top, c.coverage)
		}
	}
	// 0.9^36 = 0.0225: 36 values bound p90 from above at 97.5%, 35 do not.
	if i, err := QuantileInterval(35, 0.9, 0.95); err != nil || i.High != 36 {
		t.Errorf("%+v, %v", i, err)
	}
	if i, err := QuantileInterval(36, 0.9, 0.95); err != nil || i.High != 36 || i.Low < 1 {
		t.Errorf("%+v, %v", i, err)
	}
	if i, err := QuantileInterval(5, 0.5, 0.95); err != nil || i != (OrderInterval{0, 6, 1}) {
		t.Errorf("both sides open: %+v, %v", i, err)
	}
	if _, err := QuantileInterval(0, 0.5, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, q := range []float64{0, 1, -1, 99, math.NaN()} {
		if _, err := QuantileInterval(10, q, 0.95); err == nil {
			t.Errorf("the quantile %v", q)
		}
		if _, err := LeastForBound(0.9, q); err == nil {
			t.Errorf("the confidence %v", q)
		}
	}
}

// TestQuantileIntervalCovers: the true quantile of fresh uniform samples lies inside as often as it says (4,000 samples;
// tolerance: four standard errors).
func TestQuantileIntervalCovers(t *testing.T) {
	const trials, n = 4000, 60
	for _, q := range []float64{0.1, 0.5, 0.9} {
		i, err := QuantileInterval(n, q, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		inside := 0
		for trial := range trials {
			random := Keyed(8, "order interval", uint64(trial))
			v := sequence(n, func(int) float64 { return random.Float64() })
			slices.Sort(v)
			if v[i.Low-1] <= q && q <= v[i.High-1] {
				inside++
			}
		}
		if share := float64(inside) / trials; !within(share, i.Coverage, 4*math.Sqrt(i.Coverage*(1-i.Coverage)/trials)) {
			t.Errorf("q %v: inside in %.4f, %+v", q, share, i)
		}
	}
}

// TestLeastForBound: the table of section 7: two-sided 95%, one-sided 95% and one-sided 99%.
func TestLeastForBound(t *testing.T) {
	quantiles := []float64{0.9, 0.95, 0.99, 0.999}
	for confidence, want := range map[float64][]int{0.975: {36, 72, 368, 3688}, 0.95: {29, 59, 299, 2995}, 0.99: {44, 90, 459, 4603}} {
		for i, q := range quantiles {
			if n, err := LeastForBound(q, confidence); err != nil || n != want[i] {
				t.Errorf("q %v at %v: %d, %v; want %d", q, confidence, n, err, want[i])
			}
		}
	}
	if n, err := LeastForBound(1-1e-15, 0.95); err == nil {
		t.Errorf("%d values", n)
	}
}
