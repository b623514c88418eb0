package measure

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Health is the load generator looking at itself: what the process used so far, and the worst of the last tick.
// What a system does not tell is 0.
type Health struct {
	CPU        time.Duration `json:"cpu"` // user and system, since the process started
	RSS        int64         `json:"rss"` // bytes, the maximum so far
	Goroutines int           `json:"goroutines"`
	GCPauseMax time.Duration `json:"gc_pause_max"` // upper bound of the worst pause's bucket in the tick
	// GC is the garbage collector's CPU time since the process started, as the runtime estimates it after each cycle.
	GC time.Duration `json:"gc,omitempty"`
	// SchedP99 is how long runnable goroutines waited for a core in the tick, p99, upper bound of the bucket.
	SchedP99 time.Duration `json:"sched_p99"`
	// StallMax is the longest that the heartbeat was late in the tick: for so long nothing in this process ran on time.
	StallMax time.Duration `json:"stall_max,omitempty"`
	// Stalled is the sum of what it was late by 10 ms and more, in the tick.
	Stalled time.Duration `json:"stalled,omitempty"`
	// CoreWait is how long the process's threads were ready to run and got no core, together, since the process started.
	CoreWait time.Duration `json:"core_wait,omitempty"`
	// Steal is the time that the host gave to others while this machine's cores had work, since the machine started.
	Steal time.Duration `json:"steal,omitempty"`
	// Throttled counts the cgroup's throttled periods since the block started.
	Throttled int64 `json:"throttled,omitempty"`
	// Files are the descriptors that are open at the tick, Sockets the TCP sockets of the machine, those that wait
	// for stray packets (TIME_WAIT) included.
	Files   int `json:"files,omitempty"`
	Sockets int `json:"sockets,omitempty"`
}

// monitor turns the runtime's ever-growing histograms into those of the last interval.
type monitor struct {
	host    host
	beat    *heartbeat // nil: there is none
	samples []metrics.Sample
	prev    [2][]uint64 // bucket counts at the last look
	groups  []string    // the control groups that may have a CPU quota
	first   int64       // throttled periods at the start
}

// The runtime/metrics names (go doc runtime/metrics).
const (
	metricPauses = "/sched/pauses/total/gc:seconds"
	metricSched  = "/sched/latencies:seconds"
	metricGC     = "/cpu/classes/gc/total:cpu-seconds"
)

func newMonitor(beat *heartbeat) *monitor {
	m := &monitor{host: thisHost, beat: beat, samples: []metrics.Sample{{Name: metricPauses}, {Name: metricSched}, {Name: metricGC}}}
	m.groups = m.host.cgroups("cpu")
	m.look()
	m.first = m.host.throttled(m.groups)
	return m
}

// look returns the health since the last look.
func (m *monitor) look() Health {
	metrics.Read(m.samples)
	h := Health{Goroutines: runtime.NumGoroutine()}
	h.CPU, h.RSS = processUsage()
	h.GCPauseMax = m.quantile(0, 1)
	h.SchedP99 = m.quantile(1, 0.99)
	if v := m.samples[2].Value; v.Kind() == metrics.KindFloat64 {
		h.GC = time.Duration(v.Float64() * float64(time.Second))
	}
	h.StallMax, h.Stalled = m.beat.look()
	h.CoreWait, h.Steal = m.host.coreWait(), m.host.steal()
	h.Throttled = max(0, m.host.throttled(m.groups)-m.first) // 0 where no descriptor is left to read it with
	h.Files, h.Sockets = m.host.files(), m.host.sockets()
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
