package stat

import (
	"math"
	"testing"
)

// TestSlopeIntervalCovers: the interval of 95% holds the true slope in 93 to 99% of 2000 trials, with noise of heavy tails and three
// points at each x. It is rounded outwards, so it errs to the safe side.
func TestSlopeIntervalCovers(t *testing.T) {
	held, width := 0, 0.0
	const trials = 2000
	for k := range trials {
		r := Keyed(3, "slope interval", uint64(k))
		var x, y []float64
		for i := range 24 {
			x = append(x, float64(int(10)<<(i%8)))
			noise := r.Exp() - r.Exp()
			y = append(y, 5+0.2*x[i]+noise)
		}
		low, high, ok := SlopeInterval(x, y, 0.95)
		if !ok || low > high {
			t.Fatalf("%g %g %v", low, high, ok)
		}
		if low <= 0.2 && 0.2 <= high {
			held++
		}
		width += (high - low) / trials
	}
	if share := float64(held) / trials; share < 0.93 || share > 0.99 {
		t.Errorf("it holds the slope in %.3f of the trials", share)
	}
	if width > 0.01 { // least squares would have 0.0027
		t.Errorf("it is %g wide on average", width)
	}
	if _, _, ok := SlopeInterval([]float64{1, 1}, []float64{1, 2}, 0.95); ok {
		t.Error("a slope from one x")
	}
}

// TestSlopeIntervalExample is that of Conover's and others' textbooks computed by hand: four points without ties have six slopes,
// and C = 1.645 sqrt(4*3*13/18) = 4.84, so the interval of 90% is the least and the largest of them.
func TestSlopeIntervalExample(t *testing.T) {
	low, high, ok := SlopeInterval([]float64{0, 1, 2, 3}, []float64{0, 2, 3, 7}, 0.9)
	if !ok || low != 1 || high != 4 {
		t.Errorf("%g %g %v, want 1 and 4", low, high, ok)
	}
}

// TestLeastAbsolute: a parabola is found through points of which a fifth are wild.
func TestLeastAbsolute(t *testing.T) {
	var x, y []float64
	for i := range 30 {
		v := float64(20 + 37*i)
		x, y = append(x, v), append(y, 0.1+2e-4*v+3e-7*v*v)
		if i%5 == 2 {
			y[i] += 4
		}
	}
	c, ok := LeastAbsolute(x, y, 2)
	for k, want := range []float64{0.1, 2e-4, 3e-7} {
		if !ok || math.Abs(c[k]/want-1) > 1e-3 {
			t.Fatalf("%v %v, want %g at %d", c, ok, want, k)
		}
	}
	if _, ok := LeastAbsolute([]float64{1, 1, 1, 1}, y[:4], 1); ok {
		t.Error("a slope from one x")
	}
	if _, ok := LeastAbsolute(x[:2], y[:2], 2); ok {
		t.Error("three coefficients from two points")
	}
}
