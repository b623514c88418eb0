package stat

import "time"

// Bins counts a stream of ascending events in bins of one width, in constant memory: Disperse for what is too long to
// hold. Make it with NewBins.
type Bins struct {
	width   time.Duration
	bins    int64 // whole bins before the current one
	current int64 // events in the current bin
	total   int64 // events in the whole bins
	peak    int64
	squares float64 // of the counts of whole bins
}

// NewBins starts the first bin at time 0. The width must be positive.
func NewBins(width time.Duration) *Bins { return &Bins{width: width} }

// Add counts an event. at must not be less than that of the event before.
func (b *Bins) Add(at time.Duration) {
	b.advance(int64(at / b.width))
	b.current++
}

// advance closes the bins before this one.
func (b *Bins) advance(bin int64) {
	if bin <= b.bins {
		return
	}
	b.squares += float64(float64(b.current) * float64(b.current))
	b.total += b.current
	b.peak = max(b.peak, b.current)
	b.current, b.bins = 0, bin // those between are empty
}

// Dispersion is what Disperse gives for the events so far, from 0 to to, which must not be before the last of them.
func (b *Bins) Dispersion(to time.Duration) Dispersion {
	end := *b
	end.advance(int64(to / b.width))
	d := Dispersion{Width: b.width, Bins: int(end.bins)}
	if d.Bins < MinBins || end.total == 0 {
		return d
	}
	n, total := float64(end.bins), float64(end.total)
	mean := total / n
	// The counts are whole numbers, so that little cancels here.
	idc := max(end.squares-float64(total*mean), 0) / (n - 1) / mean
	ratio := float64(end.peak) / mean
	d.IDC, d.PeakToMean = &idc, &ratio
	return d
}
