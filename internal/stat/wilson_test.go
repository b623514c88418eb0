package stat

import (
	"errors"
	"math"
	"testing"
)

// TestWilson: the table of reference/measurement.md section 16 to its three digits, and scipy's proportion_ci.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		n         int
		low, high float64
	}{{100, .711, .867}, {200, .739, .850}, {500, .763, .833}, {1000, .774, .824}, {2000, .782, .817}, {5000, .789, .811}} {
		i, err := Wilson(c.n*8/10, c.n, 0.95)
		if err != nil || !within(i.Low, c.low, 0.00051) || !within(i.High, c.high, 0.00051) {
			t.Errorf("0.8 of %d: %+v, %v; want %v to %v", c.n, i, err, c.low, c.high)
		}
	}
	for _, c := range []struct {
		k, n       int
		confidence float64
		low, high  float64
	}{
		{80, 100, 0.95, 0.711170834406841, 0.8666330666689674},
		{80, 100, 0.9, 0.7266961911903832, 0.8574981763397121},
		{0, 10, 0.95, 0, 0.27753279986288926},
		{10, 10, 0.95, 0.7224672001371109, 1},
		{1, 2000, 0.95, 8.826773070546787e-05, 0.0028268625032662137},
	} {
		if i, err := Wilson(c.k, c.n, c.confidence); err != nil || !within(i.Low, c.low, 1e-9) || !within(i.High, c.high, 1e-9) {
			t.Errorf("%d of %d at %v: %+v, %v", c.k, c.n, c.confidence, i, err)
		}
	}
	if _, err := Wilson(0, 0, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, c := range [][2]int{{-1, 5}, {6, 5}} {
		if i, err := Wilson(c[0], c[1], 0.95); err == nil {
			t.Errorf("%v: %+v", c, i)
		}
	}
	if _, err := Wilson(1, 2, math.NaN()); err == nil {
		t.Error("a confidence of NaN")
	}
}

// TestWilsonProperties: what holds for k of n holds, turned round, for the others, and the share seen lies inside.
func TestWilsonProperties(t *testing.T) {
	for n := 1; n <= 60; n++ {
		for k := range n + 1 {
			a, err := Wilson(k, n, 0.95)
			b, _ := Wilson(n-k, n, 0.95)
			if err != nil || !within(a.Low, 1-b.High, 1e-12) || !a.Contains(float64(k)/float64(n)) || a.Low < 0 || a.High > 1 {
				t.Fatalf("%d of %d: %+v, the others %+v, %v", k, n, a, b, err)
			}
		}
	}
}
