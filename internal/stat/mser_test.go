package stat

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// mserByDefinition is the rule as it is written.
func mserByDefinition(values []float64) int {
	k := len(values) / 5
	z := make([]float64, k)
	for j := range z {
		z[j] = meanOf(values[5*j : 5*j+5])
	}
	best, least := 0, math.Inf(1)
	for d := 0; d <= k/2; d++ {
		mean, sum := meanOf(z[d:]), 0.0
		for _, x := range z[d:] {
			sum += (x - mean) * (x - mean)
		}
		if e := sum / float64((k-d)*(k-d)); e < least {
			best, least = d, e
		}
	}
	return 5 * best
}

func TestMSER5ByHand(t *testing.T) {
	// Ten batches of mean 10, 0, 0...: with none left out 90/100, with the first left out 0.
	one := slices.Concat([]float64{0, 0, 50, 0, 0}, make([]float64, 47))
	if got, err := MSER5(one); err != nil || got != (Truncation{Batches: 10, Drop: 5, Steady: true}) {
		t.Errorf("one batch: %+v, %v", got, err)
	}
	if got, err := MSER5(make([]float64, 50)); err != nil || got != (Truncation{10, 0, true}) {
		t.Errorf("all equal: %+v, %v", got, err)
	}
	// Of a ramp the rest is always better: the error of m batches grows as (m^2-1)/m.
	if got, err := MSER5(sequence(100, func(i int) float64 { return float64(i) })); err != nil || got != (Truncation{20, 50, false}) {
		t.Errorf("a ramp: %+v, %v", got, err)
	}
	for i := range 50 {
		random := Keyed(1, "mser definition", uint64(i))
		v := sequence(60+i, func(j int) float64 { return random.Exp() + 5*math.Exp(-float64(j)/float64(1+i)) })
		if got, err := MSER5(v); err != nil || got.Drop != mserByDefinition(v) {
			t.Errorf("%d values: %+v, %v; the definition gives %d", len(v), got, err, mserByDefinition(v))
		}
	}
}

// TestMSER5Transient: a warm-up of 200 values, three standard deviations too high, is cut off at its end: never before it, and in 95%
// of 300 trials within 50 values after it. Without one, the cut leaves at least three quarters in 80%; the unit is nothing to it.
func TestMSER5Transient(t *testing.T) {
	const trials = 300
	near, early, kept := 0, 0, 0
	for i := range trials {
		random := Keyed(2, "mser transient", uint64(i))
		flat := sequence(1000, func(int) float64 { return 10 + random.Normal() })
		warm := sequence(1000, func(j int) float64 {
			if j < 200 {
				return flat[j] + 3
			}
			return flat[j]
		})
		got, err := MSER5(warm)
		scaled, _ := MSER5(sequence(1000, func(j int) float64 { return 64 * warm[j] }))
		none, errFlat := MSER5(flat)
		if err != nil || errFlat != nil || scaled != got {
			t.Fatal(err, errFlat, got, scaled)
		}
		switch {
		case got.Drop < 200:
			early++
		case got.Drop <= 250 && got.Steady:
			near++
		}
		if none.Drop <= 250 {
			kept++
		}
	}
	if early > 0 || near < trials*95/100 || kept < trials*8/10 {
		t.Errorf("cut early in %d, at the end in %d, little cut without a warm-up in %d of %d", early, near, kept, trials)
	}
}

func TestMSER5Edges(t *testing.T) {
	if _, err := MSER5(make([]float64, 49)); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1)} {
		if got, err := MSER5(append(make([]float64, 60), x)); err == nil || got != (Truncation{}) {
			t.Errorf("%v: %+v", x, got)
		}
	}
}
