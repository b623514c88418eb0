package stat

import (
	"errors"
	"math"
	"testing"
)

// TestWelch holds a published example: R's t.test(extra ~ group, data = sleep) gives t = -1.8608, df = 17.776, p = 0.07939
// and the interval -3.3654832 to 0.2054832 for group 1 less group 2 (R documentation of t.test, Student's sleep data).
func TestWelch(t *testing.T) {
	one := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	two := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	e, err := Welch(two, one, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want, by float64 }{{e.Mean, -1.58, 1e-9}, {e.Interval.Low, -3.3654832, 1e-7}, {e.Interval.High, 0.2054832, 1e-7}, {e.P, 0.07939, 5e-6}} {
		if math.Abs(c.got-c.want) > c.by {
			t.Errorf("%.8f, want %.8f", c.got, c.want)
		}
	}
	if e, err := Welch([]float64{1, 1}, []float64{1, 1, 1}, 0.95); err != nil || e.P != 1 || e.Interval != (Interval{}) {
		t.Errorf("equal constants: %+v, %v", e, err)
	}
	if _, err := Welch([]float64{1}, two, 0.95); !errors.Is(err, ErrTooFew) {
		t.Errorf("one value: %v", err)
	}
	if _, err := Welch(one, []float64{1, math.NaN()}, 0.95); err == nil {
		t.Error("a value that is no number was taken")
	}
	if _, err := Welch(one, two, 1); err == nil {
		t.Error("a confidence of 1 was taken")
	}
}
