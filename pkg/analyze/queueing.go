package analyze

import (
	"fmt"
	"math"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The bases of a queueing delay; CannotTell is the third.
const (
	Reported = "reported" // the server says for each request how long it waited
	Inferred = "inferred" // from what the first token takes at light load
)

// Queueing says how long the requests of an approach waited for the server, how that is known, and what TTFT is made of. Times are
// in seconds.
type Queueing struct {
	// Basis is reported, inferred or cannot tell; Why says by what evidence.
	Basis string `json:"basis"`
	Why   string `json:"why"`
	// LightLoad are the lines of the approach's blocks.
	LightLoad []*LightLine `json:"light_load,omitempty"`
	// DetectionLimit is the largest of the blocks: a TTFT excess below it may be none.
	DetectionLimit *float64 `json:"detection_limit,omitempty"`
	// Requests of the measure phase have a TTFT excess, a share BelowLimit of them below the detection limit. Unknown have none:
	// their prompt is far longer than those at light load, or nobody said how much of it came from a cache.
	Requests   int      `json:"requests,omitempty"`
	Unknown    int      `json:"unknown,omitempty"`
	BelowLimit *float64 `json:"below_limit,omitempty"`
	// ExcessMean is the mean TTFT excess, negative ones as they are.
	ExcessMean *float64 `json:"excess_mean,omitempty"`
	// Elasticity and Releases are the evidence for a queue or against it.
	Elasticity *Elasticity `json:"elasticity,omitempty"`
	Releases   *Releases   `json:"releases,omitempty"`
	// AgainstReported holds the inference against the server's report where there are both.
	AgainstReported *AgainstReported `json:"against_reported,omitempty"`
	// Ladder splits TTFT into its parts.
	Ladder []Rung `json:"ladder,omitempty"`
}

// AgainstReported is the distance of the TTFT excess from the queue that the server reports, over the requests with both.
type AgainstReported struct {
	N      int     `json:"n"`
	Median float64 `json:"median"` // of the distance
	P95    float64 `json:"p95"`
}

// waited is what the inference keeps of one row. What is missing is NaN.
type waited struct {
	block       int
	class       string  // of traffic
	counted     bool    // ended well, in the measure phase
	first, done float64 // seconds since the block's time 0
	delay       time.Duration
	queue       float64 // as reported
	expected    float64 // service TTFT at light load
	excess      float64 // service TTFT - expected
	beside      float64 // service TTFT - reported prefill - what is beside it at light load
}

// queueFold finds out how long the requests of one approach waited.
type queueFold struct {
	lines  map[int]*LightLine // by block
	shares map[string]bool    // traffic classes whose prompts a cache may know in part
	rows   []waited
	out    *Queueing
	// byPrefill: the server reports prefills, and the queue is what is left of TTFT without them.
	byPrefill bool
	ladder    []*rungFold
}

// foldQueues fills in TTFT excess, inferred queueing delay and their evidence for every approach.
func foldQueues(rec *measure.Record, folds []*fold) error {
	lines, err := lightLines(rec)
	if err != nil {
		return err
	}
	byName := map[string]*queueFold{}
	for _, f := range folds {
		f.queue = &queueFold{lines: lines, shares: sharesPrompts(rec.Manifest.Scenario), out: &Queueing{}}
		byName[f.name] = f.queue
		for _, b := range rec.Manifest.Blocks {
			if l := lines[b.Index]; l != nil && b.Approach == f.name {
				f.queue.out.LightLoad = append(f.queue.out.LightLoad, l)
			}
		}
	}
	if len(lines) > 0 { // else there is no excess, and nothing to read the rows again for
		if err := eachRow(rec, func(s *measure.Sample) error { byName[s.Approach].add(s); return nil }); err != nil {
			return err
		}
	}
	for _, f := range folds {
		f.queue.judge(f.reported > 0)
		for i := range f.queue.rows {
			f.addQueueing(&f.queue.rows[i])
		}
		f.queue.rows = nil
		f.queue.ladder = rungFolds(f)
	}
	return nil
}

// sharesPrompts tells of each traffic class, or "" without a mix, whether its prompts may find a part of themselves in a cache.
func sharesPrompts(s *workload.Scenario) map[string]bool {
	shares := map[string]bool{"": s.Prompts.Shares() || !s.Prompts.Nonces() || s.Sessions != nil}
	for i := range s.Mix {
		c := &s.Mix[i]
		shares[c.Name] = c.Prompts.Shares() || !c.Prompts.Nonces() || c.Sessions != nil
	}
	return shares
}

// known is a stamp in seconds, NaN where it is missing.
func known(s measure.Stamp) float64 {
	d, ok := s.Get()
	if !ok {
		return math.NaN()
	}
	return d.Seconds()
}

func (q *queueFold) add(s *measure.Sample) {
	w := waited{block: s.Block, class: s.TrafficClass, first: known(s.FirstToken), done: known(s.Done), queue: known(s.ServerQueue),
		expected: math.NaN(), excess: math.NaN(), beside: math.NaN()}
	w.delay, _ = s.Latency(workload.SendDelay)
	if _, ok := s.Latency(workload.TTFT); ok && s.Phase == measure.Measure {
		w.counted = true
		w.expected, w.excess, w.beside = q.excess(s)
		if math.IsNaN(w.excess) {
			q.out.Unknown++
		}
	}
	q.rows = append(q.rows, w)
}

// excess is the light-load TTFT of a request, what its own is above that, and what it is above the prefill that the server reports
// and all that was beside it at light load. What is not known is NaN.
func (q *queueFold) excess(s *measure.Sample) (expected, excess, beside float64) {
	expected, excess, beside = math.NaN(), math.NaN(), math.NaN()
	line := q.lines[s.Block]
	service, ok := s.Latency(workload.ServiceTTFT)
	if !ok || line == nil || line.Problem != "" {
		return expected, excess, beside
	}
	if tokens, ok := line.uncached(s, q.shares[s.TrafficClass]); ok {
		if v, ok := line.at(tokens); ok {
			expected, excess = v, service.Seconds()-v
		}
	}
	if p, ok := s.ServerPrefill.Get(); ok && line.Beside != nil {
		beside = (service - p).Seconds() - *line.Beside
	}
	return expected, excess, beside
}

// leastWaited is how many requests must have an excess for anything to be said.
const leastWaited = 30

// judge decides what may be said of the queue.
func (q *queueFold) judge(reported bool) {
	o := q.out
	var sum float64
	var beside, below int
	for i := range q.rows {
		w := &q.rows[i]
		if !w.counted || math.IsNaN(w.excess) {
			continue
		}
		o.Requests++
		sum += w.excess
		if w.excess < q.lines[w.block].Limit {
			below++
		}
		if !math.IsNaN(w.beside) {
			beside++
		}
	}
	if o.Requests > 0 {
		share, mean := float64(below)/float64(o.Requests), sum/float64(o.Requests)
		o.BelowLimit, o.ExcessMean = &share, &mean
	} else {
		o.Unknown = 0
	}
	for _, l := range o.LightLoad {
		if l.Problem == "" && (o.DetectionLimit == nil || l.Limit > *o.DetectionLimit) {
			o.DetectionLimit = new(l.Limit)
		}
	}
	q.evidence()
	switch {
	case reported:
		o.Basis, o.Why = Reported, "the server reports it with each answer"
		q.againstReport()
	case o.Requests > 0 && beside == o.Requests:
		q.byPrefill = true
		o.Basis, o.Why = Inferred, "what is left of TTFT beside the prefill that the server reports and what was beside it at light load"
	default:
		o.Basis, o.Why = q.verdict()
	}
}

// verdict is the basis of a queue that nobody reports, and why.
func (q *queueFold) verdict() (basis, why string) {
	o := q.out
	switch {
	case len(o.LightLoad) == 0:
		return CannotTell, "the server reports no queue, and nothing was measured at light load (phases.light_load)"
	case o.DetectionLimit == nil:
		return CannotTell, "no line at light load: " + o.LightLoad[0].Problem
	case o.Requests < leastWaited:
		why := fmt.Sprintf("%d requests have a TTFT excess, and it takes %d", o.Requests, leastWaited)
		if o.Unknown > 0 {
			why += fmt.Sprintf("; of %d it is not known, since their prompts are far longer than those at light load or the server does not say what its cache held", o.Unknown)
		}
		return CannotTell, why
	case o.Unknown*10 > o.Requests:
		return CannotTell, fmt.Sprintf("of %d requests there is no TTFT excess: their prompts are far longer than those at light load, or the server does not say what its cache held", o.Unknown)
	}
	return q.mechanism()
}

// againstReport holds the excess against the reported queue.
func (q *queueFold) againstReport() {
	var off []float64
	for i := range q.rows {
		w := &q.rows[i]
		if d := math.Abs(w.excess - w.queue); w.counted && !math.IsNaN(d) {
			off = append(off, d)
		}
	}
	if len(off) >= leastWaited {
		q.out.AgainstReported = &AgainstReported{N: len(off), Median: middle(off), P95: quantile95(off)}
	}
}

// inferred is the queue of a request in seconds, as far as it is inferred and may be said.
func (q *queueFold) inferred(excess, beside float64) (float64, bool) {
	if q == nil || q.out.Basis != Inferred {
		return 0, false
	}
	v := excess
	if q.byPrefill {
		v = beside
	}
	return v, !math.IsNaN(v)
}

// delay is the inferred queueing delay of a request in seconds.
func (q *queueFold) delay(s *measure.Sample) (float64, bool) {
	if q.out.Basis != Inferred {
		return 0, false
	}
	_, excess, beside := q.excess(s)
	v, ok := q.inferred(excess, beside)
	d, sent := s.Latency(workload.SendDelay)
	return d.Seconds() + v, ok && sent
}
