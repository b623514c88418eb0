package scripted

import (
	"fmt"
	"slices"
	"time"
)

// Errors are how far a client's account of a set of requests is from the server's log.
type Errors struct {
	Events int
	// TTFT is, per request, the absolute difference between the client's time from its last request byte to the first
	// token and the server's from the kernel's receipt to its write; ascending.
	TTFT []time.Duration
	// Gap is the absolute difference of each time between two successive events; ascending.
	Gap []time.Duration
	// SeenGap and TrueGap are those times themselves; ascending.
	SeenGap, TrueGap []time.Duration
	// Lag is how late the server wrote, against its own script; ascending.
	Lag []time.Duration
}

// Judge compares what a client saw (Received is when it had sent its request, Writes when each event came) with the
// server's log. Both are by the same wall clock. An event that is missing on either side is an error.
func Judge(truth, seen []Served) (*Errors, error) {
	byIndex := map[int]*Served{}
	for i := range seen {
		byIndex[seen[i].Index] = &seen[i]
	}
	if len(truth) != len(seen) {
		return nil, fmt.Errorf("the server served %d requests, the client saw %d", len(truth), len(seen))
	}
	e := &Errors{}
	for i := range truth {
		w := &truth[i]
		s := byIndex[w.Index]
		if s == nil || len(s.Writes) != len(w.Writes) {
			return nil, fmt.Errorf("request %d: the server wrote %d events, the client saw %d", w.Index, len(w.Writes), seenBy(s))
		}
		e.add(w, s)
	}
	for _, v := range [][]time.Duration{e.TTFT, e.Gap, e.SeenGap, e.TrueGap, e.Lag} {
		slices.Sort(v)
	}
	return e, nil
}

func seenBy(s *Served) int {
	if s == nil {
		return 0
	}
	return len(s.Writes)
}

func (e *Errors) add(w, s *Served) {
	e.Events += len(w.Writes)
	e.TTFT = append(e.TTFT, distance(s.Writes[0]-s.Received, w.Writes[0]-w.Received))
	for k := range w.Writes {
		e.Lag = append(e.Lag, time.Duration(w.Writes[k]-w.Due[k]))
		if k == 0 {
			continue
		}
		was, is := w.Writes[k]-w.Writes[k-1], s.Writes[k]-s.Writes[k-1]
		e.Gap = append(e.Gap, distance(is, was))
		e.SeenGap = append(e.SeenGap, time.Duration(is))
		e.TrueGap = append(e.TrueGap, time.Duration(was))
	}
}

func distance(a, b int64) time.Duration { return max(time.Duration(a-b), time.Duration(b-a)) }

// Quantile is quantile q of an ascending list, 0 of an empty one.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
