package stat

import (
	"errors"
	"math/big"
	"testing"
)

// TestMcNemar: scipy's binomtest and binom.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		b, c        int
		exact, midP float64
	}{
		{5, 15, 0.04138946533203125, 0.026603698730468753},
		{0, 6, 0.03125, 0.015625},
		{25, 40, 0.08168153394154003, 0.06401750413722561},
		{121, 59, 4.4344492637551645e-06, 3.2666467957745733e-06},
		{10, 10, 1, 1 - 0.17619705200195312/2}, // C(20,10)/2^20
		{1, 0, 1, 0.5},
	} {
		for _, side := range [][2]int{{c.b, c.c}, {c.c, c.b}} {
			if got, err := McNemar(side[0], side[1]); err != nil || !near(got.Exact, c.exact) || !near(got.MidP, c.midP) {
				t.Errorf("%v: %+v, %v", side, got, err)
			}
		}
	}
	if _, err := McNemar(0, 0); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	if _, err := McNemar(-1, 3); err == nil {
		t.Error("a negative count")
	}
}

// TestMcNemarCounts: the definition in whole numbers.
func TestMcNemarCounts(t *testing.T) {
	for n := 1; n <= 70; n += 3 {
		for b := range n + 1 {
			sum := new(big.Int)
			for k := range int64(min(b, n-b)) + 1 {
				sum.Add(sum, new(big.Int).Binomial(int64(n), k))
			}
			want, _ := new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(n-1))).Float64()
			if got, err := McNemar(b, n-b); err != nil || !near(got.Exact, min(1, want)) || got.MidP > got.Exact || got.MidP <= 0 {
				t.Errorf("%d and %d: %+v, want %v; %v", b, n-b, got, want, err)
			}
		}
	}
}
