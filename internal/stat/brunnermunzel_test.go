package stat

import (
	"errors"
	"testing"
)

// TestBrunnerMunzel: the pain scores of Brunner and Munzel (2000) as R's lawstat prints them (W 3.1375, df 17.683, p 0.005786,
// P(A<B)+P(A=B)/2 0.788961), and scipy.stats.brunnermunzel.
func TestBrunnerMunzel(t *testing.T) {
	x, y := []float64{1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1}, []float64{3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4}
	got, err := BrunnerMunzel(x, y)
	if err != nil || !near(got.W, 3.1374674823029505) || !near(got.P, 0.005786208666151538) || !within(got.DF, 17.683, 0.0005) || !within(got.PHat, 0.788961, 5e-7) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, c := range []struct {
		a, b []float64
		w, p float64
	}{
		{samplesA, samplesB, 4.1894250263350035, 0.0011335090006989734},
		{tiedA, tiedB, 2.4151963766682663, 0.026810107005639683},
		{samplesB[:4], samplesA, -3.776316112335101, 0.003221533666049212},
	} {
		if got, err := BrunnerMunzel(c.a, c.b); err != nil || !near(got.W, c.w) || !near(got.P, c.p) {
			t.Errorf("%+v, %v; want W %v, p %v", got, err, c.w, c.p)
		}
	}
	apart, err := BrunnerMunzel([]float64{1, 2, 3}, []float64{7, 8, 9})
	if !errors.Is(err, ErrNoSpread) || apart != (BrunnerMunzelTest{PHat: 1}) {
		t.Errorf("apart: %+v, %v", apart, err)
	}
}
