package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Spike is what the spike of a scenario did to one approach, by arrival time (measurement.md section 4). Times are in
// seconds; counts in flight and in the backlog are means over the blocks.
type Spike struct {
	// From and To bound the spike, since the start of the measure phase. Bin is the width of the bins of arrivals.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Bin  float64 `json:"bin"`
	// BaselineTTFT is the p95 of the requests that arrived before the spike, a failed one counting as slower than any; absent
	// where it lies among the failures or there are fewer than 20. BaselineInFlight is the mean in flight before the spike.
	BaselineTTFT     *float64 `json:"baseline_ttft_p95,omitempty"`
	BaselineInFlight float64  `json:"baseline_in_flight"`
	// PeakInFlight is the most in flight from the spike's start on, at PeakAt, looked at on a fixed grid of at least 100 ms.
	PeakInFlight float64 `json:"peak_in_flight"`
	PeakAt       float64 `json:"peak_at"`
	// WorstBin is the bin of arrivals from the spike's start on with the highest p95 TTFT.
	WorstBin *SpikeBin `json:"worst_bin,omitempty"`
	// Attempts and Failed count the requests that arrived within the spike.
	Attempts int `json:"attempts"`
	Failed   int `json:"failed"`
	// BacklogArea is the time that requests spent in flight beyond the baseline, from the spike's start until the backlog was
	// gone or the measure phase ended, in request-seconds.
	BacklogArea float64 `json:"backlog_area"`
	// Recovery is the time from the spike's end to the first of three bins in a row whose p95 TTFT is at most 1.1 times the
	// baseline's. Without one, NotRecovered says why.
	Recovery     *float64 `json:"recovery,omitempty"`
	NotRecovered string   `json:"not_recovered,omitempty"`
	// Backlog is what was in flight beyond the baseline at the spike's end, and Capacity the requests per second that ended in
	// the second half of the spike. PredictedDrain = Backlog / (Capacity - baseline rate); NoPrediction says why there is none.
	Backlog        float64  `json:"backlog"`
	Capacity       *float64 `json:"capacity,omitempty"`
	PredictedDrain *float64 `json:"predicted_drain,omitempty"`
	NoPrediction   string   `json:"no_prediction,omitempty"`
	// Drain is the time from the spike's end until no more were in flight than in the baseline, rounded up to a whole request;
	// NotDrained says that this did not happen.
	Drain      *float64 `json:"drain,omitempty"`
	NotDrained string   `json:"not_drained,omitempty"`
}

// SpikeBin is a bin of arrivals.
type SpikeBin struct {
	At       float64  `json:"at"` // its start, since the start of the measure phase
	Attempts int      `json:"attempts"`
	Failed   int      `json:"failed"`
	TTFT     *float64 `json:"ttft_p95,omitempty"` // absent: the p95 lies among the failures
}

const (
	spikeTail   = 20   // requests that a p95 needs to be more than the largest value
	spikeFactor = 1.1  // of the baseline's p95, at which a bin has recovered
	spikeRow    = 3    // bins in a row
	spikeCells  = 4096 // of the grid on which requests in flight are counted
)

// spikeFold folds the rows of one approach. Its size depends on the scenario alone, not on the requests.
type spikeFold struct {
	window  workload.SpikeWindow
	warmup  time.Duration
	measure time.Duration
	width   time.Duration
	bins    map[int]*spikeBin // by place from the spike's end on: bin 0 starts there
	before  spikeBin
	within  spikeBin
	cell    time.Duration // of the grid, whose time 0 is that of the block
	came    []int
	went    []int
}

type spikeBin struct {
	attempts int
	ttft     measure.Hist
}

// newSpikeFold is nil where the scenario has no spike.
func newSpikeFold(s *workload.Scenario) *spikeFold {
	w, ok := s.SpikeWindow()
	if !ok {
		return nil
	}
	f := &spikeFold{window: w, warmup: s.Phases.Warmup.D(), measure: s.Phases.Measure.D(), bins: map[int]*spikeBin{}}
	f.width = spikeWidth(w.Baseline, f.measure)
	f.cell = max(100*time.Millisecond, (f.warmup+f.measure)/spikeCells)
	n := int((f.warmup+f.measure)/f.cell) + 1
	f.came, f.went = make([]int, n), make([]int, n)
	return f
}

// spikeWidth is the shortest round width in which the baseline sends enough for a p95, and at most 512 bins.
func spikeWidth(rate float64, phase time.Duration) time.Duration {
	for _, s := range []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600} {
		if w := time.Duration(s) * time.Second; rate*w.Seconds() >= spikeTail && phase/w <= 512 {
			return w
		}
	}
	return max(time.Hour, phase/512)
}

// add folds one row, of the warm-up too: it may still be in flight.
func (f *spikeFold) add(s *measure.Sample) {
	due, ok := s.Scheduled.Get()
	if !ok {
		return
	}
	f.grid(f.came, due)
	if end, ended := s.Done.Get(); ended {
		f.grid(f.went, max(end, due))
	}
	if s.Phase != measure.Measure {
		return
	}
	due -= f.warmup
	switch {
	case due < f.window.From:
		f.before.add(s)
	case due < f.window.To:
		f.within.add(s)
	}
	k := int(math.Floor(float64(due-f.window.To) / float64(f.width)))
	if f.bins[k] == nil {
		f.bins[k] = &spikeBin{}
	}
	f.bins[k].add(s)
}

// grid counts an event in the cell that it fell into; what came after the measure phase does not matter.
func (f *spikeFold) grid(cells []int, at time.Duration) {
	if i := int(at / f.cell); i >= 0 && i < len(cells) {
		cells[i]++
	}
}

func (b *spikeBin) add(s *measure.Sample) {
	b.attempts++
	if d, known := s.Latency(workload.TTFT); known {
		b.ttft.Record(d)
	}
}

func (b *spikeBin) failed() int { return b.attempts - int(b.ttft.Count()) }

// p95 is in seconds, by rank; +Inf where it lies among the failures, and false for fewer than 20 attempts.
func (b *spikeBin) p95() (float64, bool) {
	if b == nil || b.attempts < spikeTail {
		return 0, false
	}
	if d, ok := b.ttft.ValueAtRank(rank(0.95, int64(b.attempts))); ok {
		return d.Seconds(), true
	}
	return math.Inf(1), true
}

func finite(v float64, ok bool) *float64 {
	if !ok || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// summary is nil where there is no spike or not one request before it.
func (f *spikeFold) summary(blocks int) *Spike {
	if f == nil || f.before.attempts == 0 || f.within.attempts == 0 || blocks == 0 {
		return nil
	}
	s := &Spike{From: f.window.From.Seconds(), To: f.window.To.Seconds(), Bin: f.width.Seconds(), Attempts: f.within.attempts, Failed: f.within.failed()}
	s.BaselineTTFT = finite(f.before.p95())
	f.worst(s)
	f.recovery(s)
	f.backlog(s, float64(blocks))
	f.predict(s, float64(blocks))
	return s
}

func (f *spikeFold) worst(s *Spike) {
	top := -1.0
	for k, b := range f.bins {
		at := f.window.To + time.Duration(k)*f.width
		p, ok := b.p95()
		if !ok || at+f.width <= f.window.From || p < top || p == top && at.Seconds() > s.WorstBin.At {
			continue
		}
		top = p
		s.WorstBin = &SpikeBin{At: at.Seconds(), Attempts: b.attempts, Failed: b.failed(), TTFT: finite(p, true)}
	}
}

func (f *spikeFold) recovery(s *Spike) {
	if s.BaselineTTFT == nil {
		s.NotRecovered = fmt.Sprintf("no baseline: fewer than %d answers before the spike, or too many failures", spikeTail)
		return
	}
	run, thin := 0, 0
	whole := int((f.measure - f.window.To) / f.width)
	for k := range whole {
		p, ok := f.bins[k].p95()
		if !ok {
			thin++
		}
		if run++; !ok || p > spikeFactor**s.BaselineTTFT {
			run = 0
		}
		if run == spikeRow {
			s.Recovery = new((time.Duration(k-spikeRow+1) * f.width).Seconds())
			return
		}
	}
	s.NotRecovered = fmt.Sprintf("not recovered within %v", f.measure-f.window.To)
	switch {
	case whole < spikeRow:
		s.NotRecovered = fmt.Sprintf("cannot tell: %v after the spike is shorter than %d bins of %v", f.measure-f.window.To, spikeRow, f.width)
	case thin > 0:
		s.NotRecovered += fmt.Sprintf(" (%d of %d bins have fewer than %d requests)", thin, whole, spikeTail)
	}
}

// backlog reads the grid: what was in flight at the end of each cell.
func (f *spikeFold) backlog(s *Spike, blocks float64) {
	level := make([]float64, len(f.came))
	now := 0
	for i := range level {
		now += f.came[i] - f.went[i]
		level[i] = float64(now) / blocks
	}
	start, end := f.at(f.window.From), f.at(f.window.To)
	calm := level[f.at(0):start]
	if len(calm) == 0 {
		s.NotDrained = "cannot tell: the baseline is too short"
		return
	}
	for _, v := range calm {
		s.BaselineInFlight += v / float64(len(calm))
	}
	last := f.at(f.measure)
	gone := last
	for i := end; i < last; i++ {
		if level[i] <= math.Ceil(s.BaselineInFlight) {
			gone = i
			s.Drain = new(max(0, (time.Duration(i+1)*f.cell - f.warmup - f.window.To).Seconds()))
			break
		}
	}
	if s.Drain == nil {
		s.NotDrained = fmt.Sprintf("not drained within %v", f.measure-f.window.To)
	}
	s.PeakInFlight = slices.Max(level[start:last])
	s.PeakAt = (time.Duration(start+slices.Index(level[start:last], s.PeakInFlight)+1)*f.cell - f.warmup).Seconds()
	for _, v := range level[start:gone] {
		s.BacklogArea += max(0, v-s.BaselineInFlight) * f.cell.Seconds()
	}
	s.Backlog = max(0, level[max(end-1, 0)]-s.BaselineInFlight)
}

// at is the cell of a time since the start of the measure phase.
func (f *spikeFold) at(t time.Duration) int { return min(int((f.warmup+t)/f.cell), len(f.came)-1) }

// predict is the fluid law: a backlog falls by what the endpoint can do beyond what still comes.
func (f *spikeFold) predict(s *Spike, blocks float64) {
	half, end := f.at((f.window.From+f.window.To)/2), f.at(f.window.To)
	came, went := 0, 0
	for i := half; i < end; i++ {
		came, went = came+f.came[i], went+f.went[i]
	}
	grown := float64(came - went)
	switch base := f.window.Baseline; {
	case end <= half:
		s.NoPrediction = "the spike is too short"
	case s.Failed*20 > s.Attempts:
		s.NoPrediction = "more than 5% of the spike's requests failed, and left the queue without being served"
	case s.Backlog < 1 || grown < 2*math.Sqrt(float64(came)):
		s.NoPrediction = "the backlog did not grow in the second half of the spike beyond what chance does: the endpoint was not shown to be saturated"
	default:
		s.Capacity = new(float64(went) / blocks / (time.Duration(end-half) * f.cell).Seconds())
		if *s.Capacity <= base {
			s.NoPrediction = "while saturated it served no more than the baseline sends: the backlog would never go"
			return
		}
		s.PredictedDrain = new(s.Backlog / (*s.Capacity - base))
	}
}
