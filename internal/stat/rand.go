package stat

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
)

// Rand is a stream of random numbers that is the same on every machine. It is not safe for concurrent use; it is
// cheap to make, so that every use has a stream of its own and none disturbs another.
type Rand struct {
	pcg rand.PCG
}

// Keyed returns the stream that belongs to (seed, stream, index). Different keys give independent streams: the key
// goes through SHA-256. Use the stream to name the purpose ("gaps", "prompt text") and the index to number its uses,
// so that what request i gets does not depend on what was drawn for the requests before it.
func Keyed(seed uint64, stream string, index uint64) *Rand {
	key := make([]byte, 16, 16+len(stream))
	binary.LittleEndian.PutUint64(key, seed)
	binary.LittleEndian.PutUint64(key[8:], index)
	sum := sha256.Sum256(append(key, stream...))
	r := new(Rand)
	r.pcg.Seed(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16]))
	return r
}

// Uint64 is uniform over all 64-bit values. With it a *Rand is a rand.Source.
func (r *Rand) Uint64() uint64 { return r.pcg.Uint64() }

// Float64 is uniform in (0, 1), both ends excluded: the middles of 2^52 equal cells, so that its logarithm is finite.
func (r *Rand) Float64() float64 {
	return float64((float64(r.Uint64()>>12) + 0.5) * 0x1p-52)
}

// IntN is uniform over 0..n-1. It panics for n <= 0.
func (r *Rand) IntN(n int) int {
	if n <= 0 {
		panic("stat: IntN needs a positive n")
	}
	// The high word of a 64x64 bit product, with the few values rejected that would make some results likelier
	// (Lemire, "Fast random integer generation in an interval", 2019).
	bound := uint64(n)
	hi, lo := bits.Mul64(r.Uint64(), bound)
	if lo < bound {
		for reject := -bound % bound; lo < reject; {
			hi, lo = bits.Mul64(r.Uint64(), bound)
		}
	}
	return int(hi)
}

// IntRange is uniform over lo..hi, both included. It panics for hi < lo.
func (r *Rand) IntRange(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// Perm is a random order of 0..n-1.
func (r *Rand) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := r.IntN(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}

// Exp is exponential with mean 1.
func (r *Rand) Exp() float64 { return -Log(r.Float64()) }

// Normal is normal with mean 0 and standard deviation 1 (Box and Muller, 1958). It always takes two draws.
func (r *Rand) Normal() float64 {
	radius := math.Sqrt(2 * r.Exp())
	return float64(radius * CosTurns(r.Float64()))
}

// Lognormal is exp(N) with N normal around ln(median) with standard deviation sigma.
func (r *Rand) Lognormal(median, sigma float64) float64 {
	return float64(median * Exp(float64(sigma*r.Normal())))
}

// Gamma has this shape and scale 1: mean shape, variance shape. Marsaglia and Tsang, "A simple method for generating
// gamma variables", 2000; a shape below 1 is Gamma(shape+1) U^(1/shape). It returns NaN for a shape that is not
// positive.
func (r *Rand) Gamma(shape float64) float64 {
	if !(shape > 0) {
		return math.NaN()
	}
	if shape < 1 {
		g := r.Gamma(shape + 1)
		return float64(g * Exp(Log(r.Float64())/shape))
	}
	d := shape - 1.0/3
	c := 1 / (3 * math.Sqrt(d))
	for {
		x := r.Normal()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = float64(float64(v*v) * v)
		// Accept where ln U < x^2/2 + d - d v + d ln v.
		half := float64(x*x) / 2
		if -r.Exp() < half+float64(d*(1-v+Log(v))) {
			return float64(d * v)
		}
	}
}

// Weibull has this shape and scale 1: E^(1/shape) for an exponential E.
func (r *Rand) Weibull(shape float64) float64 { return Pow(r.Exp(), 1/shape) }
