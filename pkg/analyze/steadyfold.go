package analyze

import (
	"errors"
	"math"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

const (
	// steadyBins cut the measure phase of a block, so that millions of requests take as much memory as thousands. Of a few
	// thousand requests nearly every one has a bin of its own; of more, a bin is the mean of a batch.
	steadyBins = 1 << 14
	// leastSteady is the smallest number of requests of a block that is judged: ten batches of five (MSER-5).
	leastSteady = 50

	trendLevel = 0.05 // one-sided, of both trends
	// backlogShare of the requests that came in must be left over: less is a long queue, and not one that grows.
	backlogShare = 0.02
	// wanders is how many standard deviations of a queue that just keeps up, in which the same would be left over by chance.
	wanders = 1.25
	// countWindows is into how many parts arrivals are counted to see how bursty they are.
	countWindows = 64
	// staysLeast is how many times as long as an answer takes to be written the phase must be: before, requests in flight
	// are still filling up.
	staysLeast = 5

	// A start is unlike the rest where its typical TTFT differs by coldRatio, in more than coldErrors standard errors. The
	// truncation point is chosen by the data, so two would find one everywhere.
	coldRatio  = 1.25
	coldErrors = 5
	coldLeast  = 10 // requests
	// restLeast is how many independent requests there must be behind the start: of fewer the autocorrelation time is too rough (stat.Dependence).
	restLeast = 50
	// leastSaturated is the smallest number of requests of a block whose trend is judged: the queue of fewer wanders as far.
	leastSaturated = 250
)

// steadyBlock is what the rows of one block say of its steady state.
type steadyBlock struct {
	n         int     // TTFTs
	seconds   float64 // of measure phase
	effective float64 // of the TTFTs behind the warm-up, for all of n; 0: unknown

	saturated               bool
	offeredRate, servedRate float64
	growth                  float64
	slower                  float64

	cold    bool
	settled float64 // second of the block from which it had settled
	settles bool
	ratio   float64
}

// steadyFold gathers the rows of one block, which come as requests end, by the time at which they were scheduled.
type steadyFold struct {
	from, length float64 // seconds: the measure phase
	bounded      bool    // a closed loop, in which no queue can grow
	grows        bool    // conversations, whose number fills up
	want         int     // rows that the block has; -1 where the manifest does not know
	rows         int
	bins         *steadyBinned // nil before the first row and after the last
	out          steadyBlock
	done         bool
}

// steadyBinned are the sums of a block by bin.
type steadyBinned struct {
	// Of the TTFTs, in seconds.
	sum, squares [steadyBins]float64
	count        [steadyBins]int32
	change       [steadyBins]int32 // of the requests in flight
	came         [steadyBins]int32
	ended        [steadyBins]int32
	served       [steadyBins]int32 // of ended, with an answer
	stay         stat.Moments      // from the first token to the end
	ttft         stat.Moments
}

func newSteadyFold(b *measure.BlockRecord, s *workload.Scenario) *steadyFold {
	f := &steadyFold{from: s.Phases.Warmup.D().Seconds(), length: s.Phases.Measure.D().Seconds(),
		bounded: s.Arrivals.ClosedLoop != nil, grows: s.Converses(), want: b.Attempts}
	// Of a block that did not go through it is not known how long it was measured.
	f.done = b.State != measure.Complete || f.length <= 0
	return f
}

// bin is where a time lies, from -1 (before the phase) to steadyBins (behind it).
func (f *steadyFold) bin(seconds float64) int {
	return int(min(max(math.Floor((seconds-f.from)/f.length*steadyBins), -1), steadyBins))
}

// add folds one row of any phase: what the warm-up has sent is in flight too.
func (f *steadyFold) add(s *measure.Sample) {
	if f.done {
		return
	}
	if f.bins == nil {
		f.bins = &steadyBinned{}
	}
	f.rows++
	f.place(s)
	if f.rows == f.want {
		f.finish()
	}
}

func (f *steadyFold) place(s *measure.Sample) {
	scheduled, ok := s.Scheduled.Get()
	if !ok {
		return
	}
	b := f.bins
	at := f.bin(scheduled.Seconds())
	end := steadyBins
	if done, ok := s.Done.Get(); ok {
		end = f.bin(done.Seconds())
	}
	if at < steadyBins && end >= 0 {
		b.change[max(at, 0)]++
		if end < steadyBins {
			b.change[end]--
			b.ended[end]++
			if s.OK() {
				b.served[end]++
			}
		}
	}
	if at < 0 || at >= steadyBins || s.Phase != measure.Measure {
		return
	}
	b.came[at]++
	d, ok := s.Latency(workload.TTFT)
	if !ok || d <= 0 {
		return
	}
	b.sum[at] += d.Seconds()
	b.squares[at] += d.Seconds() * d.Seconds()
	b.count[at]++
	b.ttft.Add(d.Seconds())
	if whole, ok := s.Latency(workload.E2E); ok {
		b.stay.Add((whole - d).Seconds())
	}
}

// finish judges the block and lets its bins go.
func (f *steadyFold) finish() {
	if f.done {
		return
	}
	f.done = true
	if b := f.bins; b != nil {
		f.judge(b)
	}
	f.bins = nil
}

// steadySeries are the TTFTs of a block in the order of arrival: those of one bin as their mean.
type steadySeries struct {
	bin          []int
	values, logs []float64
}

func (b *steadyBinned) series() (s steadySeries) {
	for i, n := range b.count {
		if n > 0 {
			v := b.sum[i] / float64(n)
			s.bin, s.values, s.logs = append(s.bin, i), append(s.values, v), append(s.logs, math.Log(v))
		}
	}
	return s
}

func (f *steadyFold) judge(b *steadyBinned) {
	o := &f.out
	o.n, o.seconds = b.ttft.N(), f.length
	s := b.series()
	// Of the logarithms: else one slow request at the start is a warm-up, and a burst late in the phase hides one.
	cut, err := stat.MSER5(s.logs)
	if err != nil {
		o.n = min(o.n, leastSteady-1) // simultaneous requests: too few moments
		return
	}
	f.cold(s, cut)
	drop := 0
	if o.cold && o.ratio > 1 { // a quick start is how a growing queue begins, too
		drop = cut.Drop
	}
	o.effective = b.effective(s, drop)
	if !f.bounded && o.n >= leastSaturated {
		f.saturation(b, s, drop)
	}
}

// cold tells whether the start that MSER-5 would leave out is unlike the rest.
func (f *steadyFold) cold(s steadySeries, cut stat.Truncation) {
	rest := s.logs[cut.Drop:]
	if cut.Drop < coldLeast {
		return
	}
	var begin, head, tail stat.Moments
	for i, x := range s.logs[:cut.Drop] {
		if head.Add(x); 2*i < cut.Drop {
			begin.Add(x)
		}
	}
	for _, x := range rest {
		tail.Add(x)
	}
	difference := head.Mean() - tail.Mean()
	// Of a rest that does not vary any difference is one.
	tau := 1.0
	if d, err := stat.DependenceOf(rest); err == nil {
		tau = max(d.Tau, 1)
	}
	if float64(len(rest)) < restLeast*tau {
		return
	}
	se := tail.SD() * math.Sqrt(tau*(1/float64(cut.Drop)+1/float64(len(rest))))
	if math.Abs(difference) < math.Log(coldRatio) || math.Abs(difference) <= coldErrors*se {
		return
	}
	// It must be so from the first request on: one pause in the middle is no warm-up.
	if early := begin.Mean() - tail.Mean(); early*difference < 0 || math.Abs(early) < math.Log(coldRatio) {
		return
	}
	o := &f.out
	o.cold, o.settles, o.ratio = true, cut.Steady, math.Exp(difference)
	o.settled = f.from + f.length*float64(s.bin[cut.Drop])/steadyBins
}

// effective is how many independent values say as much of the mean as all of them did: the variance of a value over that of the
// mean, which is that of a batch times the autocorrelation time over the number of batches. Variances and the autocorrelation
// time are those behind the warm-up. 0 where it is not known.
func (b *steadyBinned) effective(s steadySeries, drop int) float64 {
	var batch stat.Moments
	var n, sum, squares float64
	for k, x := range s.values[drop:] {
		i := s.bin[drop+k]
		batch.Add(x)
		n, sum, squares = n+float64(b.count[i]), sum+b.sum[i], squares+b.squares[i]
	}
	all := float64(b.ttft.N())
	d, err := stat.DependenceOf(s.values[drop:])
	switch {
	case errors.Is(err, stat.ErrNoSpread):
		return all // each says all there is
	case err != nil:
		return 0
	}
	// Times are whole nanoseconds: values that differ in no more leave rounding alone in the difference of squares.
	value := max(squares/n-sum/n*sum/n, batch.SD()*batch.SD())
	ofMean := batch.SD() * batch.SD() * max(d.Tau, 1) / float64(len(s.values))
	return min(all, value/ofMean)
}

// saturation tests whether requests in flight and TTFT both rise, and whether so many were left over that the queue grows.
func (f *steadyFold) saturation(b *steadyBinned, s steadySeries, drop int) {
	first := s.bin[drop]
	width := f.length / steadyBins
	window := float64(steadyBins-first) * width
	if window < staysLeast*b.stay.Mean() {
		return
	}
	var inFlight, came []float64
	var offered, ended, served, now int32
	for i := range steadyBins {
		now += b.change[i]
		if i < first {
			continue
		}
		inFlight, came = append(inFlight, float64(now)), append(came, float64(b.came[i]))
		offered += b.came[i]
		ended += b.ended[i]
		served += b.served[i]
	}
	t, err := stat.SaturationOf(inFlight, s.values[drop:])
	growth := float64(offered - ended)
	if err != nil || !t.OverSaturated(trendLevel) || growth < max(backlogShare*float64(offered), wanders*b.wandering(came)) {
		return
	}
	if rise, err := stat.TrendOf(came); f.grows && err == nil && rise.P < trendLevel {
		return // conversations are still adding up: the load rises, and with it the queue
	}
	o := &f.out
	o.saturated, o.offeredRate, o.servedRate = true, float64(offered)/window, float64(served)/window
	o.growth, o.slower = growth, math.Exp(t.Latency.Slope*trendParts)
}

// wandering is the standard deviation of what is left over of n arrivals at a server that is always busy and just keeps up:
// the root of n (I + c^2), where I is the variance of the counts of arrivals over their mean (1 for Poisson) and c the
// coefficient of variation of the service, for which the time from the first token to the end stands (the diffusion of a queue
// in heavy traffic; Kingman, 1962).
func (b *steadyBinned) wandering(came []float64) float64 {
	var counts stat.Moments
	per := max(len(came)/countWindows, 1)
	for ; len(came) >= per; came = came[per:] {
		n := 0.0
		for _, c := range came[:per] {
			n += c
		}
		counts.Add(n)
	}
	if counts.Mean() == 0 {
		return 0
	}
	service, _ := b.stay.CV()
	return math.Sqrt(counts.Mean() * float64(counts.N()) * (counts.SD()*counts.SD()/counts.Mean() + service*service))
}

// trendParts are the blocks that stat.TrendOf makes.
const trendParts = 10

// steadyRun are the blocks of a run, one of which is open at a time.
type steadyRun struct {
	scenario *workload.Scenario
	blocks   []*steadyFold
	approach []string
	byIndex  map[int]*steadyFold
}

func newSteadyRun(m *measure.Manifest) *steadyRun {
	r := &steadyRun{scenario: m.Scenario, byIndex: map[int]*steadyFold{}}
	for i := range m.Blocks {
		b := &m.Blocks[i]
		f := newSteadyFold(b, m.Scenario)
		r.blocks, r.approach, r.byIndex[b.Index] = append(r.blocks, f), append(r.approach, b.Approach), f
	}
	return r
}

func (r *steadyRun) add(s *measure.Sample) {
	if f := r.byIndex[s.Block]; f != nil {
		f.add(s)
	}
}

// of is the steady state of an approach, after the last row.
func (r *steadyRun) of(f *fold) *Steady {
	var blocks []steadyBlock
	for i, b := range r.blocks {
		if r.approach[i] == f.name {
			b.finish()
			blocks = append(blocks, b.out)
		}
	}
	st := steadyOf(blocks, r.scenario)
	st.few(f.quantiles(workload.TTFT))
	return st
}
