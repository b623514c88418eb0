package stat

import (
	"errors"
	"math"
	"testing"
)

// autoregressive is a series in which every value is phi times the one before plus noise: its autocorrelation time is
// (1+phi)/(1-phi).
func autoregressive(random *Rand, n int, phi float64) []float64 {
	x := random.Normal() / math.Sqrt(1-phi*phi)
	return sequence(n, func(int) float64 {
		x = phi*x + random.Normal()
		return x
	})
}

// TestDependenceOfAR1: the mean of 20 series of 20,000 is within 5% of the truth, and each within 35%; where only some 200 of them
// are independent, within 10% and 50%.
func TestDependenceOfAR1(t *testing.T) {
	for _, phi := range []float64{-0.5, 0, 0.5, 0.9, 0.98} {
		want, sum, each, mean := (1+phi)/(1-phi), 0.0, 0.35, 0.05
		if phi > 0.95 {
			each, mean = 0.5, 0.1
		}
		for i := range 20 {
			d, err := DependenceOf(autoregressive(Keyed(1, "ar1", uint64(i)), 20_000, phi))
			if err != nil || !within(d.Tau, want, each*want) || !near(d.EffectiveN, min(20_000, 20_000/d.Tau)) {
				t.Errorf("phi %v: %+v, %v; want %v", phi, d, err, want)
			}
			sum += d.Tau / 20
		}
		if !within(sum, want, mean*want) {
			t.Errorf("phi %v: %.4f in the mean, want %.4f", phi, sum, want)
		}
	}
}

// TestAutocorrelations: those of the transform are the sums of the definition.
func TestAutocorrelations(t *testing.T) {
	for _, n := range []int{20, 31, 64, 100} {
		v := autoregressive(Keyed(2, "autocorrelations", uint64(n)), n, 0.7)
		for i := range v {
			v[i] = 1e6 + v[i]
		}
		got, err := autocorrelations(v)
		if err != nil {
			t.Fatal(err)
		}
		mean := meanOf(v)
		sum := func(lag int) (s float64) {
			for i := range n - lag {
				s += (v[i] - mean) * (v[i+lag] - mean)
			}
			return s
		}
		for lag, rho := range got {
			if !within(rho, sum(lag)/sum(0), 1e-6) {
				t.Errorf("n %d, lag %d: %v, want %v", n, lag, rho, sum(lag)/sum(0))
			}
		}
	}
}

// TestEffectiveN: the variance of the mean of a dependent series is that of EffectiveN independent values: of 500 series it agrees
// within 15%.
func TestEffectiveN(t *testing.T) {
	const series, phi, n = 500, 0.8, 2000
	var means Moments
	claimed := 0.0
	for i := range series {
		v := autoregressive(Keyed(3, "effective n", uint64(i)), n, phi)
		d, err := DependenceOf(v)
		if err != nil {
			t.Fatal(err)
		}
		var m Moments
		for _, x := range v {
			m.Add(x)
		}
		means.Add(m.Mean())
		claimed += m.SD() * m.SD() / d.EffectiveN / series
	}
	if got := means.SD() * means.SD(); !within(got, claimed, 0.15*claimed) {
		t.Errorf("variance of the mean %v, claimed %v", got, claimed)
	}
}

func TestDependenceEdges(t *testing.T) {
	for name, v := range broken {
		if got, err := DependenceOf(v); err == nil || got != (Dependence{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := DependenceOf(make([]float64, 19)); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, x := range []float64{0, 0.1, -1e300} {
		if _, err := DependenceOf(sequence(50, func(int) float64 { return x })); !errors.Is(err, ErrNoSpread) {
			t.Errorf("all %v: %v", x, err)
		}
	}
	// Back and forth: never more than there are.
	if d, err := DependenceOf(sequence(40, func(i int) float64 { return float64(i % 2) })); err != nil || d.EffectiveN != 40 || !(d.Tau >= 0) {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := DependenceOf(sequence(40, func(i int) float64 { return 1e300 * float64(i%2) })); err == nil && !(d.EffectiveN <= 40) {
		t.Errorf("%+v", d)
	}
}

// TestRelaxationTime: at load 0.25 a queue forgets in four times of service, at 0.81 in 100.
func TestRelaxationTime(t *testing.T) {
	for _, c := range [][5]float64{{1, 0.25, 1, 1, 4}, {2, 0.81, 1, 1, 200}, {1, 0.25, 2, 1, 10}, {1, 0, 1, 1, 1}} {
		if got, err := RelaxationTime(c[0], c[1], c[2], c[3]); err != nil || !near(got, c[4]) {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	nan := math.NaN()
	for _, c := range [][4]float64{{0, 0.5, 1, 1}, {nan, 0.5, 1, 1}, {1, 1, 1, 1}, {1, -0.1, 1, 1}, {1, nan, 1, 1}, {1, 0.5, -1, 1}, {1, 0.5, 1, nan}} {
		if got, err := RelaxationTime(c[0], c[1], c[2], c[3]); err == nil || got != 0 {
			t.Errorf("%v: %v", c, got)
		}
	}
}
