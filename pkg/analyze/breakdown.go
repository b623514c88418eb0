package analyze

import (
	"math"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The parts of a TTFT, in the order in which they happen. They add up to it.
const (
	PartLag     = "generator lag"             // dispatched - scheduled
	PartConnect = "connect"                   // connected - dispatched: a free connection, or a new one
	PartWrite   = "write"                     // sent - connected
	PartQueue   = "server queue (reported)"   // as the server reports it
	PartPrefill = "server prefill (reported)" // as the server reports it
	PartService = "service"                   // the rest of first token - sent: network, and what the server does not report
)

// breakdownFold averages the parts over the requests whose TTFT lies in a narrow window of ranks.
type breakdownFold struct {
	ttftWindow
	n     int
	parts map[string]time.Duration
}

// breakdownsOf prepares a fold of each window.
func breakdownsOf(f *fold) []*breakdownFold {
	var out []*breakdownFold
	for _, w := range ttftWindows(f) {
		out = append(out, &breakdownFold{ttftWindow: w, parts: map[string]time.Duration{}})
	}
	return out
}

// ttftWindow is a range of TTFTs over which something is averaged, both ends included.
type ttftWindow struct {
	at     string // mean: all of them
	lo, hi time.Duration
}

// holds tells whether a TTFT lies in the window.
func (w *ttftWindow) holds(ttft time.Duration) bool { return ttft >= w.lo && ttft <= w.hi }

// ttftWindows are that of all, and narrow ones of ranks around p50, p95 and p99. A percentile with too few values behind it, or
// one that lies among the failures, has none.
func ttftWindows(f *fold) []ttftWindow {
	h := f.tally.Hist(workload.TTFT)
	n := h.Count()
	if n == 0 {
		return nil
	}
	out := []ttftWindow{{at: "mean", hi: math.MaxInt64}}
	total := n + int64(f.failures())
	for _, w := range []struct {
		at        string
		q, lo, hi float64
	}{{"p50", 0.50, 0.45, 0.55}, {"p95", 0.95, 0.93, 0.97}, {"p99", 0.99, 0.985, 0.995}} {
		lo, ok1 := h.ValueAtRank(rank(w.lo, total))
		hi, ok2 := h.ValueAtRank(rank(w.hi, total))
		if total >= tailSize(w.q) && ok1 && ok2 {
			out = append(out, ttftWindow{at: w.at, lo: lo, hi: hi})
		}
	}
	return out
}

func (b *breakdownFold) add(s *measure.Sample) {
	ttft, ok := s.Latency(workload.TTFT)
	if !ok || !b.holds(ttft) {
		return
	}
	lag, ok1 := s.Dispatched.Sub(s.Scheduled).Get()
	connect, ok2 := s.Connected.Sub(s.Dispatched).Get()
	write, ok3 := s.Sent.Sub(s.Connected).Get()
	if !ok1 || !ok2 || !ok3 {
		return
	}
	b.n++
	b.parts[PartLag] += lag
	b.parts[PartConnect] += connect
	b.parts[PartWrite] += write
	rest := ttft - lag - connect - write
	if q, ok := s.ServerQueue.Get(); ok && q <= rest {
		b.parts[PartQueue] += q
		rest -= q
	}
	if p, ok := s.ServerPrefill.Get(); ok && p <= rest {
		b.parts[PartPrefill] += p
		rest -= p
	}
	b.parts[PartService] += rest
}

func (b *breakdownFold) result() (Breakdown, bool) {
	if b.n == 0 {
		return Breakdown{}, false
	}
	out := Breakdown{At: b.at}
	for _, name := range []string{PartLag, PartConnect, PartWrite, PartQueue, PartPrefill, PartService} {
		if d, ok := b.parts[name]; ok {
			out.Parts = append(out.Parts, Part{Name: name, Value: d.Seconds() / float64(b.n)})
		}
	}
	return out, true
}
