package workload

import (
	"sort"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// superpose adds the other copies: each is shifted by a time of its own, and what passes the end of the block comes in at
// its start.
func (p *replayPlan) superpose(times []time.Duration, r *Replay) []time.Duration {
	if p.copies == 1 {
		return times
	}
	all := make([]time.Duration, 0, len(times)*p.copies)
	arrivals := make([]Replayed, 0, cap(all))
	for c := range p.copies {
		var shift time.Duration
		if c > 0 {
			shift = rounded(float64(float64(p.horizon) * stat.Keyed(p.seed, "trace superpose", uint64(c)).Float64()))
		}
		for i, t := range times {
			a := r.Arrivals[i]
			a.Copy = c
			all, arrivals = append(all, (t+shift)%p.horizon), append(arrivals, a)
		}
	}
	r.Arrivals = arrivals
	sort.Stable(&timedArrivals{all, arrivals})
	return all
}

// timedArrivals sorts two parallel lists by time.
type timedArrivals struct {
	times    []time.Duration
	arrivals []Replayed
}

func (a *timedArrivals) Len() int           { return len(a.times) }
func (a *timedArrivals) Less(i, j int) bool { return a.times[i] < a.times[j] }
func (a *timedArrivals) Swap(i, j int) {
	a.times[i], a.times[j] = a.times[j], a.times[i]
	a.arrivals[i], a.arrivals[j] = a.arrivals[j], a.arrivals[i]
}

// busyWindow finds the stretch of one length that holds the most of a stream of ascending times. It holds the times of
// one such stretch.
type busyWindow struct {
	length time.Duration
	from   time.Duration // where the busiest so far begins
	most   int
	times  []time.Duration
	head   int // the first of times that is in the current stretch
}

func (b *busyWindow) add(at time.Duration) {
	for b.head < len(b.times) && at-b.times[b.head] >= b.length {
		b.head++
	}
	if b.head > 1024 && b.head > len(b.times)/2 {
		b.times = append(b.times[:0], b.times[b.head:]...)
		b.head = 0
	}
	b.times = append(b.times, at)
	if n := len(b.times) - b.head; n > b.most {
		b.most, b.from = n, b.times[b.head]
	}
}

// coarseShare is how large the step of the time stamps may be beside the mean gap before it counts: above, gaps say
// nothing.
const coarseShare = 0.1

// stampSteps finds the spacing of time stamps in ascending order.
type stampSteps struct {
	first, last time.Duration
	n           int
	smallest    time.Duration // positive distance of neighbours
	repeated    int           // rows at the time of the row before
}

func (s *stampSteps) add(at time.Duration) {
	if s.n == 0 {
		s.first = at
	} else if d := at - s.last; d == 0 {
		s.repeated++
	} else if s.smallest == 0 || d < s.smallest {
		s.smallest = d
	}
	s.last = at
	s.n++
}

// coarse is the spacing if time stamps are quantised: rows share them, and no two different ones are closer than a tenth of
// the mean gap. Else it is 0; so it is where a few rows cannot tell.
func (s *stampSteps) coarse() time.Duration {
	if s.n < 50 || s.repeated*50 < s.n || float64(s.smallest)*float64(s.n-1) < coarseShare*float64(s.last-s.first) {
		return 0
	}
	return s.smallest
}

// spreader moves the rows of one time stamp to times spread evenly at random over the step that follows it, keyed by the
// seed. It keeps the order of the rows, and holds those of one stamp.
type spreader struct {
	step time.Duration // 0: rows pass as they are
	seed uint64
	rows rowSource

	group   []TraceRow // at one stamp, spread, from at on
	at      int
	groups  uint64
	pending *TraceRow // the first of the next stamp
	end     error
}

func (s *spreader) next() (TraceRow, error) {
	if s.step == 0 {
		return s.rows.next()
	}
	if s.at == len(s.group) {
		if err := s.fill(); err != nil {
			return TraceRow{}, err
		}
	}
	s.at++
	return s.group[s.at-1], nil
}

// fill reads the rows of the next stamp.
func (s *spreader) fill() error {
	s.group, s.at = s.group[:0], 0
	if s.pending != nil {
		s.group = append(s.group, *s.pending)
		s.pending = nil
	}
	for s.end == nil {
		row, err := s.rows.next()
		if err != nil {
			s.end = err
			break
		}
		row.Blocks = append([]uint64(nil), row.Blocks...)
		if len(s.group) > 0 && row.At != s.group[0].At {
			s.pending = &row
			break
		}
		s.group = append(s.group, row)
	}
	if len(s.group) == 0 {
		return s.end
	}
	r := stat.Keyed(s.seed, "trace dequantise", s.groups)
	s.groups++
	offsets := make([]float64, len(s.group))
	for i := range offsets {
		offsets[i] = r.Float64()
	}
	sort.Float64s(offsets)
	for i, u := range offsets {
		s.group[i].At += rounded(float64(float64(s.step) * u))
	}
	return nil
}
