package stat

import (
	"math"
	"testing"
)

// TestSamplerMoments compares mean and variance of each sampler with its closed form, within five standard errors.
func TestSamplerMoments(t *testing.T) {
	weibull := func(k float64) (mean, variance float64) {
		g1, g2 := math.Gamma(1+1/k), math.Gamma(1+2/k)
		return g1, g2 - g1*g1
	}
	w5mean, w5var := weibull(0.5)
	w2mean, w2var := weibull(2)
	lognormalMean := 3 * math.Exp(0.5*0.25)
	cases := []struct {
		name           string
		draw           func(*Rand) float64
		mean, variance float64
	}{
		{"uniform", (*Rand).Float64, 0.5, 1.0 / 12},
		{"exponential", (*Rand).Exp, 1, 1},
		{"normal", (*Rand).Normal, 0, 1},
		{"lognormal", func(r *Rand) float64 { return r.Lognormal(3, 0.5) }, lognormalMean,
			lognormalMean * lognormalMean * (math.Exp(0.25) - 1)},
		{"gamma 1/16", func(r *Rand) float64 { return r.Gamma(1.0 / 16) }, 1.0 / 16, 1.0 / 16},
		{"gamma 1/4", func(r *Rand) float64 { return r.Gamma(0.25) }, 0.25, 0.25},
		{"gamma 1", func(r *Rand) float64 { return r.Gamma(1) }, 1, 1},
		{"gamma 7.5", func(r *Rand) float64 { return r.Gamma(7.5) }, 7.5, 7.5},
		{"weibull 0.5", func(r *Rand) float64 { return r.Weibull(0.5) }, w5mean, w5var},
		{"weibull 2", func(r *Rand) float64 { return r.Weibull(2) }, w2mean, w2var},
		{"integers 0..9", func(r *Rand) float64 { return float64(r.IntN(10)) }, 4.5, 8.25},
		{"integers -3..3", func(r *Rand) float64 { return float64(r.IntRange(-3, 3)) }, 0, 4},
	}
	const n = 200_000
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := Keyed(1, "moments "+c.name, 0)
			xs := make([]float64, n)
			var sum float64
			for i := range xs {
				xs[i] = c.draw(r)
				sum += xs[i]
			}
			mean := sum / n
			var m2, m4 float64
			for _, x := range xs {
				d := (x - mean) * (x - mean)
				m2 += d
				m4 += d * d
			}
			m2, m4 = m2/n, m4/n
			if se := math.Sqrt(m2 / n); math.Abs(mean-c.mean) > 5*se {
				t.Errorf("mean %.5f, want %.5f +- %.5f", mean, c.mean, 5*se)
			}
			if se := math.Sqrt((m4 - m2*m2) / n); math.Abs(m2-c.variance) > 5*se {
				t.Errorf("variance %.5f, want %.5f +- %.5f", m2, c.variance, 5*se)
			}
		})
	}
}

// TestKeyedStreams: the same key is the same stream, and any other key is another one.
func TestKeyedStreams(t *testing.T) {
	type key struct {
		seed   uint64
		stream string
		index  uint64
	}
	seen := map[uint64]key{}
	for _, stream := range []string{"", "gaps", "gaps ", "prompts"} {
		for seed := range uint64(10) {
			for index := range uint64(10) {
				k := key{seed, stream, index}
				first := Keyed(seed, stream, index).Uint64()
				if again := Keyed(seed, stream, index).Uint64(); again != first {
					t.Fatalf("%v gave %d, then %d", k, first, again)
				}
				if other, taken := seen[first]; taken {
					t.Fatalf("%v and %v give the same stream", k, other)
				}
				seen[first] = k
			}
		}
	}
}

func TestPermIsAPermutation(t *testing.T) {
	p := Keyed(7, "perm", 0).Perm(100)
	seen := make([]bool, len(p))
	moved := 0
	for i, v := range p {
		if seen[v] {
			t.Fatalf("%d stands twice", v)
		}
		seen[v] = true
		if v != i {
			moved++
		}
	}
	if moved < 80 {
		t.Errorf("only %d of 100 moved", moved)
	}
}
