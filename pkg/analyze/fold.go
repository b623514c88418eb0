package analyze

import (
	"fmt"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// fold is what the rows of one approach come to, over all its blocks. Only the measure phase counts.
type fold struct {
	name      string
	limits    workload.RequestLimits
	judged    bool    // some requests have limits: there is a goodput
	mix       []*fold // one for each traffic class, in the scenario's order; nil without a mix
	attempts  int
	ok        int
	good      int
	sent      int // on the wire at all
	refused   int // the endpoint gave no connection
	queued    int // of refused: never had their turn to dial, since connections.dial_concurrency lets so many at a time
	dialTurns bool
	unsent    int // never got as far as asking for one: the client's own fault
	blocks    int
	span      float64 // seconds of measure phase, over all blocks
	classes   map[endpoint.Class]int
	examples  map[endpoint.Class]string
	tally     measure.Tally
	lag       measure.Hist
	pace      map[paceKey]*pace
	tokens    tokenFold
	made      connectionFold
	chunks    int64
	coalesced int64
	long      int  // answers of several chunks
	whole     int  // of those, how many came in one read
	derived   bool // some chunks held more than one token
	reported  int  // successful requests whose queue the server reported
	simulated bool
	stamps    map[string]int // requests by what stamped their arrivals
	sessions  sessionFold
	steady    *Steady    // over all blocks; nil where none can be judged, and of a class or a block
	queue     *queueFold // nil for a traffic class, and for a single block
	inferred  bool       // there is an inferred queueing delay
	excessSum float64    // seconds
	delaySum  float64    // of inferred queueing delays, seconds
	spike     *spikeFold // nil where the scenario has none
}

// tokenFold sums token counts of successful requests, and how many requests reported each.
type tokenFold struct {
	input, cached, output, reasoning, askedInput, askedOutput counter
	usage, chunks                                             int // requests by basis
}

type counter struct {
	sum int64
	n   int
}

func (c *counter) add(v *int) {
	if v != nil {
		c.sum += int64(*v)
		c.n++
	}
}

func (c *counter) total() *int64 {
	if c.n == 0 {
		return nil
	}
	sum := c.sum
	return &sum
}

func (c *counter) asked(v int) {
	if v > 0 {
		c.add(&v)
	}
}

func newFold(name string, limits workload.RequestLimits) *fold {
	return &fold{name: name, limits: limits, judged: limits != (workload.RequestLimits{}), classes: map[endpoint.Class]int{}, examples: map[endpoint.Class]string{}, stamps: map[string]int{}, pace: map[paceKey]*pace{}}
}

// foldFor is the empty fold of an approach, with one for each traffic class of the scenario.
func foldFor(approach string, s *workload.Scenario) *fold {
	f := newFold(approach, s.SLO.Request)
	f.divide(s)
	f.spike = newSpikeFold(s)
	return f
}

// join makes a block part of the fold, before its rows are: how it was driven, and what its histograms alone hold.
func (f *fold) join(rec *measure.Record, b *measure.BlockRecord) error {
	f.dialTurns = dialTurns(rec.Manifest.Scenario, b.Approach)
	f.blocks++
	f.simulated = b.Simulated
	return f.addGaps(rec, measure.Tag{Approach: b.Approach, Block: b.Index})
}

// lasted makes the measure phase of a block part of the fold's span. Of a block that was cut short it ends with last, the
// latest scheduled time of its rows in seconds.
func (f *fold) lasted(p workload.Phases, b *measure.BlockRecord, last float64) {
	span := p.Measure.D().Seconds()
	if b.State != measure.Complete {
		f.spike = nil // what was cut off did not drain
		span = min(span, max(0, last-p.Warmup.D().Seconds()))
	}
	f.span += span
	for _, c := range f.mix {
		c.span = f.span
	}
}

// addRow folds one row, of a mix into its class too. Only the measure phase counts.
func (f *fold) addRow(s *measure.Sample) error {
	c := f.class(s.TrafficClass)
	if len(f.mix) > 0 && c == nil {
		return fmt.Errorf("a row names traffic class %q, which the scenario does not have", s.TrafficClass)
	}
	if f.spike != nil {
		f.spike.add(s)
	}
	if s.Phase != measure.Measure {
		return nil
	}
	f.add(s)
	if c != nil {
		c.add(s)
	}
	return nil
}

// longAnswer is the number of chunks from which an answer that comes in one network read was held back on its way.
const longAnswer = 8

// add folds one row of the measure phase.
func (f *fold) add(s *measure.Sample) {
	f.attempts++
	f.addDelivery(s)
	if lag, ok := s.Lag(); ok {
		f.lag.Record(lag)
	}
	f.addPace(s)
	f.made.add(s)
	f.sessions.add(s)
	if s.Stamps != "" {
		f.stamps[s.Stamps]++
	}
	f.tally.AddRow(s)
	if !s.OK() {
		f.classes[s.Class]++
		if f.examples[s.Class] == "" {
			f.examples[s.Class] = s.Error
		}
		return
	}
	f.ok++
	if good(s, f.limitsOf(s)) {
		f.good++
	}
	if s.ServerQueue.Known() {
		f.reported++
	}
	f.chunks += int64(s.Chunks)
	f.coalesced += int64(s.Chunks - s.Reads)
	if s.Chunks >= longAnswer {
		f.long++
		if s.Reads == 1 {
			f.whole++
		}
	}
	f.addTokens(s)
}

// paceWindow is the span over which a client must have kept up with the schedule (measurement.md section 14).
const paceWindow = 10 * time.Second

// paceKey is one window of one block's time line.
type paceKey struct{ block, window int }

// pace counts the requests that were due in a window, and how many of them were not started when it ended although
// they had been due for more than paceGrace.
type pace struct{ due, behind int }

const paceGrace = 100 * time.Millisecond

func (f *fold) addPace(s *measure.Sample) {
	due, ok := s.Scheduled.Get()
	started, known := s.Dispatched.Get()
	if !ok || !known {
		return
	}
	key := paceKey{s.Block, int(due / paceWindow)}
	p := f.pace[key]
	if p == nil {
		p = &pace{}
		f.pace[key] = p
	}
	p.due++
	if end := time.Duration(key.window+1) * paceWindow; started >= end && started-due > paceGrace {
		p.behind++
	}
}

func (f *fold) addDelivery(s *measure.Sample) {
	if s.Sent.Known() {
		f.sent++
	}
	switch s.Class {
	case endpoint.ConnectFailed, endpoint.TLSFailed, endpoint.TimeoutConnect:
		f.refused++
		return
	case endpoint.ClientLimit:
		return // judged on its own
	}
	switch {
	case s.Connected.Known() || s.Sent.Known():
	case s.ConnectStart.Known(): // cut short while it waited, by the drain or a limit of time
		f.refused++
	case f.dialTurns:
		f.refused++
		f.queued++
	default:
		f.unsent++
	}
}

func (f *fold) addTokens(s *measure.Sample) {
	t := &f.tokens
	t.input.add(s.InputTokens)
	t.cached.add(s.CachedInput)
	t.output.add(s.OutputTokens)
	t.reasoning.add(s.Reasoning)
	t.askedInput.asked(s.AskedInput)
	t.askedOutput.asked(s.AskedOutput)
	switch s.Basis {
	case measure.BasisUsage:
		t.usage++
	case measure.BasisChunks:
		t.chunks++
	}
	f.derived = f.derived || s.SeveralPerChunk()
}

// failures counts attempts without a successful answer.
func (f *fold) failures() int { return f.attempts - f.ok }

// good reports whether a successful request met every limit. A limit on something that the request does not have
// (a TPOT of a one-token answer) is met.
func good(s *measure.Sample, l workload.RequestLimits) bool {
	for _, c := range []struct {
		metric workload.Metric
		limit  workload.Duration
	}{{workload.TTFT, l.TTFT}, {workload.TTFVT, l.TTFVT}, {workload.TPOT, l.TPOT}, {workload.Stall, l.Stall}, {workload.E2E, l.E2E}} {
		d, ok := s.Latency(c.metric)
		if c.limit > 0 && ok && d > c.limit.D() {
			return false
		}
		if c.limit > 0 && !ok && c.metric == workload.TTFVT {
			return false // nothing that a user can read ever came
		}
	}
	return true
}

// summary is the approach's part of summary.json.
func (f *fold) summary(slo workload.SLO, floor *measure.NoiseFloor) (ApproachSummary, error) {
	a := ApproachSummary{Name: f.name, Simulated: f.simulated, Attempts: f.attempts, OK: f.ok,
		Errors: f.classes, ErrorExamples: f.examples,
		Metrics: map[workload.Metric]*Quantiles{}, Labels: map[workload.Metric]string{}, SLO: []ObjectiveResult{}}
	if f.span > 0 {
		a.OfferedRate = float64(f.attempts) / f.span
		a.DeliveredRate = float64(f.sent) / f.span
	}
	for _, m := range workload.Metrics() {
		if q := f.quantiles(m); q != nil {
			a.Metrics[m] = q
		}
	}
	if f.derived || f.coalesced > 0 {
		a.Labels[workload.ITL] = "derived"
	}
	if f.reported > 0 {
		a.Labels[workload.QueueingDelay] = "reported"
	}
	if f.chunks > 0 {
		share := float64(f.coalesced) / float64(f.chunks)
		a.Coalesced = &share
	}
	a.Connections = f.made.result()
	a.Tokens = f.tokens.summary(f.span)
	if f.attempts > 0 && f.judged {
		a.Goodput = &Goodput{Ratio: float64(f.good) / float64(f.attempts)}
		if f.span > 0 {
			a.Goodput.PerSecond = float64(f.good) / f.span
		}
	}
	for _, o := range slo.Objectives {
		a.SLO = append(a.SLO, f.judge(o, floor))
	}
	a.Steady = f.steady
	f.queueing(&a)
	a.Spike = f.spike.summary(f.blocks)
	var err error
	a.Sessions, err = f.sessions.summary()
	return a, err
}

func (t *tokenFold) summary(span float64) Tokens {
	out := Tokens{Input: t.input.total(), CachedInput: t.cached.total(), Output: t.output.total(),
		Reasoning: t.reasoning.total(), AskedInput: t.askedInput.total(), AskedOutput: t.askedOutput.total()}
	switch {
	case t.usage > 0 && t.chunks > 0:
		out.Basis = "mixed"
	case t.usage > 0:
		out.Basis = measure.BasisUsage
	case t.chunks > 0:
		out.Basis = measure.BasisChunks
	}
	if out.Output != nil && span > 0 {
		rate := float64(*out.Output) / span
		out.OutputPerSecond = &rate
	}
	return out
}

// quantiles summarises one metric, nil where no request has it.
func (f *fold) quantiles(m workload.Metric) *Quantiles {
	h := f.tally.Hist(m)
	if h.Count() == 0 {
		return nil
	}
	failures := int64(0)
	if overAttempts(m) {
		failures = int64(f.failures())
	}
	return quantilesOf(h, failures)
}

// overAttempts tells the metrics whose percentiles are over all attempts: there a failed request counts as slower than
// every value. The others describe what the client or the server did in the requests that have them.
func overAttempts(m workload.Metric) bool {
	switch m {
	case workload.TTFT, workload.ServiceTTFT, workload.TTFVT, workload.TPOT, workload.Stall, workload.E2E:
		return true
	}
	return false
}
