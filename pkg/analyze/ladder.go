package analyze

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The sources of a part of TTFT, beside Reported and Inferred.
const (
	Measured  = "measured"   // by the client's own stamps
	FromLight = "light load" // what it takes where nobody waits
	Unknown   = "unknown"
)

// Rung is what the TTFT of some requests is made of, in the mean. Its parts add up to it.
type Rung struct {
	// At is which: mean (all), p50, p95, p99 (those around it) or SlowestPercent.
	At    string       `json:"at"`
	N     int          `json:"n"`
	TTFT  float64      `json:"ttft"`
	Parts []LadderPart `json:"parts"`
}

// LadderPart is one part of a TTFT.
type LadderPart struct {
	// Name is send delay, connect, network, server queue, prefill, TTFT excess or rest.
	Name   string `json:"name"`
	Source string `json:"source"`
	// Seconds is its mean. It is negative where what was expected is more than what there was.
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // of TTFT
}

// SlowestPercent is the rung of the slowest 1% of the answers: what makes the p99 the p99.
const SlowestPercent = "slowest 1%"

// The parts of a ladder.
const (
	StepSend    = "send delay"   // generator lag and write
	StepConnect = "connect"      // until there was a connection
	StepNetwork = "network"      // a round trip
	StepQueue   = "server queue" // reported, or inferred
	StepPrefill = "prefill"      // reported, or what is left of the light-load TTFT
	StepExcess  = "TTFT excess"  // a queue or a slower service: cannot tell
	StepRest    = "rest"         // what nobody accounts for
)

// Steps are the parts of a ladder in the order in which they are shown, which is that in which they happen.
var Steps = []string{StepSend, StepConnect, StepNetwork, StepQueue, StepExcess, StepPrefill, StepRest}

// Label names a part with its source.
func (p LadderPart) Label() string {
	switch {
	case p.Source == Measured:
		return p.Name
	case p.Name == StepExcess:
		return p.Name + ", cannot tell"
	case p.Source == FromLight:
		return p.Name + ", as at light load"
	}
	return p.Name + ", " + p.Source
}

// split divides the TTFT of a request.
func (q *queueFold) split(s *measure.Sample) (steps []LadderPart, ok bool) {
	ttft, ok := s.Latency(workload.TTFT)
	service, ok2 := s.Latency(workload.ServiceTTFT)
	connect, ok3 := s.Connected.Sub(s.Dispatched).Get()
	if !ok || !ok2 || !ok3 {
		return nil, false
	}
	add := func(name, source string, v float64) {
		steps = append(steps, LadderPart{Name: name, Source: source, Seconds: v})
	}
	add(StepSend, Measured, (ttft - service - connect).Seconds())
	add(StepConnect, Measured, connect.Seconds())
	rest := service.Seconds()
	take := func(name, source string, v float64) { add(name, source, v); rest -= v }
	expected, excess, beside := q.excess(s)
	line := q.lines[s.Block]
	trip := 0.0
	if line != nil && line.Problem == "" && line.Network != nil {
		trip = min(*line.Network, service.Seconds())
		take(StepNetwork, FromLight, trip)
	}
	prefill, reported := s.ServerPrefill.Get()
	if queue, ok := s.ServerQueue.Get(); ok {
		take(StepQueue, Reported, queue.Seconds())
	} else if v, ok := q.inferred(excess, beside); ok {
		take(StepQueue, Inferred, v)
	} else if !math.IsNaN(excess) && !reported {
		take(StepExcess, Unknown, excess)
	}
	switch {
	case reported:
		take(StepPrefill, Reported, prefill.Seconds())
	case !math.IsNaN(expected):
		take(StepPrefill, FromLight, expected-trip)
	}
	if math.Abs(rest) > float64(time.Microsecond)/1e9 {
		add(StepRest, Unknown, rest)
	}
	return steps, true
}

// rungFold averages the parts over requests whose TTFT lies in a range.
type rungFold struct {
	ttftWindow
	n     int
	ttft  float64 // seconds
	parts []LadderPart
}

// rungFolds prepares the rungs of an approach. The slowest 1% are those of the answers.
func rungFolds(f *fold) []*rungFold {
	var folds []*rungFold
	for _, w := range ttftWindows(f) {
		folds = append(folds, &rungFold{ttftWindow: w})
	}
	h := f.tally.Hist(workload.TTFT)
	n := h.Count()
	if lo, ok := h.ValueAtRank(n - n/100); ok && n >= tailSize(0.99) {
		folds = append(folds, &rungFold{ttftWindow: ttftWindow{at: SlowestPercent, lo: lo + 1, hi: math.MaxInt64}})
	}
	return folds
}

func (f *rungFold) add(ttft time.Duration, steps []LadderPart) {
	if !f.holds(ttft) {
		return
	}
	f.n++
	f.ttft += ttft.Seconds()
	f.parts = addSteps(f.parts, steps)
}

// addSteps sums parts of one name and source.
func addSteps(sum, steps []LadderPart) []LadderPart {
	for _, p := range steps {
		i := slices.IndexFunc(sum, func(have LadderPart) bool { return have.Name == p.Name && have.Source == p.Source })
		if i < 0 {
			sum = append(sum, p)
			continue
		}
		sum[i].Seconds += p.Seconds
	}
	return sum
}

func (f *rungFold) result() Rung {
	r := Rung{At: f.at, N: f.n, TTFT: f.ttft / float64(f.n)}
	for _, p := range f.parts {
		p.Seconds /= float64(f.n)
		p.Share = p.Seconds / r.TTFT
		r.Parts = append(r.Parts, p)
	}
	inOrder(r.Parts)
	return r
}

// inOrder sorts parts as they happen.
func inOrder(parts []LadderPart) []LadderPart {
	slices.SortStableFunc(parts, func(a, b LadderPart) int {
		return cmp.Or(slices.Index(Steps, a.Name)-slices.Index(Steps, b.Name), strings.Compare(a.Source, b.Source))
	})
	return parts
}

// addQueueing records what is inferred of a request. A negative excess counts as 0 in the
// percentiles, where it is below the detection limit anyway; the mean is made of excesses as they are.
func (f *fold) addQueueing(w *waited) {
	if math.IsNaN(w.excess) {
		return
	}
	queue, inferred := f.queue.inferred(w.excess, w.beside)
	for _, each := range []*fold{f, f.class(w.class)} {
		if each == nil {
			continue
		}
		each.excessSum += w.excess
		each.tally.Hist(workload.TTFTExcess).Record(max(0, time.Duration(w.excess*1e9)))
		if inferred {
			each.inferred = true
			each.delaySum += w.delay.Seconds() + queue
			each.tally.Hist(workload.QueueingDelay).Record(w.delay + max(0, time.Duration(queue*1e9)))
		}
	}
}

// queueing is the approach's part of summary.json about waiting, but for the ladder, and what the metrics of it are made of.
func (f *fold) queueing(a *ApproachSummary) {
	if m := a.Metrics[workload.TTFTExcess]; m != nil {
		*m.Mean = f.excessSum / float64(m.N)
		a.Labels[workload.TTFTExcess] = Inferred
	}
	if m := a.Metrics[workload.QueueingDelay]; m != nil && f.inferred && f.reported == 0 {
		*m.Mean = f.delaySum / float64(m.N)
		a.Labels[workload.QueueingDelay] = Inferred
	}
	if f.queue == nil {
		return
	}
	if f.queue.out.Basis == CannotTell && len(f.queue.out.LightLoad) > 0 {
		a.Labels[workload.QueueingDelay] = CannotTell
	}
	a.Queueing = f.queue.out
}
