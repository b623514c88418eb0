package stat

import (
	"math"
	"slices"
	"testing"
)

// TestBenjaminiHochberg: the 15 p-values of the paper's own example (section 3.2), of which four are findings at 0.05, and the
// definition by hand.
func TestBenjaminiHochberg(t *testing.T) {
	paper := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	adjusted, err := BenjaminiHochberg(paper)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, q := range adjusted {
		if q <= 0.05 {
			found++
		}
	}
	if found != 4 || !within(adjusted[3], 0.0095*15/4, 1e-12) || !within(adjusted[0], 0.0015, 1e-12) {
		t.Errorf("%d findings: %v", found, adjusted)
	}
	// 0.03*4/3 = 0.04 is below 0.025*4/2 = 0.05, so that both get it; 0.9 stays.
	got, err := BenjaminiHochberg([]float64{0.9, 0.03, 0.001, 0.025})
	if err != nil || !slices.EqualFunc(got, []float64{0.9, 0.04, 0.004, 0.04}, near) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := BenjaminiHochberg(nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if got, err := BenjaminiHochberg([]float64{0.5, p}); err == nil || got != nil {
			t.Errorf("a p-value of %v: %v", p, got)
		}
	}
}

// TestBenjaminiHochbergRate: of families of 20 tests, 5 of them with a real difference, the share of false findings is at most
// 0.05 times the share of true nulls, 15/20, which it is for independent tests (2,000 families, tolerance 1%).
func TestBenjaminiHochbergRate(t *testing.T) {
	const families = 2000
	sum, order := 0.0, 0
	for i := range families {
		random, p := Keyed(1, "families", uint64(i)), make([]float64, 20)
		for j := range p {
			p[j] = random.Float64()
			if j < 5 {
				p[j] *= 1e-3
			}
		}
		adjusted, err := BenjaminiHochberg(p)
		if err != nil {
			t.Fatal(err)
		}
		found, wrong := 0, 0
		for j, q := range adjusted {
			if q < p[j] || q > 1 {
				t.Fatalf("p %v becomes %v", p[j], q)
			}
			if q <= 0.05 {
				found++
				if j >= 5 {
					wrong++
				}
			}
			for k := range p {
				if p[k] < p[j] && adjusted[k] > q {
					order++
				}
			}
		}
		sum += float64(wrong) / float64(max(found, 1))
	}
	if rate := sum / families; !within(rate, 0.0375, 0.01) || order > 0 {
		t.Errorf("false findings %.4f, %d out of order", rate, order)
	}
}
