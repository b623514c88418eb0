package oracle

import (
	"math"
	"slices"
	"testing"
	"time"
)

// mannWhitney is the two-sided p-value of the Mann-Whitney test: how likely two samples of one distribution are to be
// ranked as unevenly as these. It is the normal approximation with the correction for ties, for samples of 20 and more
// (Mann and Whitney 1947; Lehmann, Nonparametrics, 1.2).
func mannWhitney(a, b []time.Duration) float64 {
	type value struct {
		d     time.Duration
		first bool
	}
	var all []value
	for _, d := range a {
		all = append(all, value{d, true})
	}
	for _, d := range b {
		all = append(all, value{d, false})
	}
	slices.SortFunc(all, func(x, y value) int { return int(x.d - y.d) })
	n, m := float64(len(a)), float64(len(b))
	rankSum, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for _, v := range all[i:j] {
			if v.first {
				rankSum += float64(i+j+1) / 2 // ranks count from 1; equal values share their mean
			}
		}
		i = j
	}
	u := rankSum - n*(n+1)/2
	sd := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	if sd == 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / sd / math.Sqrt2)
}

func TestMannWhitney(t *testing.T) {
	sample := func(from, step, n int) (s []time.Duration) {
		for i := range n {
			s = append(s, time.Duration(from+step*i))
		}
		return s
	}
	for _, tt := range []struct {
		name string
		a, b []time.Duration
		want float64
	}{
		{"one value", []time.Duration{1, 1}, []time.Duration{1, 1}, 1},
		{"interleaved", sample(0, 4, 20), slices.Concat(sample(-1, 8, 10), sample(5, 8, 10)), 1},
		// By hand: all ranks of the first are 1 to 20, so U = 0, its mean is 200 and its variance 400*41/12.
		{"apart", sample(0, 1, 20), sample(100, 1, 20), math.Erfc(200 / math.Sqrt(400*41.0/12) / math.Sqrt2)},
	} {
		if got := mannWhitney(tt.a, tt.b); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", tt.name, got, tt.want)
		}
		if there, back := mannWhitney(tt.a, tt.b), mannWhitney(tt.b, tt.a); math.Abs(there-back) > 1e-12 {
			t.Errorf("%s: %g one way and %g the other", tt.name, there, back)
		}
	}
}
