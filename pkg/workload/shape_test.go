package workload

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCurves holds rate and count of every shape against the same curve written down by hand and integrated by
// Simpson's rule.
func TestCurves(t *testing.T) {
	for _, c := range shapeCases() {
		t.Run(c.name, func(t *testing.T) {
			line, err := newCurve(c.shape, 100, lawWarmup*time.Second, lawMeasure*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0.25; at < lawWarmup+lawMeasure; at += 0.5 {
				if got, want := line.rate(at), c.rate(max(at-lawWarmup, 0)); math.Abs(got-want) > 1e-9*want {
					t.Fatalf("rate at %gs is %g, want %g", at, got, want)
				}
			}
			for at := 0.0; at <= lawWarmup+lawMeasure; at += 12.5 {
				if got, want := line.count(at), c.integral(0, at); math.Abs(got-want) > 1e-9*(1+want) {
					t.Fatalf("count at %gs is %.9g, want %.9g", at, got, want)
				}
			}
			if line.rate(-1) != 0 || line.rate(lawWarmup+lawMeasure) != 0 {
				t.Error("the rate outside of the block is not 0")
			}
		})
	}
}

// drawShape is any valid shape for a measure phase of this many seconds.
func drawShape(t *rapid.T, measure int) Shape {
	rate := func(name string) Rate {
		return Rate(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.01, 1000)).Draw(t, name))
	}
	switch rapid.SampledFrom([]string{"constant", "steps", "spike", "ramp", "diurnal"}).Draw(t, "shape") {
	case "steps":
		var steps []Step
		for left := measure; left > 0 && len(steps) < 6; {
			length := rapid.IntRange(1, left).Draw(t, "for")
			steps = append(steps, Step{For: sec(length), Rate: rate("rate")})
			left -= length
		}
		return Shape{Steps: steps}
	case "spike":
		at := rapid.IntRange(0, measure-1).Draw(t, "at")
		length := rapid.IntRange(1, measure-at).Draw(t, "for")
		return Shape{Spike: &Spike{At: sec(at), For: sec(length), Factor: float64(rate("factor")),
			Edge: Duration(rapid.Int64Range(0, int64(sec(length))/2).Draw(t, "edge"))}}
	case "ramp":
		return Shape{Ramp: &Ramp{From: rate("from"), To: rate("to")}}
	case "diurnal":
		return Shape{Diurnal: &Diurnal{Period: ms(rapid.IntRange(1, 1e7).Draw(t, "period")),
			Amplitude: rapid.Float64Range(0, 0.999).Draw(t, "amplitude"), Phase: ms(rapid.IntRange(-1e7, 1e7).Draw(t, "phase"))}}
	}
	return Shape{Constant: &ConstantShape{}}
}

// TestInverse: when undoes count, and count undoes when, on any curve.
func TestInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		warmup, measure := rapid.IntRange(0, 100).Draw(t, "warmup"), rapid.IntRange(1, 1000).Draw(t, "measure")
		c, err := newCurve(drawShape(t, measure), rapid.Float64Range(0.01, 1000).Draw(t, "base"), sec(warmup).D(), sec(measure).D())
		if err != nil {
			t.Fatal(err)
		}
		end := float64(warmup + measure)
		total := c.count(end)
		last := 0.0
		for i := range 50 {
			n := total * float64(i) / 50
			at := c.when(n)
			if at < last || at > end {
				t.Fatalf("when(%g) = %g after %g, of %g", n, at, last, end)
			}
			last = at
			if got := c.count(at); math.Abs(got-n) > 1e-9*(1+total) {
				t.Fatalf("count(when(%g)) = %g", n, got)
			}
			// The other way round where the curve is not flat: an error of count becomes one of when over the rate.
			x := end * float64(i) / 50
			if r := c.rate(x); r > 1e-3 && total > 0 {
				if got := c.when(min(c.count(x), total*(1-1e-15))); math.Abs(got-x) > 1e-9*(1+total)/r+1e-9*end {
					t.Fatalf("when(count(%g)) = %g at rate %g", x, got, r)
				}
			}
		}
	})
}

// TestWhenSkipsPauses: the inverse at a flat stretch of the integral is its end, also at the very start.
func TestWhenSkipsPauses(t *testing.T) {
	c, err := newCurve(Shape{Steps: []Step{{For: sec(5)}, {For: sec(10), Rate: 1}, {For: sec(20)}, {Rate: 2}}}, 0, 3*time.Second, 40*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[float64]float64{0: 8, 4: 12, 10: 38, 14: 40} {
		if got := c.when(n); got != want {
			t.Errorf("when(%g) is %g, want %g", n, got, want)
		}
	}
}

func TestShapeErrors(t *testing.T) {
	one := &Shape{Constant: &ConstantShape{}}
	cases := []struct {
		name     string
		arrivals Arrivals
		want     string
	}{
		{"no rate", Arrivals{}, "arrivals.rate is 0/s: give the base rate"},
		{"negative rate", Arrivals{Rate: -1}, "arrivals.rate is -1/s"},
		{"infinite rate", Arrivals{Rate: Rate(math.Inf(1))}, "arrivals.rate is +Inf/s"},
		{"rate that is no number", Arrivals{Rate: Rate(math.NaN())}, "arrivals.rate is NaN/s"},
		{"unknown preset", Arrivals{Preset: "stedy", Rate: 1}, `arrivals.preset is "stedy": the presets are steady, bursty, spike, on-off, ramp, diurnal`},
		{"empty shape", Arrivals{Rate: 1, Shape: &Shape{}}, "arrivals.shape names 0 shapes"},
		{"two shapes", Arrivals{Rate: 1, Shape: &Shape{Ramp: &Ramp{}, Steps: []Step{{}}}}, "arrivals.shape names 2 shapes"},
		{"two families", Arrivals{Rate: 1, Burst: &Burst{Poisson: &PoissonBurst{}, Constant: &ConstantBurst{}}}, "arrivals.burst names 2 families"},
		{"no step", Arrivals{Shape: &Shape{Steps: []Step{}}}, "steps is empty"},
		{"step without time", Arrivals{Shape: &Shape{Steps: []Step{{Rate: 1}, {Rate: 2}}}}, "steps[0].for is 0s, want a positive time"},
		{"step too late", Arrivals{Shape: &Shape{Steps: []Step{{For: sec(10), Rate: 1}, {Rate: 2}}}}, "steps[1] begins at 10s, after the measure phase of 10s"},
		{"negative step", Arrivals{Shape: &Shape{Steps: []Step{{Rate: -2}}}}, "steps[0].rate is -2/s"},
		{"spike outside", Arrivals{Rate: 1, Shape: &Shape{Spike: &Spike{At: sec(8), For: sec(3), Factor: 2}}}, "spike is from 8s for 3s: it must lie within the measure phase of 10s"},
		{"steep edges", Arrivals{Rate: 1, Shape: &Shape{Spike: &Spike{At: sec(1), For: sec(3), Factor: 2, Edge: sec(2)}}}, "spike.edge is 2s"},
		{"negative factor", Arrivals{Rate: 1, Shape: &Shape{Spike: &Spike{At: sec(1), For: sec(3), Factor: -2}}}, "spike.factor is -2"},
		{"negative ramp", Arrivals{Shape: &Shape{Ramp: &Ramp{From: 1, To: -1}}}, "ramp.to is -1/s"},
		{"empty ramp", Arrivals{Shape: &Shape{Ramp: &Ramp{}}}, "the shape asks for 0 arrivals until 10s"},
		{"full amplitude", Arrivals{Rate: 1, Shape: &Shape{Diurnal: &Diurnal{Period: sec(1), Amplitude: 1}}}, "diurnal.amplitude is 1"},
		{"no period", Arrivals{Rate: 1, Shape: &Shape{Diurnal: &Diurnal{}}}, "diurnal.period is 0s"},
		{"CV 0", Arrivals{Rate: 1, Shape: one, Burst: &Burst{Gamma: &CVBurst{}}}, "gamma.cv is 0, want 0.01 to 100"},
		{"CV not a number", Arrivals{Rate: 1, Shape: one, Burst: &Burst{Weibull: &CVBurst{CV: math.NaN()}}}, "weibull.cv is NaN"},
		{"never off", Arrivals{Rate: 1, Shape: one, Burst: &Burst{OnOff: &OnOff{On: 1}}}, "on is 1ns and off is 0s, want both positive"},
		{"too many", Arrivals{Rate: 1e9}, "at most 50000000"},
		{"too few", Arrivals{Rate: 1e-9}, "nothing arrives in the measure phase of 10s"},
		{"trace with bursts", Arrivals{Burst: &Burst{Poisson: &PoissonBurst{}}, Shape: &Shape{Trace: &Trace{}}}, "remove preset and burst"},
		{"trace with rate", Arrivals{Rate: 1, Shape: &Shape{Trace: &Trace{}}}, "remove rate"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(10)}, Arrivals: c.arrivals})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}
