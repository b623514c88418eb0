package stat

import (
	"math"
	"testing"
)

// TestBlocksNeeded: n = (2.93 sd / ln(1+delta))^2, and the measured figures of reference/measurement.md section 11: for 10%,
// about 10 blocks on one schedule and about 115 on independent ones.
func TestBlocksNeeded(t *testing.T) {
	for _, c := range []struct {
		sd, delta, alpha, power float64
		want                    int
	}{
		{0.1, 0.10, 0.05, 0.9, 10}, // 9.43
		{0.35, 0.10, 0.05, 0.9, 116},
		{0.107, 0.05, 0.05, 0.9, 42},
		{0.1, 0.05, 0.05, 0.9, 36},
		{0.1, 0.10, 0.05, 0.8, 7},   // (2.4865*0.1/0.09531)^2 = 6.81
		{0.1, 0.10, 0.025, 0.9, 12}, // (3.2415*0.1/0.09531)^2 = 11.57
		{0.1, -0.0909090909, 0.05, 0.9, 10},
		{0, 0.1, 0.05, 0.9, 2},
	} {
		if got, err := BlocksNeeded(c.sd, c.delta, c.alpha, c.power); err != nil || got != c.want {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
	if z, err := testQuantiles(0.05, 0.9); err != nil || !within(z, 2.92641, 1e-5) {
		t.Errorf("quantiles %v, %v", z, err)
	}
	nan := math.NaN()
	for _, c := range [][4]float64{{-1, 0.1, 0.05, 0.9}, {nan, 0.1, 0.05, 0.9}, {0.1, 0, 0.05, 0.9}, {0.1, -1, 0.05, 0.9}, {0.1, nan, 0.05, 0.9},
		{0.1, 0.1, 0, 0.9}, {0.1, 0.1, 0.05, 1}, {0.1, 0.1, 0.5, 0.4}, {0.1, 1e-9, 0.05, 0.9}, {math.Inf(1), 0.1, 0.05, 0.9}} {
		if n, err := BlocksNeeded(c[0], c[1], c[2], c[3]); err == nil || n != 0 {
			t.Errorf("%v: %d blocks", c, n)
		}
	}
}

// TestDetectableHasItsPower: a difference of that size is found in 90% of 2,000 trials (tolerance: three standard errors and
// one for the approximation, 2.7%).
func TestDetectableHasItsPower(t *testing.T) {
	const trials, sd = 2000, 0.1
	for _, n := range []int{6, 10, 40} {
		delta, err := Detectable(n, sd, 0.05, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		found, limit := 0, studentsT(n-1).Quantile(0.95)
		for i := range trials {
			random := Keyed(uint64(n), "detectable", uint64(i))
			var m Moments
			for range n {
				m.Add(math.Log1p(delta) + sd*random.Normal())
			}
			if m.Mean() > limit*m.SD()/math.Sqrt(float64(n)) {
				found++
			}
		}
		if power := float64(found) / trials; !within(power, 0.9, 0.027) {
			t.Errorf("%d blocks, a difference of %.4f: found in %.4f", n, delta, power)
		}
	}
	for _, f := range []func() (float64, error){
		func() (float64, error) { return Detectable(1, 0.1, 0.05, 0.9) },
		func() (float64, error) { return Detectable(10, math.NaN(), 0.05, 0.9) },
		func() (float64, error) { return Detectable(10, 0.1, 0.05, 0.01) },
	} {
		if d, err := f(); err == nil || d != 0 {
			t.Errorf("a difference of %v", d)
		}
	}
}
