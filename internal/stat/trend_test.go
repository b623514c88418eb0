package stat

import (
	"errors"
	"math"
	"testing"
)

// TestTrendByHand: block means 1 to 10 with 12 for the last one, by the sums of least squares.
func TestTrendByHand(t *testing.T) {
	v := sequence(20, func(i int) float64 {
		if i >= 18 {
			return 12
		}
		return float64(i/2 + 1)
	})
	// sum (x-4.5)(y-mean) = 82.5 + 2*4.5 = 91.5; /82.5 = 1.109091. Squares of y: 82.5 + 2*2*4.5 + 4 - 4/10 = 104.1;
	// scatter 104.1 - 91.5^2/82.5 = 2.618182; t = 1.109091 / sqrt(2.618182/8/82.5) = 17.609.
	got, err := TrendOf(v)
	if err != nil || !within(got.Slope, 91.5/82.5, 1e-12) || !within(got.T, 17.609, 0.001) || !within(got.P, 5.5e-8, 1e-8) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		f func(i int) float64
		p float64
	}{
		"flat": {func(int) float64 { return 0.1 }, 0.5},
		"up":   {func(i int) float64 { return 0.1 * float64(i) }, 0},
		"down": {func(i int) float64 { return -0.1 * float64(i) }, 1},
	} {
		if got, err := TrendOf(sequence(1003, c.f)); err != nil || got.P != c.p {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestTrendUniform: of noise, P is below u in a share u of 3,000 trials (tolerance: four standard errors).
func TestTrendUniform(t *testing.T) {
	const trials = 3000
	counts := map[float64]int{0.01: 0, 0.05: 0, 0.5: 0, 0.95: 0}
	for i := range trials {
		random := Keyed(1, "trend", uint64(i))
		got, err := TrendOf(sequence(107, func(int) float64 { return random.Normal() }))
		if err != nil || (got.T > 1.859548) != (got.P < 0.05) {
			t.Fatalf("%+v, %v", got, err)
		}
		for u := range counts {
			if got.P < u {
				counts[u]++
			}
		}
	}
	for u, n := range counts {
		if share := float64(n) / trials; !within(share, u, 4*math.Sqrt(u*(1-u)/trials)) {
			t.Errorf("P is below %v in %.4f of the trials", u, share)
		}
	}
}

// TestSaturation: a queue at load 1.1 is over-saturated in at least 95% of 200 runs; at load 0.5 in at most 5%: it takes both.
func TestSaturation(t *testing.T) {
	const runs = 200
	found := map[float64]int{1.1: 0, 0.5: 0}
	for load := range found {
		for i := range runs {
			random := Keyed(3, "saturation", uint64(i))
			wait, in, latency := 0.0, make([]float64, 0, 4000), make([]float64, 0, 4000)
			for range 4000 {
				service := random.Exp()
				latency = append(latency, wait+service)
				in = append(in, wait) // the work in the queue, as an arrival sees it
				wait = max(0, wait+service-random.Exp()/load)
			}
			s, err := SaturationOf(in, latency)
			if err != nil {
				t.Fatal(err)
			}
			if s.OverSaturated(0.05) {
				found[load]++
			}
		}
	}
	if found[1.1] < runs*95/100 || found[0.5] > runs*5/100 {
		t.Errorf("over-saturated: %v of %d", found, runs)
	}
	rising, flat := Trend{P: 0.001}, Trend{P: 0.5}
	if (Saturation{rising, flat}).OverSaturated(0.05) || (Saturation{flat, rising}).OverSaturated(0.05) || !(Saturation{rising, rising}).OverSaturated(0.05) {
		t.Error("it takes both")
	}
}

func TestTrendEdges(t *testing.T) {
	if _, err := TrendOf(make([]float64, 19)); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	ok := sequence(20, func(i int) float64 { return float64(i + 1) })
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		bad := append([]float64{x}, ok...)
		if got, err := TrendOf(bad); err == nil || got != (Trend{}) {
			t.Errorf("%v: %+v", x, got)
		}
		if got, err := SaturationOf(ok, bad); err == nil || got != (Saturation{}) {
			t.Errorf("latency %v: %+v", x, got)
		}
		if got, err := SaturationOf(bad, ok); err == nil || got != (Saturation{}) {
			t.Errorf("in flight %v: %+v", x, got)
		}
	}
	if _, err := SaturationOf(ok, make([]float64, 20)); err == nil {
		t.Error("latencies of 0")
	}
	if got, err := TrendOf(sequence(20, func(i int) float64 { return math.MaxFloat64 * float64(i%3-1) })); err == nil {
		t.Errorf("what overflows: %+v", got)
	}
}
