package stat

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func meanOf(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// TestBootstrapBinomial: the mean of n blocks of which k are 1 and the others 0 is, over resamples, binomial(n, k/n)/n: the
// interval is between the quantiles of that law, which are known to the digit.
func TestBootstrapBinomial(t *testing.T) {
	v := make([]float64, 20)
	for i := range 6 {
		v[i] = 1
	}
	// Binomial(20, 0.3): P(<= 1) = 0.0076, P(<= 2) = 0.0355; P(<= 9) = 0.9520, P(<= 10) = 0.9829.
	got, err := Bootstrap(v, meanOf, 9999, 1, 0.95)
	if err != nil || !near(got.Low, 0.1) || !near(got.High, 0.5) {
		t.Errorf("%+v, %v; want 0.1 to 0.5", got, err)
	}
}

// TestBootstrapNormal: of many values the interval of the mean is that of the normal law with the SD of the population
// (divided by n), within 4%; the same seed gives the same, another seed nearly the same.
func TestBootstrapNormal(t *testing.T) {
	random, v := Keyed(1, "bootstrap normal", 0), make([]float64, 200)
	var m Moments
	for i := range v {
		v[i] = random.Exp()
		m.Add(v[i])
	}
	half := 1.959964 * m.SD() * math.Sqrt(199.0/200) / math.Sqrt(200)
	a, err := Bootstrap(v, meanOf, 8000, 7, 0.95)
	b, _ := Bootstrap(v, meanOf, 8000, 7, 0.95)
	c, _ := Bootstrap(v, meanOf, 8000, 8, 0.95)
	if err != nil || !within((a.High-a.Low)/2, half, 0.04*half) || !a.Contains(m.Mean()) {
		t.Errorf("%+v around %v, want ± %v; %v", a, m.Mean(), half, err)
	}
	if a != b || a == c || !within(a.Low, c.Low, 0.1*half) {
		t.Errorf("%+v, the same seed %+v, another seed %+v", a, b, c)
	}
}

// TestBootstrapOrder: the interval moves with the values and grows with their unit.
func TestBootstrapOrder(t *testing.T) {
	v := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	a, err := Bootstrap(v, median, 2000, 1, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	w := slices.Clone(v)
	for i := range w {
		w[i] = 10*w[i] + 100
	}
	if b, err := Bootstrap(w, median, 2000, 1, 0.9); err != nil || !near(b.Low, 10*a.Low+100) || !near(b.High, 10*a.High+100) {
		t.Errorf("%+v of values, %+v of 10 of them plus 100; %v", a, b, err)
	}
	if wide, err := Bootstrap(v, median, 2000, 1, 0.99); err != nil || wide.Low > a.Low || wide.High < a.High {
		t.Errorf("99%%: %+v, 90%%: %+v; %v", wide, a, err)
	}
	if point, err := Bootstrap([]string{"a", "a", "a", "a", "a"}, func(s []string) float64 { return float64(len(s)) }, 100, 1, 0.9); err != nil || point != (Interval{5, 5}) {
		t.Errorf("%+v, %v", point, err)
	}
}

func TestBootstrapEdges(t *testing.T) {
	if _, err := Bootstrap([]float64{1, 2, 3, 4}, meanOf, 2000, 1, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	v := []float64{1, 2, 3, 4, 5}
	for name, f := range map[string]func() (Interval, error){
		"few draws":  func() (Interval, error) { return Bootstrap(v, meanOf, 38, 1, 0.95) },
		"no draws":   func() (Interval, error) { return Bootstrap(v, meanOf, 0, 1, 0.95) },
		"confidence": func() (Interval, error) { return Bootstrap(v, meanOf, 2000, 1, 95) },
		"NaN":        func() (Interval, error) { return Bootstrap([]float64{1, 2, 3, math.NaN(), 5}, meanOf, 2000, 1, 0.95) },
	} {
		if i, err := f(); err == nil || i != (Interval{}) {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
	if _, err := Bootstrap(v, meanOf, 39, 1, 0.95); err != nil {
		t.Error(err)
	}
}

func BenchmarkBootstrap(b *testing.B) {
	v := make([]float64, 10)
	for i := range v {
		v[i] = float64(i)
	}
	for b.Loop() {
		if _, err := Bootstrap(v, meanOf, 2000, 1, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}
