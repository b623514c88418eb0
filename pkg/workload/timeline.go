package workload

import "time"

// timelineBins bounds how many bins a timeline has.
const timelineBins = 2048

// Timeline is how many requests came in each of equal stretches of time.
type Timeline struct {
	Width  float64 `json:"width_s"`
	Counts []int64 `json:"counts"`
}

// timeline counts ascending times in bins that become wider as the time goes on, so that there are never more than
// timelineBins.
type timeline struct {
	width  time.Duration
	counts []int64
}

func newTimeline() timeline { return timeline{width: 10 * time.Millisecond} }

func (t *timeline) add(at time.Duration) {
	for at/t.width >= timelineBins {
		t.widen()
	}
	i := int(at / t.width)
	for len(t.counts) <= i {
		t.counts = append(t.counts, 0)
	}
	t.counts[i]++
}

// widen joins neighbouring bins.
func (t *timeline) widen() {
	t.width *= 2
	n := (len(t.counts) + 1) / 2
	for i := range n {
		sum := t.counts[2*i]
		if 2*i+1 < len(t.counts) {
			sum += t.counts[2*i+1]
		}
		t.counts[i] = sum
	}
	t.counts = t.counts[:n]
}

// result covers the time up to end, which must not be before the last time.
func (t *timeline) result(end time.Duration) Timeline {
	for end/t.width >= timelineBins {
		t.widen()
	}
	for len(t.counts) <= int(end/t.width) {
		t.counts = append(t.counts, 0)
	}
	return Timeline{Width: seconds(t.width), Counts: t.counts}
}

// Rates gives the rate in n equal parts of the time up to end, in 1/s; a bin that lies in two parts counts for both by its
// share.
func (t Timeline) Rates(end float64, n int) []float64 {
	rates := make([]float64, n)
	step := end / float64(n)
	if !(step > 0) {
		return rates
	}
	for i, count := range t.Counts {
		from := float64(i) * t.Width
		to := min(from+t.Width, end)
		if !(to > from) { // the last row, at the very end
			rates[n-1] += float64(count) / step
			continue
		}
		for c := int(from / step); c < n && float64(c)*step < to; c++ {
			share := min(to, float64(c+1)*step) - max(from, float64(c)*step)
			rates[c] += float64(count) * max(share, 0) / (to - from) / step
		}
	}
	return rates
}
