package selftest

import (
	"math"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Spread is the middle and the end of a distribution, seconds.
type Spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// spreadOf takes an ascending list.
func spreadOf(sorted []time.Duration) Spread {
	q := scripted.Quantile
	return Spread{q(sorted, 0.5).Seconds(), q(sorted, 0.99).Seconds(), q(sorted, 1).Seconds()}
}

func spreadOfHist(h *measure.Hist) Spread {
	at := func(q float64) float64 {
		d, _ := h.ValueAtRank(int64(math.Ceil(q * float64(h.Count()))))
		return d.Seconds()
	}
	return Spread{at(0.5), at(0.99), float64(h.Totals().Max) / 1e9}
}

// Rung is what one level came to. Times in seconds.
type Rung struct {
	Level
	Events int `json:"events"`
	// Offered is the rate that the level asks for, Achieved the one at which the server wrote, 1/s.
	Offered  float64 `json:"offered_events_per_second"`
	Achieved float64 `json:"events_per_second"`
	// CPUPerEvent is the whole process's CPU time, in microseconds.
	CPUPerEvent float64 `json:"cpu_us_per_event"`
	// TTFTError and GapError are the distances between what the client measured and what the server did.
	TTFTError Spread `json:"ttft_error"`
	GapError  Spread `json:"gap_error"`
	// DispatchLag is from when a stream should have started to when its goroutine did, SendLag to its last request byte;
	// ReadLag is from the arrival of bytes to their read.
	DispatchLag Spread `json:"dispatch_lag"`
	SendLag     Spread `json:"send_lag"`
	ReadLag     Spread `json:"read_lag"`
	// ServerLag is how late the server was by its own script. It is not in the errors: they are taken against when it
	// really wrote.
	ServerLag Spread `json:"server_lag"`
	// Coalesced is the share of events that shared a read with the one before.
	Coalesced      float64 `json:"coalesced"`
	AllocsPerEvent float64 `json:"allocs_per_event"`
	// Memory is per stream.
	Memory Memory `json:"memory_per_stream"`
	Stamps string `json:"stamps"`
	// Proven says that the errors are within the limits.
	Proven bool `json:"proven"`
}

// The limits within which a level is proven.
const (
	TTFTLimit = 2 * time.Millisecond // p99
	GapLimit  = time.Millisecond     // p99
)

func newRung(l Level, rec *measure.Record, cost spent) (*Rung, error) {
	n := l.total()
	b := rec.Manifest.Blocks[0]
	r := &Rung{Level: l, Events: n, Offered: l.Rate(), CPUPerEvent: b.Client.CPU.Seconds() * 1e6 / float64(n),
		AllocsPerEvent: float64(cost.allocations) / float64(n), Memory: cost.memory.per(l.Streams)}
	var dispatch, send measure.Hist
	chunks, reads := 0, 0
	for s, err := range rec.Rows() {
		if err != nil {
			return nil, err
		}
		if d, ok := s.Lag(); ok {
			dispatch.Record(d)
		}
		if d, ok := s.Latency(workload.SendDelay); ok {
			send.Record(d)
		}
		chunks, reads = chunks+s.Chunks, reads+s.Reads
		r.Stamps = s.Stamps
	}
	r.DispatchLag, r.SendLag = spreadOfHist(&dispatch), spreadOfHist(&send)
	if h := rec.Gaps[measure.Tag{Approach: b.Approach, Block: b.Index, Metric: workload.ReadLag}]; h != nil {
		r.ReadLag = spreadOfHist(h)
	}
	if chunks > 0 {
		r.Coalesced = float64(chunks-reads) / float64(chunks)
	}
	return r, nil
}

// judge fills in what the comparison with the server's log says.
func (r *Rung) judge(e *scripted.Errors, truth []scripted.Served) {
	r.TTFTError, r.GapError, r.ServerLag = spreadOf(e.TTFT), spreadOf(e.Gap), spreadOf(e.Lag)
	r.Achieved = achieved(truth, r.Streams)
	r.Proven = r.TTFTError.P99 < TTFTLimit.Seconds() && r.GapError.P99 < GapLimit.Seconds()
}

// achieved is the rate at which the server wrote, over the time in which it did: the pauses between the bursts count for
// nothing.
func achieved(truth []scripted.Served, streams int) float64 {
	from, to, events := map[int]int64{}, map[int]int64{}, 0
	for _, s := range truth {
		round := s.Index / streams
		first, last := s.Writes[0], s.Writes[len(s.Writes)-1]
		if at, ok := from[round]; !ok || first < at {
			from[round] = first
		}
		to[round] = max(to[round], last)
		events += len(s.Writes)
	}
	var span time.Duration
	for round := range from {
		span += time.Duration(to[round] - from[round])
	}
	if span <= 0 {
		return 0
	}
	return float64(events) / span.Seconds()
}

// held reports whether the server kept up with the level.
func (r *Rung) held() bool { return r.Achieved >= 0.9*r.Offered }
