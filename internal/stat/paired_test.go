package stat

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sleep is the extra sleep of ten patients under one drug against the other: Student's own example (1908).
var sleep = []float64{1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4}

// broken are inputs of which no figure may be made.
var broken = map[string][]float64{
	"empty":    {},
	"one":      {1},
	"NaN":      {1, 2, math.NaN(), 4, 5, 6, 7, 8, 9, 10},
	"infinite": {1, 2, 3, 4, 5, 6, math.Inf(1), 8, 9, 10},
	"negative": {1, 2, 3, math.Inf(-1), 5, 6, 7, 8, 9, 10},
}

func within(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

// TestPairedStudent: mean 1.58, t 4.0621, p 0.00283 and interval 0.70 to 2.46 are those of the paper and of every textbook.
func TestPairedStudent(t *testing.T) {
	e, err := Paired(sleep, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if e.N != 10 || !within(e.Mean, 1.58, 1e-12) || !within(e.SD, 1.229995, 1e-6) || !within(e.P, 0.00283289, 1e-7) ||
		!within(e.Interval.Low, 0.7001142, 1e-6) || !within(e.Interval.High, 2.4598858, 1e-6) {
		t.Errorf("%+v", e)
	}
	if r := e.RatioInterval(); !near(e.Ratio(), math.Exp(1.58)) || !near(r.Low, math.Exp(e.Interval.Low)) || !near(r.High, math.Exp(e.Interval.High)) {
		t.Errorf("ratio %v, %v", e.Ratio(), r)
	}
}

// TestStudentQuantiles: the tables of Student's law.
func TestStudentQuantiles(t *testing.T) {
	for _, c := range []struct {
		df   int
		p, t float64
	}{{1, 0.975, 12.7062}, {4, 0.975, 2.77645}, {9, 0.975, 2.26216}, {39, 0.95, 1.68488}, {5, 0.995, 4.03214}, {30, 0.9, 1.31042}, {8, 0.95, 1.85955}} {
		if got := studentsT(c.df).Quantile(c.p); !within(got, c.t, 1e-5*c.t) {
			t.Errorf("t[%g] of %d degrees of freedom is %v, want %v", c.p, c.df, got, c.t)
		}
	}
}

func TestPairedEdges(t *testing.T) {
	for name, v := range broken {
		if e, err := Paired(v, 0.95); err == nil || e != (PairedEstimate{}) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	if _, err := Paired([]float64{1}, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, confidence := range []float64{0, 1, -1, 95, math.NaN()} {
		if _, err := Paired(sleep, confidence); err == nil {
			t.Errorf("a confidence of %v", confidence)
		}
	}
	if _, err := Paired([]float64{math.MaxFloat64, -math.MaxFloat64}, 0.95); err == nil {
		t.Error("an estimate of what overflows")
	}
	same, err := Paired([]float64{0, 0, 0, 0}, 0.95)
	if err != nil || same.P != 1 || same.Interval != (Interval{}) {
		t.Errorf("no difference at all: %+v, %v", same, err)
	}
	if even, err := Paired([]float64{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, 0.95); err != nil || even.P != 1.0/32 || even.SD != 0 {
		t.Errorf("the same difference in each: %+v, %v", even, err)
	}
}

// TestPairedCovers: of 4,000 normal samples of 5 the 95% interval holds the true mean in 95%, and P is below 0.05 in 5% of
// those without a difference (tolerance: 3.5 standard errors, 1.2%).
func TestPairedCovers(t *testing.T) {
	const trials = 4000
	covered, alarms := 0, 0
	for i := range trials {
		random := Keyed(1, "paired covers", uint64(i))
		v, null := make([]float64, 5), make([]float64, 5)
		for j := range v {
			v[j], null[j] = 0.3+random.Normal(), random.Normal()
		}
		e, err := Paired(v, 0.95)
		n, errNull := Paired(null, 0.95)
		if err != nil || errNull != nil {
			t.Fatal(err, errNull)
		}
		if e.Interval.Contains(0.3) {
			covered++
		}
		if (n.P < 0.05) == n.Interval.Contains(0) {
			t.Fatalf("p %v against the interval %v", n.P, n.Interval)
		}
		if n.P < 0.05 {
			alarms++
		}
	}
	if c, a := float64(covered)/trials, float64(alarms)/trials; !within(c, 0.95, 0.012) || !within(a, 0.05, 0.012) {
		t.Errorf("covered in %.4f, false alarms in %.4f", c, a)
	}
}

// TestPairedProperties: the order of the blocks is nothing to it, and a change of the unit changes nothing but the unit.
func TestPairedProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-10, 10), 6, 20).Draw(t, "v")
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		order := rapid.Permutation(v).Draw(t, "order")
		scaled := slices.Clone(order)
		for i := range scaled {
			scaled[i] *= -scale
		}
		a, err := Paired(v, 0.9)
		b, errScaled := Paired(scaled, 0.9)
		if err != nil || errScaled != nil {
			t.Fatal(err, errScaled)
		}
		tolerance := 1e-9 * (1 + math.Abs(a.Mean) + a.SD*10)
		if !within(b.Mean, -scale*a.Mean, tolerance*scale) || !within(b.Interval.Low, -scale*a.Interval.High, tolerance*scale) || a.SD > 1e-6 && !within(a.P, b.P, 1e-6) {
			t.Fatalf("%+v, scaled by %v %+v", a, -scale, b)
		}
		p, err := SignFlip(v, 1)
		q, errScaled := SignFlip(scaled, 1)
		if err != nil || errScaled != nil || p != q {
			t.Fatalf("sign flips: p %v, scaled %v, %v, %v", p, q, err, errScaled)
		}
	})
}
