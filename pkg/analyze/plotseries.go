package analyze

import (
	"math"
	"slices"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// maxPoints bounds the points of one scatter.
const maxPoints = 3000

// curveMetrics have a quantile curve in the report.
var curveMetrics = []workload.Metric{workload.TTFT, workload.ServiceTTFT, workload.ITL, workload.E2E, workload.QueueingDelay}

// series fills everything that the plots show.
func (a *Analysis) series(rec *measure.Record, folds []*fold) error {
	m := rec.Manifest
	p := m.Scenario.Phases
	if p.Warmup > 0 {
		a.Windows = append(a.Windows, Window{Name: "warm-up", From: 0, To: p.Warmup.D().Seconds()})
	}
	for _, w := range m.Schedule.Windows {
		a.Windows = append(a.Windows, Window{Name: w.Name, From: w.From.Seconds(), To: w.To.Seconds()})
	}
	horizon := p.Horizon().D().Seconds()
	a.BinWidth = binWidth(horizon)
	end := horizon
	for _, b := range m.Blocks {
		if d, ok := b.Ended.Get(); ok {
			end = max(end, d.Seconds())
		}
	}
	if end > horizon {
		a.Windows = append(a.Windows, Window{Name: "drain", From: horizon, To: end})
	}
	byName := map[string]*seriesFold{}
	var all []*seriesFold
	for _, f := range folds {
		s := newSeriesFold(f, a.BinWidth, horizon, end)
		byName[f.name] = s
		all = append(all, s)
	}
	if err := eachRow(rec, func(s *measure.Sample) error { byName[s.Approach].add(s); return nil }); err != nil {
		return err
	}
	var offered []float64
	for _, s := range all {
		a.Series = append(a.Series, s.series())
		if len(offered) == 0 || sum(s.offered) > sum(offered) {
			offered = s.offered // the longest: an interrupted block saw only part of the schedule
			a.Arrivals = s.bins(s.offered, 1/(s.width*float64(s.fold.blocks)), 0)
		}
	}
	return nil
}

func sum(v []float64) (t float64) {
	for _, x := range v {
		t += x
	}
	return t
}

// binWidth is about a sixtieth of the block, at a round number of seconds.
func binWidth(horizon float64) float64 {
	raw := horizon / 60
	for _, w := range []float64{0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600} {
		if w >= raw {
			return w
		}
	}
	return math.Ceil(raw/3600) * 3600
}

// seriesFold folds the rows of one approach into series over the block's time line.
type seriesFold struct {
	fold  *fold
	width float64
	out   ApproachSeries

	stride                      int
	ttft                        [][]float32 // values by bin of the scheduled time
	offered, sent, inFlight     []float64
	queueSum, delaySum, queueN  []float64
	breakdown                   []*breakdownFold
	queueReported, queueMissing int
	queueInferred               int
	ladder                      [][]LadderPart // sums by bin
	ladderN                     []float64
}

func newSeriesFold(f *fold, width, horizon, end float64) *seriesFold {
	n := int(math.Ceil(horizon/width - 1e-9))
	long := int(math.Ceil(end/width - 1e-9))
	s := &seriesFold{fold: f, width: width, out: ApproachSeries{Name: f.name, Curves: map[workload.Metric]Curve{}},
		stride: 1 + f.attempts/maxPoints, ttft: make([][]float32, n), offered: make([]float64, n),
		sent: make([]float64, long), inFlight: make([]float64, long),
		queueSum: make([]float64, n), delaySum: make([]float64, n), queueN: make([]float64, n), ladder: make([][]LadderPart, n), ladderN: make([]float64, n)}
	for _, m := range curveMetrics {
		if h := f.tally.Hist(m); h.Count() > 0 {
			s.out.Curves[m] = curveOf(h, f, m)
		}
	}
	s.breakdown = breakdownsOf(f)
	return s
}

// curveOf is the quantile function over attempts, one step per non-empty bucket.
func curveOf(h *measure.Hist, f *fold, m workload.Metric) Curve {
	total := h.Count()
	if overAttempts(m) {
		total += int64(f.failures())
	}
	c := Curve{N: h.Count(), Reached: float64(h.Count()) / float64(total)}
	var seen int64
	for _, b := range h.Buckets() {
		seen += b.Count
		c.P = append(c.P, float64(seen)/float64(total))
		c.V = append(c.V, b.Value.Seconds())
	}
	return c
}

func (s *seriesFold) bin(t float64, n int) (int, bool) {
	i := int(t / s.width)
	return i, t >= 0 && i < n
}

func (s *seriesFold) add(r *measure.Sample) {
	scheduled, ok := r.Scheduled.Get()
	if !ok {
		return
	}
	t := scheduled.Seconds()
	b, in := s.bin(t, len(s.offered))
	if in {
		s.offered[b]++
	}
	if sent, ok := r.Sent.Get(); ok {
		if b, in := s.bin(sent.Seconds(), len(s.sent)); in {
			s.sent[b]++
		}
	}
	if done, ok := r.Done.Get(); ok {
		s.occupy(t, done.Seconds())
	}
	if !r.OK() {
		s.out.Failed = append(s.out.Failed, t)
		return
	}
	if d, ok := r.Latency(workload.TTFT); ok {
		if in {
			s.ttft[b] = append(s.ttft[b], float32(d.Seconds()))
		}
		if r.Index%s.stride == 0 {
			s.out.TTFT = append(s.out.TTFT, Point{T: t, V: d.Seconds()})
		}
	}
	s.addQueue(r, b, in)
	s.addLadder(r, b, in)
	if r.Phase == measure.Measure {
		for _, k := range s.breakdown {
			k.add(r)
		}
	}
}

// addQueue sums the queueing delay where the server reports its queue, and the send delay beside it for a server that
// does not.
func (s *seriesFold) addQueue(r *measure.Sample, b int, in bool) {
	if q, ok := r.Latency(workload.QueueingDelay); ok {
		s.queueReported++
		if in {
			s.queueSum[b] += q.Seconds()
		}
	} else if d, ok := s.fold.queue.delay(r); ok {
		s.queueInferred++
		if in {
			s.queueSum[b] += d
		}
	} else {
		s.queueMissing++
	}
	if d, ok := r.Latency(workload.SendDelay); ok && in {
		s.delaySum[b] += d.Seconds()
		s.queueN[b]++
	}
}

// occupy adds one request in flight over [from, to).
func (s *seriesFold) occupy(from, to float64) {
	first := max(0, int(from/s.width))
	for b := first; b < len(s.inFlight); b++ {
		lo, hi := float64(b)*s.width, float64(b+1)*s.width
		if lo >= to {
			return
		}
		s.inFlight[b] += (min(hi, to) - max(lo, from)) / s.width
	}
}

// Bins with fewer values than these show no percentile.
const (
	minForP50 = 5
	minForP95 = 20
)

func (s *seriesFold) series() ApproachSeries {
	perBlock := 1 / float64(s.fold.blocks)
	s.out.Delivered = s.bins(s.sent, perBlock/s.width, 0)
	s.out.InFlight = s.bins(s.inFlight, perBlock, 0)
	queue := s.delaySum
	s.out.QueueingLabel = "send delay only: the server reports no queue"
	if s.queueReported+s.queueInferred > 0 && s.queueMissing == 0 {
		queue, s.out.QueueingLabel = s.queueSum, Reported
		if s.queueInferred > 0 {
			s.out.QueueingLabel = Inferred
		}
	}
	for b, n := range s.queueN {
		if n > 0 {
			s.out.Queueing = append(s.out.Queueing, Bin{T: float64(b) * s.width, V: queue[b] / n})
		}
	}
	for b, v := range s.ttft {
		slices.Sort(v)
		at := func(q float64) Bin {
			return Bin{T: float64(b) * s.width, V: float64(v[rank(q, int64(len(v)))-1])}
		}
		if len(v) >= minForP50 {
			s.out.TTFTP50 = append(s.out.TTFTP50, at(0.5))
		}
		if len(v) >= minForP95 {
			s.out.TTFTP95 = append(s.out.TTFTP95, at(0.95))
		}
	}
	slices.SortFunc(s.out.TTFT, func(x, y Point) int { return cmpFloat(x.T, y.T) })
	slices.Sort(s.out.Failed)
	s.breakDown()
	return s.out
}

// addLadder splits the TTFT of a request, for its time and for its rung.
func (s *seriesFold) addLadder(r *measure.Sample, b int, in bool) {
	steps, ok := s.fold.queue.split(r)
	if !ok {
		return
	}
	if in {
		s.ladder[b] = addSteps(s.ladder[b], steps)
		s.ladderN[b]++
	}
	if ttft, ok := r.Latency(workload.TTFT); ok && r.Phase == measure.Measure {
		for _, rung := range s.fold.queue.ladder {
			rung.add(ttft, steps)
		}
	}
}

// breakDown gives what TTFT is made of: by the ladder where light load was measured.
func (s *seriesFold) breakDown() {
	for b, parts := range s.ladder {
		if s.ladderN[b] == 0 {
			continue
		}
		for i := range parts {
			parts[i].Seconds /= s.ladderN[b]
		}
		s.out.Ladder = append(s.out.Ladder, LadderBin{T: float64(b) * s.width, Parts: inOrder(parts)})
	}
	q := s.fold.queue.out
	for _, r := range s.fold.queue.ladder {
		if r.n > 0 {
			q.Ladder = append(q.Ladder, r.result())
		}
	}
	if len(q.LightLoad) == 0 {
		for _, k := range s.breakdown {
			if b, ok := k.result(); ok {
				s.out.Breakdown = append(s.out.Breakdown, b)
			}
		}
		return
	}
	for _, r := range q.Ladder {
		b := Breakdown{At: r.At}
		for _, p := range r.Parts {
			b.Parts = append(b.Parts, Part{Name: p.Label(), Value: p.Seconds})
		}
		s.out.Breakdown = append(s.out.Breakdown, b)
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// bins scales sums into bins.
func (s *seriesFold) bins(v []float64, scale, from float64) []Bin {
	out := make([]Bin, len(v))
	for i, x := range v {
		out[i] = Bin{T: from + float64(i)*s.width, V: x * scale}
	}
	return out
}
