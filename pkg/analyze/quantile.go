package analyze

import (
	"fmt"
	"math"

	"github.com/infbench/infbench/pkg/measure"
)

// minTail is the smallest number of values beyond a percentile that makes it worth printing: n(1-q) >= 10
// (measurement.md section 7).
const minTail = 10

// percentiles that a summary shows.
var percentiles = []struct {
	q    float64
	name string
	at   func(*Quantiles) **float64
}{
	{0.50, "p50", func(q *Quantiles) **float64 { return &q.P50 }},
	{0.90, "p90", func(q *Quantiles) **float64 { return &q.P90 }},
	{0.95, "p95", func(q *Quantiles) **float64 { return &q.P95 }},
	{0.99, "p99", func(q *Quantiles) **float64 { return &q.P99 }},
	{0.999, "p99.9", func(q *Quantiles) **float64 { return &q.P999 }},
}

// quantilesOf summarises a histogram that holds the values of successes, with failures attempts beyond its far end.
func quantilesOf(h *measure.Hist, failures int64) *Quantiles {
	t := h.Totals()
	q := &Quantiles{N: t.Count, Mean: seconds(t.Sum / float64(t.Count)), Min: seconds(float64(t.Min)), Max: seconds(float64(t.Max))}
	total := t.Count + failures
	if failures > 0 {
		q.Warnings = append(q.Warnings, fmt.Sprintf("%d of %d attempts failed and count as slower than every value; mean, min and max are of the others", failures, total))
	}
	if t.Overflow > 0 {
		q.Warnings = append(q.Warnings, fmt.Sprintf("%d values are above 1 h; percentiles among them show the largest", t.Overflow))
	}
	for _, p := range percentiles {
		switch v, why := quantileAt(h, total, p.q); why {
		case "":
			*p.at(q) = seconds(v)
		default:
			q.Warnings = append(q.Warnings, p.name+": "+why)
		}
	}
	return q
}

// quantileAt is the value at rank ceil(q*total), in nanoseconds, or why there is none.
func quantileAt(h *measure.Hist, total int64, q float64) (ns float64, why string) {
	if needed := tailSize(q); total < needed {
		return 0, fmt.Sprintf("n too small (%d, needs %d)", total, needed)
	}
	d, ok := h.ValueAtRank(rank(q, total))
	if !ok {
		return 0, fmt.Sprintf("among the failures (%.3g%% of attempts failed)", 100*float64(total-h.Count())/float64(total))
	}
	return float64(d), ""
}

// tailSize is the n from which a percentile has minTail values beyond it.
func tailSize(q float64) int64 { return int64(math.Ceil(minTail/(1-q) - 1e-6)) }

// rank is ceil(q*n), guarded against q*n missing an integer by rounding.
func rank(q float64, n int64) int64 { return max(1, int64(math.Ceil(q*float64(n)-1e-9))) }

func seconds(ns float64) *float64 {
	s := ns / 1e9
	return &s
}
