package stat

import (
	"math"
	"testing"
)

// TestTheilSen: worked by hand, a line that is exact, and one with wild points that least squares would follow.
func TestTheilSen(t *testing.T) {
	for name, c := range map[string]struct {
		x, y     []float64
		want     Line
		residual float64
	}{
		"exact": {[]float64{1, 2, 4, 8}, []float64{10, 13, 19, 31}, Line{7, 3}, 0},
		// Slopes 1, 2.5, 4 between the pairs: the middle is 2.5; intercepts 1, -0.5, 1; the middle is 1.
		"by hand":    {[]float64{0, 1, 2}, []float64{1, 2, 6}, Line{1, 2.5}, 0},
		"two wild":   {[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, []float64{3, 5, 7, 9, 500, 13, 15, 17, -900}, Line{1, 2}, 0},
		"twice an x": {[]float64{1, 1, 3, 3}, []float64{2, 4, 6, 8}, Line{1, 2}, 1},
	} {
		got, residual, ok := TheilSen(c.x, c.y)
		if !ok || math.Abs(got.Intercept-c.want.Intercept) > 1e-9 || math.Abs(got.Slope-c.want.Slope) > 1e-9 || math.Abs(residual-c.residual) > 1e-9 {
			t.Errorf("%s: %+v, residual %g, %t; want %+v, %g", name, got, residual, ok, c.want, c.residual)
		}
	}
	for _, x := range [][]float64{nil, {3}, {2, 2}} {
		if _, _, ok := TheilSen(x, x); ok {
			t.Errorf("a line through %v", x)
		}
	}
}

// TestTheilSenRecovers: of noisy points it finds the line that made them; a third of them being wild moves it little.
func TestTheilSenRecovers(t *testing.T) {
	r := Keyed(5, "line", 0)
	var x, y []float64
	for i := range 60 {
		v := float64(i * 20)
		x, y = append(x, v), append(y, 12+float64(1.3*v)+r.Normal())
		if i%3 == 0 {
			y[i] = float64(3000 * r.Float64())
		}
	}
	l, residual, ok := TheilSen(x, y)
	if !ok || math.Abs(l.Slope-1.3) > 0.01 || math.Abs(l.Intercept-12) > 5 || residual > 5 {
		t.Errorf("%+v, residual %g", l, residual)
	}
}
