package workload

import (
	"math"
	"slices"
	"testing"

	"github.com/infbench/infbench/internal/stat"
)

// draws takes n lengths, each from a stream of its own, as requests do.
func draws(t *testing.T, l Lengths, n int) []float64 {
	t.Helper()
	all := make([]float64, n)
	for i := range all {
		v, err := l.draw(stat.Keyed(1, "lengths", uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = float64(v)
	}
	return all
}

func meanAndDeviation(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(deviation)
}

func pointer[T any](v T) *T { return &v }

// TestLengthsFollowTheirLaws: mean and median of 20000 draws lie within four standard errors of the closed forms.
func TestLengthsFollowTheirLaws(t *testing.T) {
	const n = 20000
	cases := []struct {
		name             string
		lengths          Lengths
		mean, deviation  float64
		median           float64
		smallest, atMost float64
	}{
		{"fixed", Lengths{Fixed: pointer(20)}, 20, 0, 20, 20, 20},
		{"uniform", Lengths{Uniform: &Uniform{16, 48}}, 32, math.Sqrt((33*33 - 1) / 12.0), 32, 16, 48},
		{"uniform of one value", Lengths{Uniform: &Uniform{7, 7}}, 7, 0, 7, 7, 7},
		{"empirical", Lengths{Empirical: []int{10, 20, 60}}, 30, math.Sqrt((400 + 100 + 900) / 3.0), 20, 10, 60},
		{"lognormal", Lengths{Lognormal: &Lognormal{Median: 200, Sigma: 0.5}}, 200 * math.Exp(0.125), 200 * math.Exp(0.125) * math.Sqrt(math.Exp(0.25)-1), 200, 1, longest},
		{"lognormal without spread", Lengths{Lognormal: &Lognormal{Median: 200}}, 200, 0, 200, 200, 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := draws(t, c.lengths, n)
			mean, deviation := meanAndDeviation(got)
			within := 4*c.deviation/math.Sqrt(n) + 1e-9
			if math.Abs(mean-c.mean) > within {
				t.Errorf("mean %g, want %g +- %g", mean, c.mean, within)
			}
			if math.Abs(deviation-c.deviation) > 0.05*c.deviation+1e-9 {
				t.Errorf("deviation %g, want %g", deviation, c.deviation)
			}
			slices.Sort(got)
			// The median's standard error is 1.25 of the mean's for a normal law; the lattice adds one token.
			if median := got[n/2]; math.Abs(median-c.median) > 1.25*within+1 {
				t.Errorf("median %g, want %g", median, c.median)
			}
			if got[0] < c.smallest || got[n-1] > c.atMost {
				t.Errorf("from %g to %g, want %g to %g", got[0], got[n-1], c.smallest, c.atMost)
			}
		})
	}
}

// TestLengthsClamp: a clamp moves what lies outside to the limit, and nothing else.
func TestLengthsClamp(t *testing.T) {
	free := draws(t, Lengths{Lognormal: &Lognormal{Median: 200, Sigma: 1}}, 2000)
	clamped := draws(t, Lengths{Lognormal: &Lognormal{Median: 200, Sigma: 1, Min: 100, Max: 400}}, 2000)
	var low, high int
	for i := range free {
		if want := min(max(free[i], 100), 400); clamped[i] != want {
			t.Fatalf("draw %d is %g, clamped %g", i, free[i], clamped[i])
		}
		if free[i] < 100 {
			low++
		}
		if free[i] > 400 {
			high++
		}
	}
	if low == 0 || high == 0 {
		t.Errorf("%d below and %d above: the clamp was not tried", low, high)
	}
	for _, extreme := range []Lognormal{{Median: 1e-3, Sigma: 10}, {Median: 1e7, Sigma: 10}} {
		for _, v := range draws(t, Lengths{Lognormal: &extreme}, 1000) {
			if v < 1 || v > longest {
				t.Fatalf("%+v gives %g", extreme, v)
			}
		}
	}
}

func TestLengthsWithoutLaw(t *testing.T) {
	if _, err := new(Lengths).draw(stat.Keyed(1, "lengths", 0)); err == nil {
		t.Error("no error")
	}
}
