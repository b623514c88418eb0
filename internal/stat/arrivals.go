package stat

import (
	"math"
	"time"
)

// MinBins is how many whole bins a dispersion needs: with fewer, the standard error of a variance is above 47% of it.
const MinBins = 10

// Dispersion describes how unevenly events fall into bins of one width.
type Dispersion struct {
	Width time.Duration
	Bins  int // whole bins; what is left over at the end is not used
	// IDC is the index of dispersion for counts: variance over mean of the counts. 1 for Poisson arrivals at a
	// constant rate, at every width. Nil with fewer than MinBins bins, or no events.
	IDC *float64
	// PeakToMean is the fullest bin over the mean bin. Nil where IDC is.
	PeakToMean *float64
}

// Disperse counts events, given in ascending order, in bins of this width that start at from; the last one ends at or
// before to.
func Disperse(times []time.Duration, from, to, width time.Duration) Dispersion {
	if width <= 0 || to <= from {
		return Dispersion{Width: width}
	}
	d := Dispersion{Width: width, Bins: int((to - from) / width)}
	if d.Bins < MinBins {
		return d
	}
	counts := make([]int, d.Bins)
	total, peak := 0, 0
	for _, t := range times {
		if t < from {
			continue
		}
		i := int64((t - from) / width)
		if i >= int64(d.Bins) {
			break
		}
		counts[i]++
		total++
		peak = max(peak, counts[i])
	}
	if total == 0 {
		return d
	}
	mean := float64(total) / float64(d.Bins)
	var squares float64
	for _, c := range counts {
		squares += float64((float64(c) - mean) * (float64(c) - mean))
	}
	idc := squares / float64(d.Bins-1) / mean
	ratio := float64(peak) / mean
	d.IDC, d.PeakToMean = &idc, &ratio
	return d
}

// GapCV is the coefficient of variation (standard deviation over mean) of the gaps between events in ascending order,
// and whether it is defined: that takes two gaps and a positive mean.
func GapCV(times []time.Duration) (cv float64, ok bool) {
	n := len(times) - 1
	if n < 2 || times[n] == times[0] {
		return 0, false
	}
	mean := float64(times[n]-times[0]) / float64(n)
	var squares float64
	for i := range n {
		d := float64(times[i+1]-times[i]) - mean
		squares += float64(d * d)
	}
	return math.Sqrt(squares/float64(n-1)) / mean, true
}
