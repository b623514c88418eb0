package measure

import (
	"fmt"
	"math/bits"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// The one histogram geometry of every record: 1 us to 1 h at 3 significant digits, values in nanoseconds. Equal
// geometry is what makes merging lossless (measurement.md section 6).
const (
	HistLowest  = int64(time.Microsecond)
	HistHighest = int64(time.Hour)
	HistDigits  = 3
)

// Hist is a latency histogram with what HdrHistogram rounds kept exactly beside it: count, sum, minimum, maximum and
// the number of values above the range. Not safe for concurrent use. The zero value is empty and ready.
type Hist struct {
	h        *hdr.Histogram
	exact    Totals
	sumHi    uint64 // the sum is 128 bits wide: 1 h in ns times 10^7 values passes 64
	sumLo    uint64
	negative int64
}

// Totals are the exact side of a histogram. Durations are nanoseconds.
type Totals struct {
	Count    int64   `json:"count"`
	Sum      float64 `json:"sum_ns"` // exact up to 2^53 ns, then rounded once
	Min      int64   `json:"min_ns"`
	Max      int64   `json:"max_ns"`
	Overflow int64   `json:"overflow,omitempty"` // values above 1 h: counted, in Max and Sum, in no bucket
}

// Record adds one value. A negative one is a fault of the clock or of a caller: it is counted apart (Negative) and
// otherwise ignored.
func (h *Hist) Record(d time.Duration) { h.RecordN(d, 1) }

// RecordN adds n equal values.
func (h *Hist) RecordN(d time.Duration, n int64) {
	v := int64(d)
	if n <= 0 {
		return
	}
	if v < 0 {
		h.negative += n
		return
	}
	if h.exact.Count == 0 || v < h.exact.Min {
		h.exact.Min = v
	}
	if v > h.exact.Max {
		h.exact.Max = v
	}
	h.exact.Count += n
	h.addSum(bits.Mul64(uint64(v), uint64(n)))
	if h.h == nil {
		h.h = hdr.New(HistLowest, HistHighest, HistDigits)
	}
	if v > HistHighest || h.h.RecordValues(v, n) != nil {
		h.exact.Overflow += n
	}
}

func (h *Hist) addSum(hi, lo uint64) {
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, lo, 0)
	h.sumHi += hi + carry
}

// Count is the number of values, overflow included.
func (h *Hist) Count() int64 { return h.exact.Count }

// Negative is the number of negative values that were refused.
func (h *Hist) Negative() int64 { return h.negative }

// Totals returns the exact side.
func (h *Hist) Totals() Totals {
	t := h.exact
	t.Sum = float64(h.sumHi)*(1<<64) + float64(h.sumLo)
	return t
}

// Merge adds o to h. Both have the one geometry, so nothing is lost; if something ever were, it is an error.
func (h *Hist) Merge(o *Hist) error {
	if o.exact.Count == 0 {
		h.negative += o.negative
		return nil
	}
	if h.exact.Count == 0 || o.exact.Min < h.exact.Min {
		h.exact.Min = o.exact.Min
	}
	h.exact.Max = max(h.exact.Max, o.exact.Max)
	h.exact.Count += o.exact.Count
	h.exact.Overflow += o.exact.Overflow
	h.negative += o.negative
	h.addSum(o.sumHi, o.sumLo)
	return h.mergeBuckets(o.h)
}

func (h *Hist) mergeBuckets(from *hdr.Histogram) error {
	if from == nil {
		return nil
	}
	if h.h == nil {
		h.h = hdr.New(HistLowest, HistHighest, HistDigits)
	}
	if dropped := h.h.Merge(from); dropped != 0 {
		return fmt.Errorf("merge histograms: %d values do not fit the geometry 1us..1h, 3 digits: the histogram was written by something else", dropped)
	}
	return nil
}

// Reset empties h and keeps its memory.
func (h *Hist) Reset() {
	counts := h.h
	*h = Hist{h: counts}
	if counts != nil {
		counts.Reset()
	}
}

// ValueAtRank returns the k-th smallest value (1-based), to the histogram's resolution: the highest value of its
// bucket, clamped to the exact minimum and maximum. The rule is "smallest value with at least k values at or below
// it"; for a quantile q over n attempts, k = ceil(q*n). It reports false when k is outside 1..Count.
func (h *Hist) ValueAtRank(k int64) (time.Duration, bool) {
	if k < 1 || k > h.exact.Count {
		return 0, false
	}
	inBuckets := h.exact.Count - h.exact.Overflow
	if k > inBuckets {
		return time.Duration(h.exact.Max), true // among the overflow: all that is known is the largest
	}
	// The library turns a percentile into rank int(p/100*n + 0.5): the middle of the rank's own interval survives
	// the rounding.
	v := h.h.ValueAtPercentile(100 * float64(k) / float64(inBuckets))
	return time.Duration(min(max(v, h.exact.Min), h.exact.Max)), true
}

// Bucket is one non-empty bucket: Count values at most Value and above the bucket before it.
type Bucket struct {
	Value time.Duration
	Count int64
}

// Buckets lists the non-empty buckets in ascending order. Values of the overflow are not among them.
func (h *Hist) Buckets() []Bucket {
	if h.h == nil {
		return nil
	}
	var out []Bucket
	for _, b := range h.h.Distribution() {
		if b.Count > 0 {
			out = append(out, Bucket{Value: time.Duration(min(b.To, h.exact.Max)), Count: b.Count})
		}
	}
	return out
}
