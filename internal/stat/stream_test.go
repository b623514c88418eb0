package stat

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestStreamsAgree: what is gathered from a stream is what the whole sample gives.
func TestStreamsAgree(t *testing.T) {
	for _, shape := range []float64{0.05, 1, 8} {
		r := Keyed(3, "streams agree", uint64(shape*100))
		times := []time.Duration{0}
		var gaps Moments
		for range 5000 {
			gap := time.Duration(r.Gamma(shape) / shape * 1e8)
			gaps.Add(float64(gap))
			times = append(times, times[len(times)-1]+gap)
		}
		want, _ := GapCV(times)
		if got, ok := gaps.CV(); !ok || !near(got, want) {
			t.Errorf("shape %g: CV %v, of the sample %v", shape, got, want)
		}
		end := times[len(times)-1]
		for _, width := range []time.Duration{time.Millisecond, time.Second, 10 * time.Second, time.Hour} {
			bins := NewBins(width)
			for _, at := range times {
				bins.Add(at)
			}
			got, want := bins.Dispersion(end), Disperse(times, 0, end, width)
			if got.Bins != want.Bins || (got.IDC == nil) != (want.IDC == nil) {
				t.Fatalf("shape %g, bins of %v: %+v, of the sample %+v", shape, width, got, want)
			}
			if got.IDC != nil && (!near(*got.IDC, *want.IDC) || !near(*got.PeakToMean, *want.PeakToMean)) {
				t.Errorf("shape %g, bins of %v: IDC %v peak %v, of the sample %v %v", shape, width, *got.IDC, *got.PeakToMean, *want.IDC, *want.PeakToMean)
			}
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

func TestCounts(t *testing.T) {
	var none Counts
	if none.Quantile(0.5) != 0 || none.Mean() != 0 || none.Max() != 0 {
		t.Error("an empty distribution has values")
	}
	r := Keyed(1, "counts", 0)
	for _, top := range []int{3, 1000, 1 << exactBits, 100_000_000} {
		var c Counts
		values := make([]int, 2001)
		for i := range values {
			values[i] = r.IntN(top)
			c.Add(values[i])
		}
		slices.Sort(values)
		for _, q := range []float64{0, 0.1, 0.5, 0.9333, 0.99, 1} {
			at := q * 2000
			low := values[int(at)]
			want := float64(low) + (at-math.Floor(at))*float64(values[min(int(at)+1, 2000)]-low)
			if got := c.Quantile(q); math.Abs(got-want) > want/(1<<(exactBits-1))+1e-9 || top <= 1<<exactBits && math.Abs(got-want) > 1e-9*want {
				t.Errorf("below %d: quantile %g is %v, want %v", top, q, got, want)
			}
		}
		if c.N() != 2001 || c.Max() != values[2000] {
			t.Errorf("%d values up to %d", c.N(), c.Max())
		}
		if size := len(c.cells) * 8; size > 12<<20 {
			t.Errorf("%d bytes for values below %d", size, top)
		}
	}
	for _, v := range []int{0, 1, 1<<exactBits - 1, 1 << exactBits, 1<<exactBits + 1, 1 << 30, 1<<30 + 12345} {
		if got := value(cell(v)); got > v || float64(v-got) > float64(v)/(1<<(exactBits-1)) {
			t.Errorf("%d falls into the cell of %d", v, got)
		}
	}
}

func TestCorrelation(t *testing.T) {
	var up, down, flat Correlation
	for i := range 100 {
		up.Add(float64(i), float64(3*i+1))
		down.Add(float64(i), float64(-i))
		flat.Add(float64(i), 7)
	}
	if r, ok := up.R(); !ok || !near(r, 1) {
		t.Errorf("rising: %v", r)
	}
	if r, ok := down.R(); !ok || !near(r, -1) {
		t.Errorf("falling: %v", r)
	}
	if _, ok := flat.R(); ok {
		t.Error("a constant side has a correlation")
	}
}
