package stat

import (
	"math"
	"testing"
)

// ulps is the distance between two floats, in units in the last place of the wanted one.
func ulps(got, want float64) float64 {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return 0
	}
	unit := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
	return math.Abs(got-want) / unit
}

// TestAgainstMath holds the portable functions against the standard library, which differs between machines but by
// less than one unit in the last place.
func TestAgainstMath(t *testing.T) {
	r := Keyed(1, "against math", 0)
	worst := map[string]float64{}
	check := func(name string, limit, x, got, want float64) {
		t.Helper()
		d := ulps(got, want)
		worst[name] = max(worst[name], d)
		if d > limit || math.IsNaN(d) {
			t.Errorf("%s(%v) = %v, want %v: %.1f ulp", name, x, got, want, d)
		}
	}
	for range 200_000 {
		x := math.Ldexp(r.Float64()+0.5, r.IntN(2000)-1000)
		check("log", 2, x, Log(x), math.Log(x))
		near := 0.5 + r.Float64()
		check("log near 1", 2, near, Log(near), math.Log(near))
		y := (r.Float64() - 0.5) * 1400
		check("exp", 2, y, Exp(y), math.Exp(y))
		small := r.Float64() - 0.5
		check("exp near 0", 2, small, Exp(small), math.Exp(small))
	}
	t.Log(worst)
	for _, x := range []float64{0, -1, 1, math.Inf(1), math.NaN(), math.MaxFloat64} {
		check("log", 2, x, Log(x), math.Log(x))
	}
	for _, x := range []float64{0, 1, -1, 1000, -1000, -744, 700, math.Inf(1), math.Inf(-1), math.NaN()} {
		check("exp", 2, x, Exp(x), math.Exp(x))
	}
}

// TestWhereMathDiffers has two values at which package math itself is far off on amd64 (it gives -709.09 and +Inf) and
// right elsewhere: the reason for having functions of our own. The wanted values are from an arbitrary precision
// calculator.
func TestWhereMathDiffers(t *testing.T) {
	if got, want := Log(5e-324), -744.4400719213812; got != want {
		t.Errorf("log of the smallest number = %v, want %v", got, want)
	}
	if got, want := Exp(709.7), 1.6549840276802644e+308; ulps(got, want) > 2 {
		t.Errorf("exp(709.7) = %v, want %v", got, want)
	}
}

func TestTurns(t *testing.T) {
	exact := []struct{ u, sin, cos float64 }{
		{0, 0, 1}, {0.25, 1, 0}, {0.5, 0, -1}, {0.75, -1, 0}, {1, 0, 1}, {-0.25, -1, 0}, {1e6 + 0.25, 1, 0},
	}
	for _, e := range exact {
		if SinTurns(e.u) != e.sin || CosTurns(e.u) != e.cos {
			t.Errorf("%v turns: sin %v cos %v, want %v and %v", e.u, SinTurns(e.u), CosTurns(e.u), e.sin, e.cos)
		}
	}
	r := Keyed(1, "turns", 0)
	for range 100_000 {
		u := r.Float64()*2 - 1
		// The argument 2*pi*u of the reference is itself rounded: up to 2^-50.
		if d := math.Abs(SinTurns(u) - math.Sin(2*math.Pi*u)); d > 0x1p-49 {
			t.Fatalf("sin of %v turns is off by %g", u, d)
		}
		if d := math.Abs(CosTurns(u) - math.Cos(2*math.Pi*u)); d > 0x1p-49 {
			t.Fatalf("cos of %v turns is off by %g", u, d)
		}
	}
}

func TestLogGamma(t *testing.T) {
	for n, factorial := 1, 1.0; n < 20; n++ {
		if got, want := LogGamma(float64(n)), math.Log(factorial); math.Abs(got-want) > 1e-13*(1+want) {
			t.Errorf("LogGamma(%d) = %v, want ln %v = %v", n, got, factorial, want)
		}
		factorial *= float64(n)
	}
	for x := 0.01; x < 300; x *= 1.03 {
		want, _ := math.Lgamma(x)
		if got := LogGamma(x); math.Abs(got-want) > 1e-13*(1+math.Abs(want)) {
			t.Errorf("LogGamma(%v) = %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{0, -1, math.NaN()} {
		if got := LogGamma(x); !math.IsNaN(got) {
			t.Errorf("LogGamma(%v) = %v, want NaN", x, got)
		}
	}
}
