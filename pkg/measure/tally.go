package measure

import (
	"math"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// Tally holds one histogram per metric. It is what one approach in one block comes to. Not safe for concurrent use.
type Tally struct {
	hists map[workload.Metric]*Hist
}

// Hist returns the metric's histogram, never nil.
func (t *Tally) Hist(m workload.Metric) *Hist {
	if h, ok := t.hists[m]; ok {
		return h
	}
	if t.hists == nil {
		t.hists = map[workload.Metric]*Hist{}
	}
	h := &Hist{}
	t.hists[m] = h
	return h
}

// Add records a finished request: every latency of a successful one, and the send delay of any that was sent.
// Failures have no other latency of their own; they are counted as attempts and stand at the far end of every
// percentile.
func (t *Tally) Add(s *Sample) {
	t.AddRow(s)
	if !s.OK() {
		return
	}
	if s.Stamps == endpoint.StampsKernel && s.FirstToken.Known() {
		lag := t.Hist(workload.ReadLag)
		lag.Record(s.late)
		for _, g := range s.gaps {
			lag.Record(time.Duration(g.lateUs) * time.Microsecond)
		}
	}
	tokens, recorded := 0.0, int64(0)
	for _, g := range s.gaps {
		t.Hist(workload.ChunkGap).Record(time.Duration(g.ns))
		per := float64(g.tokens) * max(1, s.spread)
		tokens += per // a chunk of 1.4 tokens counts once or twice, so that all of them count 1.4 times on average
		n := int64(math.Round(tokens)) - recorded
		t.Hist(workload.ITL).RecordN(time.Duration(float64(g.ns)/per), n)
		recorded += n
	}
}

// AddRow is Add for a row read back from the record, whose gaps are in the interval log instead.
func (t *Tally) AddRow(s *Sample) {
	for m, d := range s.Latencies() {
		t.Hist(m).Record(d)
	}
}

// Merge adds o to t.
func (t *Tally) Merge(o *Tally) error {
	for m, h := range o.hists {
		if err := t.Hist(m).Merge(h); err != nil {
			return err
		}
	}
	return nil
}

// Reset empties every histogram and keeps its memory.
func (t *Tally) Reset() {
	for _, h := range t.hists {
		h.Reset()
	}
}

// Totals lists the exact totals of every metric that has a value.
func (t *Tally) Totals() map[workload.Metric]Totals {
	out := map[workload.Metric]Totals{}
	for m, h := range t.hists {
		if h.Count() > 0 {
			out[m] = h.Totals()
		}
	}
	return out
}
