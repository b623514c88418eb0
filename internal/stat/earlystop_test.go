package stat

import (
	"errors"
	"slices"
	"testing"
)

// TestEarlyStopTotal: the totals of reference/measurement.md section 8, of which MLPerf publishes 459, 662 and 64, and which
// scipy.stats.binom gives too.
func TestEarlyStopTotal(t *testing.T) {
	over := []int{0, 1, 2, 5, 10, 20, 50, 100}
	for p, want := range map[float64][]int{
		0.9:   {44, 64, 81, 127, 197, 325, 681, 1246},
		0.95:  {90, 130, 165, 259, 398, 656, 1372, 2504},
		0.99:  {459, 662, 838, 1307, 2010, 3304, 6898, 12571},
		0.999: {4603, 6636, 8403, 13105, 20140, 33097, 69058, 125826},
	} {
		for i, k := range over {
			n, err := EarlyStopTotal(k, p, 0.99)
			if err != nil || n != want[i] {
				t.Errorf("p %v with %d over: %d, %v; want %d", p, k, n, err, want[i])
			}
			// The other way round: k may be over of n, and not of one less.
			if most, ok, err := EarlyStopAllowed(n, p, 0.99); err != nil || !ok || most != k {
				t.Errorf("p %v: %d of %d allowed, %t, %v", p, most, n, ok, err)
			}
			if most, ok, err := EarlyStopAllowed(n-1, p, 0.99); err != nil || ok != (k > 0) || ok && most != k-1 {
				t.Errorf("p %v: %d of %d allowed, %t, %v", p, most, n-1, ok, err)
			}
		}
	}
}

// TestEarlyStopEstimate: by hand, and as a bound of the true quantile in at least 99% of samples.
func TestEarlyStopEstimate(t *testing.T) {
	v := sequence(81, func(i int) float64 { return float64(i*37%81 + 1) }) // 1 to 81, shuffled
	// Of 81 two may be over: one is discarded.
	if got, err := EarlyStopEstimate(v, 0.9, 0.99); err != nil || got != 80 {
		t.Errorf("of 81: %v, %v", got, err)
	}
	if got, err := EarlyStopEstimate(v[:64], 0.9, 0.99); err != nil || got != slices.Max(v[:64]) {
		t.Errorf("of 64: %v, %v", got, err)
	}
	if got, err := EarlyStopEstimate(v[:63], 0.9, 0.99); !errors.Is(err, ErrTooFew) || got != 0 {
		t.Errorf("of 63: %v, %v", got, err)
	}
	const trials = 2000
	below := 0
	for i := range trials {
		random := Keyed(5, "early stop", uint64(i))
		got, err := EarlyStopEstimate(sequence(300, func(int) float64 { return random.Float64() }), 0.9, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		if got < 0.9 {
			below++
		}
	}
	if share := float64(below) / trials; share > 0.01 {
		t.Errorf("below the quantile in %.4f", share)
	}
}

func TestEarlyStopEdges(t *testing.T) {
	for name, v := range broken {
		if got, err := EarlyStopEstimate(v, 0.9, 0.99); err == nil || got != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, p := range []float64{0, 1, 99} {
		if _, err := EarlyStopTotal(1, p, 0.99); err == nil {
			t.Errorf("p %v", p)
		}
		if _, _, err := EarlyStopAllowed(1, p, 0.99); err == nil {
			t.Errorf("p %v", p)
		}
	}
	if _, err := EarlyStopTotal(-1, 0.9, 0.99); err == nil {
		t.Error("a negative count")
	}
	for _, n := range []int{-5, 0, 1} {
		if most, ok, err := EarlyStopAllowed(n, 0.9, 0.99); ok || most != 0 || err != nil {
			t.Errorf("of %d: %d, %t, %v", n, most, ok, err)
		}
	}
	if n, err := EarlyStopTotal(5, 1-1e-14, 0.99); err == nil {
		t.Errorf("%d queries", n)
	}
}
