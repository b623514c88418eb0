package stat

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var (
	samplesA = []float64{10.1, 10.4, 9.8, 10.0, 10.9, 10.2, 9.9, 10.3, 10.6, 10.5}
	samplesB = []float64{10.7, 11.4, 10.8, 10.45, 11.9, 11.2, 10.95, 11.3, 9.95, 11.5}
	tiedA    = []float64{10, 11, 10, 12, 10, 11, 13, 10, 12, 11}
	tiedB    = []float64{11, 12, 12, 13, 11, 14, 12, 10, 13, 15}
)

func sequence(n int, f func(i int) float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = f(i)
	}
	return v
}

// TestMannWhitney: U and p of the library under benchstat (github.com/aclements/go-moremath/stats, MannWhitneyUTest) and, where
// it has such a method, of scipy.stats.mannwhitneyu.
func TestMannWhitney(t *testing.T) {
	long := [2][]float64{sequence(60, func(i int) float64 { return float64(i * 7 % 61) }), sequence(60, func(i int) float64 { return float64(i*11%59) + 6.5 })}
	longTied := [2][]float64{sequence(30, func(i int) float64 { return float64(i * 7 % 13) }), sequence(30, func(i int) float64 { return float64(i*5%11 + 3) })}
	for name, c := range map[string]struct {
		a, b []float64
		want MannWhitneyTest
	}{
		"ten a side":           {samplesA, samplesB, MannWhitneyTest{13, 0.003886206672584383, true}},
		"six a side":           {samplesA[:6], samplesB[:6], MannWhitneyTest{3, 0.015151515151515155, true}},
		"four against ten":     {samplesA[:4], samplesB, MannWhitneyTest{3, 0.013986013986013986, true}},
		"ties":                 {tiedA, tiedB, MannWhitneyTest{24, 0.05061811253761718, true}},
		"one with itself":      {tiedA, tiedA, MannWhitneyTest{50, 1, true}},
		"all equal":            {[]float64{7, 7, 7}, []float64{7, 7, 7, 7}, MannWhitneyTest{6, 1, true}},
		"sixty, ties, normal":  {long[0], long[1], MannWhitneyTest{1490, 0.10427841017088994, false}},
		"thirty, ties, normal": {longTied[0], longTied[1], MannWhitneyTest{299, 0.025636802403375812, false}},
		"all equal, normal":    {make([]float64, 30), make([]float64, 30), MannWhitneyTest{450, 1, false}},
	} {
		got, err := MannWhitney(c.a, c.b)
		if err != nil || got.U != c.want.U || !near(got.P, c.want.P) || got.Exact != c.want.Exact {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
		back, err := MannWhitney(c.b, c.a)
		if err != nil || back.U != float64(len(c.a)*len(c.b))-got.U || !near(back.P, got.P) {
			t.Errorf("%s, turned round: %+v, %v", name, back, err)
		}
	}
}

// dealt is the law of 2U by dealing the pooled values out in every way: the definition.
func dealt(pooled []float64, na int) []float64 {
	nb := len(pooled) - na
	law, all := make([]float64, 2*na*nb+1), 0.0
	for mask := range 1 << len(pooled) {
		var a, b []float64
		for i, x := range pooled {
			if mask>>i&1 == 1 {
				a = append(a, x)
			} else {
				b = append(b, x)
			}
		}
		if len(a) != na {
			continue
		}
		u2 := 0
		for _, x := range a {
			for _, y := range b {
				switch {
				case x > y:
					u2 += 2
				case x == y:
					u2++
				}
			}
		}
		law[u2]++
		all++
	}
	for i := range law {
		law[i] /= all
	}
	return law
}

func TestUIsItsDefinition(t *testing.T) {
	for _, pooled := range [][]float64{{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 1, 2, 3, 3, 4, 4, 4, 4}, {1, 1, 2}, {5, 5, 5, 5}, {1, 2, 2, 2, 2, 2, 2, 9}} {
		_, groups := midranks(pooled)
		for na := 1; na < len(pooled); na++ {
			got, want := uLaw(na, len(pooled)-na, groups), dealt(pooled, na)
			if !slices.EqualFunc(got, want, func(a, b float64) bool { return within(a, b, 1e-12) }) {
				t.Errorf("%d of %v: %v, want %v", na, pooled, got, want)
			}
		}
	}
}

// TestTwoSamplesUniform: without a difference p is below 0.05 in at most 5% of the trials, and not much less (2,000 trials of 12
// against 15; tolerance: four standard errors, and of Brunner-Munzel's approximation one percent more).
func TestTwoSamplesUniform(t *testing.T) {
	const trials = 2000
	u, bm, covered := 0, 0, 0
	for i := range trials {
		random := Keyed(1, "two samples", uint64(i))
		a, b := sequence(12, func(int) float64 { return random.Exp() }), sequence(15, func(int) float64 { return random.Exp() })
		x, err := MannWhitney(a, b)
		y, errBM := BrunnerMunzel(a, b)
		z, errHL := HodgesLehmann(a, b, 0.95)
		if err != nil || errBM != nil || errHL != nil {
			t.Fatal(err, errBM, errHL)
		}
		if x.P < 0.05 {
			u++
		}
		if y.P < 0.05 {
			bm++
		}
		if z.Bounded && z.Interval.Contains(0) {
			covered++
		}
		// The interval is of the shifts that the test does not reject.
		if z.Interval.Contains(0) != (x.P > 0.05) {
			t.Fatalf("p %v against the interval %+v", x.P, z)
		}
	}
	if s := float64(u) / trials; s > 0.0695 || s < 0.025 {
		t.Errorf("Mann-Whitney: false alarms in %.4f", s)
	}
	if s := float64(bm) / trials; !within(s, 0.05, 0.03) {
		t.Errorf("Brunner-Munzel: false alarms in %.4f", s)
	}
	if s := float64(covered) / trials; s < 0.9305 || s > 0.975 {
		t.Errorf("Hodges-Lehmann: covered in %.4f", s)
	}
}

// TestTwoSamplesProperties: neither the order within a sample nor a rising function of all values is anything to a rank.
func TestTwoSamplesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.Map(rapid.IntRange(-6, 6), func(i int) float64 { return float64(i) / 2 }), 3, 14)
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		turned := func(v []float64) []float64 {
			w := slices.Clone(rapid.Permutation(v).Draw(t, "order"))
			for i := range w {
				w[i] = math.Exp(w[i])
			}
			return w
		}
		c, d := turned(a), turned(b)
		x, err := MannWhitney(a, b)
		y, errTurned := MannWhitney(c, d)
		if err != nil || errTurned != nil || x.U != y.U || !near(x.P, y.P) || x.P <= 0 || x.P > 1 {
			t.Fatalf("%+v and %+v, %v, %v", x, y, err, errTurned)
		}
		p, err := BrunnerMunzel(a, b)
		q, errTurned := BrunnerMunzel(c, d)
		if (err == nil) != (errTurned == nil) || !within(p.PHat, q.PHat, 1e-9) || !within(p.P, q.P, 1e-9) {
			t.Fatalf("%+v and %+v, %v, %v", p, q, err, errTurned)
		}
		if err != nil && !errors.Is(err, ErrNoSpread) {
			t.Fatal(err)
		}
		if want := 1 - x.U/float64(len(a)*len(b)); !within(p.PHat, want, 1e-9) {
			t.Fatalf("P(A < B) is %v, by U %v", p.PHat, want)
		}
	})
}

func TestTwoSamplesEdges(t *testing.T) {
	for name, v := range broken {
		if name == "one" {
			continue
		}
		for _, c := range [][2][]float64{{v, samplesA}, {samplesA, v}} {
			if x, err := MannWhitney(c[0], c[1]); err == nil || x != (MannWhitneyTest{}) {
				t.Errorf("%s: %+v", name, x)
			}
			if x, err := BrunnerMunzel(c[0], c[1]); err == nil || x != (BrunnerMunzelTest{}) {
				t.Errorf("%s: %+v", name, x)
			}
			if x, err := HodgesLehmann(c[0], c[1], 0.95); err == nil || x != (ShiftEstimate{}) {
				t.Errorf("%s: %+v", name, x)
			}
		}
	}
	if _, err := BrunnerMunzel([]float64{1}, samplesA); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
}
