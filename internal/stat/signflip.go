package stat

import (
	"fmt"
	"math"
	"math/bits"
)

const (
	// leastFlips is the smallest number of pairs of SignFlip: with fewer, no p-value is below 0.05 (2/2^5 = 0.0625).
	leastFlips = 6
	// exactFlips is the largest number of pairs of which all 2^n signs are counted. Half of them make 65,536 sums.
	exactFlips = 32
	// sampledFlips is how many signs are drawn above that: p of 0.05 then has a standard error of 0.0015.
	sampledFlips = 19_999
)

// SignFlip is the two-sided p-value of "the differences r are symmetric around 0": the share of the 2^n ways to choose
// their signs whose sum is at least as far from 0 as the one observed (Fisher, 1935). It assumes no law of the values.
//
// Up to 32 pairs all signs are counted. Above, 19,999 are drawn from the stream of the seed, and the observed one counts as
// one of them, (hits+1)/(draws+1), so that p is never 0 (Phipson and Smyth, 2010). It fails below 6 pairs, where no p-value
// could be below 0.05, and for a value that is not finite.
func SignFlip(r []float64, seed uint64) (p float64, err error) {
	if err := checkValues(r, leastFlips); err != nil {
		return 0, fmt.Errorf("sign flips: %w", err)
	}
	sum, size := 0.0, 0.0
	for _, x := range r {
		sum += x
		size += math.Abs(x)
	}
	if math.IsInf(size, 0) {
		return 0, fmt.Errorf("sign flips: the sum of the differences overflows")
	}
	// Sums that are equal but for rounding count as equal.
	least := math.Abs(sum) - 1e-12*size
	switch {
	case least <= 0:
		return 1, nil
	case len(r) <= exactFlips:
		return exactSigns(r, least), nil
	}
	return drawnSigns(r, least, seed), nil
}

// exactSigns is the share of all signs with |sum| >= least, for a positive least: every sum is one of the first half of the
// values plus one of the second half.
func exactSigns(r []float64, least float64) float64 {
	a, b := signSums(r[:len(r)/2]), signSums(r[len(r)/2:])
	// As the sum from a grows, more of b reach least. The sums are symmetric, so that those below -least are as many.
	hits, j := 0, len(b)
	for _, x := range a {
		for j > 0 && x+b[j-1] >= least {
			j--
		}
		hits += len(b) - j
	}
	return math.Ldexp(float64(2*hits), -len(r))
}

// signSums are the sums of the values under all signs, ascending.
func signSums(r []float64) []float64 {
	sums := []float64{0}
	for _, x := range r {
		x = math.Abs(x)
		next := make([]float64, 0, 2*len(sums))
		// Two ascending lists, sums - x and sums + x, merged.
		i, j := 0, 0
		for j < len(sums) {
			if i < len(sums) && sums[i]-x <= sums[j]+x {
				next = append(next, sums[i]-x)
				i++
			} else {
				next = append(next, sums[j]+x)
				j++
			}
		}
		sums = next
	}
	return sums
}

// drawnSigns estimates that share from signs drawn at random.
func drawnSigns(r []float64, least float64, seed uint64) float64 {
	random := Keyed(seed, "sign flips", uint64(len(r)))
	hits := 0
	for range sampledFlips {
		sum, signs := 0.0, uint64(0)
		for i, x := range r {
			if i%64 == 0 {
				signs = random.Uint64()
			}
			// The sign bit of x, turned by the next random bit.
			sum += math.Float64frombits(math.Float64bits(x) ^ signs<<63)
			signs = bits.RotateLeft64(signs, -1)
		}
		if math.Abs(sum) >= least {
			hits++
		}
	}
	return float64(hits+1) / (sampledFlips + 1)
}
