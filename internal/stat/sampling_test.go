package stat

import (
	"math"
	"slices"
	"testing"
	"time"
)

// spreadOf repeats an estimate on fresh samples: its standard deviation, and the mean of the errors it claims.
func spreadOf(repeats int, estimate func(r *Rand) (value, se float64)) (deviation, claimed float64) {
	var sum, squares float64
	for i := range repeats {
		v, se := estimate(Keyed(7, "spread", uint64(i)))
		sum, squares, claimed = sum+v, squares+v*v, claimed+se
	}
	n := float64(repeats)
	return math.Sqrt(squares/n - sum/n*sum/n), claimed / n
}

// TestErrorsAreThoseOfFreshSamples: what a sample claims of its own error is what fresh samples show, within 10%.
func TestErrorsAreThoseOfFreshSamples(t *testing.T) {
	arrivals := func(r *Rand, n int, gap func() float64) []time.Duration {
		times, at := make([]time.Duration, n), 0.0
		for i := range times {
			at += gap()
			times[i] = time.Duration(at * 1e9)
		}
		return times
	}
	cv := func(gap func(r *Rand) float64) func(r *Rand) (float64, float64) {
		return func(r *Rand) (float64, float64) {
			times := arrivals(r, 2000, func() float64 { return gap(r) })
			v, _ := GapCV(times)
			se, ok := GapCVError(times)
			if !ok {
				t.Fatal("no error of a CV")
			}
			return v, se
		}
	}
	for name, estimate := range map[string]func(*Rand) (float64, float64){
		"CV of exponential gaps": cv((*Rand).Exp),
		"CV of gamma gaps":       cv(func(r *Rand) float64 { return r.Gamma(0.25) }),
		"CV of uniform gaps":     cv((*Rand).Float64),
		"IDC of Poisson arrivals": func(r *Rand) (float64, float64) {
			d := Disperse(arrivals(r, 4000, r.Exp), 0, 3500*time.Second, 50*time.Second)
			return *d.IDC, IDCError(*d.IDC, d.Bins)
		},
	} {
		if deviation, claimed := spreadOf(800, estimate); math.Abs(claimed/deviation-1) > 0.1 {
			t.Errorf("%s: claims an error of %.4g, fresh samples differ by %.4g", name, claimed, deviation)
		}
	}
}

// TestQuantileRanks: the true quantile lies between the ranks about as often as a normal value within one deviation.
func TestQuantileRanks(t *testing.T) {
	const n, repeats = 400, 2000
	for _, q := range []float64{0.1, 0.5, 0.9} {
		low, high := QuantileRanks(n, q)
		inside := 0
		for i := range repeats {
			r, v := Keyed(3, "ranks", uint64(i)), make([]float64, n)
			for j := range v {
				v[j] = r.Float64()
			}
			slices.Sort(v)
			if v[low-1] <= q && q <= v[high-1] {
				inside++
			}
		}
		if share := float64(inside) / repeats; share < 0.65 || share > 0.76 {
			t.Errorf("q %g: inside in %.3f of the samples, want about 0.68", q, share)
		}
	}
	if low, high := QuantileRanks(5, 0.99); low < 1 || high != 5 {
		t.Errorf("ranks %d to %d of 5", low, high)
	}
}

func TestErrorsOfLittle(t *testing.T) {
	if _, ok := GapCVError([]time.Duration{1, 2}); ok {
		t.Error("an error of one gap")
	}
	if se, ok := GapCVError([]time.Duration{1, 2, 3, 4}); !ok || se != 0 {
		t.Errorf("even gaps: %g", se)
	}
	if !math.IsInf(IDCError(1, 1), 1) {
		t.Error("an error of one bin")
	}
}
