package stat

import "testing"

// TestHodgesLehmann: the permeability of membranes of Hollander and Wolfe (1973), of which R's wilcox.test prints the difference
// 0.305 and the 95% interval -0.15 to 0.76.
func TestHodgesLehmann(t *testing.T) {
	x, y := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}, []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	got, err := HodgesLehmann(y, x, 0.95)
	if err != nil || !got.Bounded || !within(got.Shift, 0.305, 1e-12) || !within(got.Interval.Low, -0.15, 1e-12) || !within(got.Interval.High, 0.76, 1e-12) {
		t.Errorf("%+v, %v", got, err)
	}
	moved := sequence(len(x), func(i int) float64 { return 3*x[i] + 5 })
	scaled := sequence(len(y), func(i int) float64 { return 3 * y[i] })
	if s, err := HodgesLehmann(scaled, moved, 0.95); err != nil || !near(s.Shift, 3*got.Shift+5) || !near(s.Interval.Low, 3*got.Interval.Low+5) {
		t.Errorf("moved by 5 and three times as large: %+v, %v", s, err)
	}
	// Three a side: the smallest tail is 1/20, above 1/40.
	if small, err := HodgesLehmann([]float64{1, 2, 3}, []float64{4, 5, 6}, 0.95); err != nil || small.Bounded || small.Shift != 3 || small.Interval != (Interval{}) {
		t.Errorf("%+v, %v", small, err)
	}
	if small, err := HodgesLehmann([]float64{1, 2, 3}, []float64{4, 5, 6}, 0.9); err != nil || !small.Bounded || small.Interval != (Interval{1, 5}) {
		t.Errorf("%+v, %v", small, err)
	}
	// The counted law, whose ranks a Gaussian binomial coefficient in whole numbers gives too, and the normal one above it:
	// 1275 - 1.95996 sqrt(51*50*102/12) = 986.4.
	for want, n := range map[int][2]int{24: {10, 10}, 966: {50, 50}, 986: {51, 50}} {
		if k := rankOfShift(n[0], n[1], 0.025); k != want {
			t.Errorf("%v: rank %d, want %d", n, k, want)
		}
	}
	if _, err := HodgesLehmann(make([]float64, 5000), make([]float64, 5000), 0.95); err == nil {
		t.Error("25 million pairs")
	}
}
