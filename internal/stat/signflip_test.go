package stat

import (
	"errors"
	"math"
	"testing"
)

// flipped counts all signs one by one: the definition.
func flipped(r []float64) float64 {
	observed := 0.0
	for _, x := range r {
		observed += x
	}
	hits, all := 0, 1<<len(r)
	for signs := range all {
		sum := 0.0
		for i, x := range r {
			if signs>>i&1 == 1 {
				x = -x
			}
			sum += x
		}
		if math.Abs(sum) >= math.Abs(observed)-1e-9 {
			hits++
		}
	}
	return float64(hits) / float64(all)
}

// TestSignFlipGolden: Darwin's plants, 15 pairs in eighths of an inch, of which Fisher (1935, section 21) counted 863 of the
// 2^15 sums to be as large as the observed one, 314, or larger; p is twice that.
func TestSignFlipGolden(t *testing.T) {
	plants := []float64{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}
	for name, c := range map[string]struct {
		r []float64
		p float64
	}{
		"Fisher's plants": {plants, 2 * 863.0 / 32768},
		"all one sign":    {[]float64{1, 2, 3, 4, 5, 6}, 2.0 / 64},
		"sum 0":           {[]float64{1, -1, 2, -2, 3, -3}, 1},
		"nothing":         {make([]float64, 8), 1},
		"six and a zero":  {[]float64{1, 1, 1, 1, 1, 1, 0}, 2.0 / 64},
	} {
		if p, err := SignFlip(c.r, 1); err != nil || p != c.p {
			t.Errorf("%s: p %v (of 2^%d: %v), want %v; %v", name, p, len(c.r), math.Ldexp(p, len(c.r)), c.p, err)
		}
	}
}

func TestSignFlipIsItsDefinition(t *testing.T) {
	for i := range 60 {
		random := Keyed(2, "sign flips against all", uint64(i))
		r := make([]float64, 6+i%9)
		for j := range r {
			r[j] = random.Normal() + 0.3
			if i%2 == 0 {
				r[j] = math.Round(2 * r[j]) // ties
			}
		}
		if p, err := SignFlip(r, 1); err != nil || p != flipped(r) {
			t.Errorf("%v: p %v, all signs give %v; %v", r, p, flipped(r), err)
		}
	}
}

// TestSignFlipDrawn: the drawn signs agree with all signs within four standard errors, are the same for the same seed, and
// never give 0.
func TestSignFlipDrawn(t *testing.T) {
	random := Keyed(3, "sign flips drawn", 0)
	r := make([]float64, exactFlips)
	sum := 0.0
	for i := range r {
		r[i] = random.Normal() + 0.3
		sum += r[i]
	}
	exact, err := SignFlip(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	drawn := drawnSigns(r, math.Abs(sum), 5)
	if se := math.Sqrt(exact * (1 - exact) / sampledFlips); !within(drawn, exact, 4*se) {
		t.Errorf("drawn %v, exact %v with error %v", drawn, exact, se)
	}
	long := make([]float64, 100)
	for i := range long {
		long[i] = 1 + random.Float64()
	}
	p, err := SignFlip(long, 9)
	again, _ := SignFlip(long, 9)
	if err != nil || p != again || p != 1.0/(sampledFlips+1) {
		t.Errorf("p %v, again %v, %v", p, again, err)
	}
}

// TestSignFlipUniform: without a difference p is at most u in a share u of the trials, whatever the law of the values
// (3,000 trials of 12; tolerance: four standard errors).
func TestSignFlipUniform(t *testing.T) {
	const trials = 3000
	for name, draw := range map[string]func(*Rand) float64{
		"normal":      (*Rand).Normal,
		"heavy tails": func(r *Rand) float64 { return r.Normal() / math.Abs(r.Normal()) },
	} {
		counts := map[float64]int{0.01: 0, 0.05: 0, 0.2: 0, 0.5: 0}
		for i := range trials {
			random, r := Keyed(4, name, uint64(i)), make([]float64, 12)
			for j := range r {
				r[j] = draw(random)
			}
			p, err := SignFlip(r, 1)
			if err != nil {
				t.Fatal(err)
			}
			for u := range counts {
				if p <= u {
					counts[u]++
				}
			}
		}
		for u, n := range counts {
			if share := float64(n) / trials; !within(share, u, 4*math.Sqrt(u*(1-u)/trials)) {
				t.Errorf("%s: p is at most %v in %.4f of the trials", name, u, share)
			}
		}
	}
}

func TestSignFlipEdges(t *testing.T) {
	for name, v := range broken {
		if p, err := SignFlip(v, 1); err == nil || p != 0 {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := SignFlip([]float64{1, 2, 3, 4, 5}, 1); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	huge := math.MaxFloat64
	if _, err := SignFlip([]float64{huge, huge, huge, huge, huge, huge}, 1); err == nil {
		t.Error("a p-value of what overflows")
	}
}

func BenchmarkSignFlip(b *testing.B) {
	random := Keyed(3, "sign flips", 0)
	r := make([]float64, 40)
	for i := range r {
		r[i] = random.Normal()
	}
	for _, n := range []int{10, 32, 40} {
		b.Run(map[int]string{10: "blocks=10", 32: "blocks=32", 40: "blocks=40"}[n], func(b *testing.B) {
			for b.Loop() {
				if _, err := SignFlip(r[:n], 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
