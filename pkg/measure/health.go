package measure

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Health is the load generator looking at itself: process totals so far, and the worst of the last tick.
type Health struct {
	CPU        time.Duration `json:"cpu"` // user and system, since the process started
	RSS        int64         `json:"rss"` // bytes, the maximum so far
	Goroutines int           `json:"goroutines"`
	GCPauseMax time.Duration `json:"gc_pause_max"` // upper bound of the worst pause's bucket in the tick
	// SchedP99 is how long runnable goroutines waited for a core in the tick, p99, upper bound of the bucket.
	SchedP99 time.Duration `json:"sched_p99"`
	// Throttled counts the cgroup's throttled periods since the process started.
	Throttled int64 `json:"throttled,omitempty"`
}

// monitor turns the runtime's ever-growing histograms into those of the last interval.
type monitor struct {
	samples []metrics.Sample
	prev    [2][]uint64 // bucket counts at the last look
	first   int64       // throttled periods at the start
}

// The runtime/metrics names (go doc runtime/metrics).
const (
	metricPauses  = "/sched/pauses/total/gc:seconds"
	metricSched   = "/sched/latencies:seconds"
	metricThreads = "/sched/goroutines:goroutines"
)

func newMonitor() *monitor {
	m := &monitor{samples: []metrics.Sample{{Name: metricPauses}, {Name: metricSched}, {Name: metricThreads}}}
	m.look()
	m.first = throttledPeriods()
	return m
}

// look returns the health since the last look.
func (m *monitor) look() Health {
	metrics.Read(m.samples)
	h := Health{Goroutines: runtime.NumGoroutine()}
	h.CPU, h.RSS = processUsage()
	h.GCPauseMax = m.quantile(0, 1)
	h.SchedP99 = m.quantile(1, 0.99)
	h.Throttled = throttledPeriods() - m.first
	return h
}

// quantile is the upper bound of the bucket that holds quantile q of what was added since the last look.
func (m *monitor) quantile(i int, q float64) time.Duration {
	if m.samples[i].Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	now := m.samples[i].Value.Float64Histogram()
	delta := make([]uint64, len(now.Counts))
	var n uint64
	for k, c := range now.Counts {
		delta[k] = c
		if k < len(m.prev[i]) {
			delta[k] -= m.prev[i][k]
		}
		n += delta[k]
	}
	m.prev[i] = append(m.prev[i][:0], now.Counts...)
	rank := uint64(math.Ceil(q * float64(n)))
	var seen uint64
	for k, c := range delta {
		if seen += c; n > 0 && seen >= rank && c > 0 {
			bound := now.Buckets[k+1]
			if math.IsInf(bound, 1) {
				bound = now.Buckets[k]
			}
			return time.Duration(bound * float64(time.Second))
		}
	}
	return 0
}

// throttledPeriods reads the cgroup's count of throttled periods, 0 where there is none to read.
func throttledPeriods() int64 {
	b, err := os.ReadFile("/sys/fs/cgroup/cpu.stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n
		}
	}
	return 0
}
