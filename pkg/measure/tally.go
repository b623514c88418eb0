package measure

import (
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
func (t *Tally) Add(s *Sample) error {
	t.AddRow(s)
	return t.addGaps(s)
}

// addGaps records what rows do not hold: the gaps of a successful request, and how late its arrivals were read.
func (t *Tally) addGaps(s *Sample) error {
	if !s.OK() {
		return nil
	}
	var late *Hist
	if s.Stamps == endpoint.StampsKernel && s.FirstToken.Known() {
		late = t.Hist(workload.ReadLag)
		late.Record(s.late)
	}
	return s.gaps.addTo(t.Hist(workload.ChunkGap), t.Hist(workload.ITL), late, s.spread)
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
