package analyze

import (
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
	at     string
	lo, hi time.Duration
	n      int
	parts  map[string]time.Duration
}

// breakdownsOf prepares the windows: the mean over all, and ranks around p50, p95 and p99. A percentile with too few
// values behind it gets none.
func breakdownsOf(f *fold) []*breakdownFold {
	h := f.tally.Hist(workload.TTFT)
	n := h.Count()
	if n == 0 {
		return nil
	}
	out := []*breakdownFold{{at: "mean", lo: 0, hi: 1 << 62, parts: map[string]time.Duration{}}}
	total := n + int64(f.failures())
	for _, w := range []struct {
		at        string
		q, lo, hi float64
	}{{"p50", 0.50, 0.45, 0.55}, {"p95", 0.95, 0.93, 0.97}, {"p99", 0.99, 0.985, 0.995}} {
		lo, ok1 := h.ValueAtRank(rank(w.lo, total))
		hi, ok2 := h.ValueAtRank(rank(w.hi, total))
		if total >= tailSize(w.q) && ok1 && ok2 {
			out = append(out, &breakdownFold{at: w.at, lo: lo, hi: hi, parts: map[string]time.Duration{}})
		}
	}
	return out
}

func (b *breakdownFold) add(s *measure.Sample) {
	ttft, ok := s.Latency(workload.TTFT)
	if !ok || ttft < b.lo || ttft > b.hi {
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
