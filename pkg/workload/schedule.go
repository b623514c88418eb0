package workload

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// maxArrivals bounds a schedule, which is held in memory: 8 bytes each.
const maxArrivals = 50_000_000

// Schedule is when the requests of one block arrive: the whole of it, computed before the run from nothing but the
// scenario, and the same to the nanosecond on every machine.
//
// The k-th arrival is t_k = L⁻¹(S_k). S_k is the sum of k gaps of a burst family with unit mean, the first of them
// drawn in equilibrium (the time from an arbitrary moment to the next arrival, so that the block does not begin with
// a burst); L is the integral of the rate shape. So any burst family goes with any shape, and a change of the rate
// keeps the random numbers where they were. With exponential gaps this is exactly the Poisson process of that rate.
type Schedule struct {
	// Open is false for a closed-loop scenario, whose requests come when replies do: Times is then empty.
	Open bool
	// Phases are the scenario's: the block's time line runs from 0 to Phases.Horizon().
	Phases Phases
	// Times are the arrivals since the block's time 0 (the start of the warm-up), ascending, before the horizon.
	Times []time.Duration
	// Trace is what was replayed; nil where the shape is not a trace. Its Arrivals run parallel to Times.
	Trace *Replay
	// Mix says to which traffic class each arrival belongs; nil where the scenario is no mix. A mix has no Trace: its classes
	// and its common arrivals have theirs.
	Mix *MixSchedule

	curve   *curve   // nil for a trace and for a mix
	share   float64  // of the curve's rate that is this schedule's, as a class's part of common arrivals; 0 is all of it
	windows []Window // see Windows
	text    string   // see String
}

// Window is a span of the block's time line that a reader should see marked, [From, To).
type Window struct {
	Name     string
	From, To time.Duration // since the block's time 0
}

// NewSchedule computes the schedule of one block of the scenario. A closed-loop scenario has none: the result is an
// empty Schedule with Open false, and no error. It is an error if nothing arrives in the measure phase, or if more
// arrives than memory should hold (50 million). Relative trace paths start at s.Dir.
func NewSchedule(s *Scenario) (*Schedule, error) {
	if s.Phases.Warmup < 0 || s.Phases.Measure <= 0 || s.Phases.Horizon() < s.Phases.Measure {
		return nil, fmt.Errorf("phases: warmup is %v and measure is %v: warmup must not be negative, measure must be positive",
			s.Phases.Warmup.D(), s.Phases.Measure.D())
	}
	if len(s.Mix) > 0 {
		return mixed(s)
	}
	if c := s.Arrivals.ClosedLoop; c != nil {
		return &Schedule{Phases: s.Phases, text: fmt.Sprintf("closed loop of %d users", c.Users)}, nil
	}
	shape, burst, err := s.Arrivals.Effective(s.Phases.Measure.D())
	if err != nil {
		return nil, err
	}
	sched := &Schedule{Open: true, Phases: s.Phases}
	if shape.Trace != nil {
		err = sched.replay(s, shape.Trace)
	} else {
		err = sched.generate(s, shape, burst)
	}
	if err != nil {
		return nil, err
	}
	if len(sched.between(s.Phases.Warmup.D(), s.Phases.Horizon().D())) == 0 {
		return nil, fmt.Errorf("arrivals: nothing arrives in the measure phase of %v (%s): raise the rate or lengthen phases.measure",
			s.Phases.Measure.D(), sched)
	}
	return sched, nil
}

// generate draws the arrivals of a shape and a burst family.
func (s *Schedule) generate(sc *Scenario, shape Shape, burst Burst) error {
	warmup, measure := sc.Phases.Warmup.D(), sc.Phases.Measure.D()
	text := shape.String()
	if shape.Curve != nil {
		steps, err := shape.Curve.steps(sc.Dir, measure, float64(sc.Arrivals.Rate))
		if err != nil {
			return fileError("arrivals.shape.curve", err)
		}
		shape = Shape{Steps: steps}
	}
	c, err := newCurve(shape, float64(sc.Arrivals.Rate), warmup, measure)
	if err != nil {
		return err
	}
	horizon := sc.Phases.Horizon().D()
	expected := c.count(seconds(horizon))
	if !(expected > 0) || expected > maxArrivals {
		return fmt.Errorf("arrivals: the shape asks for %.6g arrivals until %v: more than 0 and at most %d are possible",
			expected, horizon, maxArrivals)
	}
	// Where steps or a ramp name no base rate, it is their mean over the measure phase.
	base := float64(sc.Arrivals.Rate)
	if base == 0 {
		base = (expected - c.count(seconds(warmup))) / seconds(measure)
	}
	family, err := newGaps(burst, base)
	if err != nil {
		return err
	}
	s.curve = c
	s.text = text + ", " + burst.String()
	if sc.Arrivals.Rate > 0 {
		s.text = fmt.Sprintf("%.4g/s, %s", float64(sc.Arrivals.Rate), s.text)
	}
	if sp := shape.Spike; sp != nil {
		from := warmup + sp.At.D()
		s.windows = []Window{{Name: "spike", From: from, To: from + sp.For.D()}}
	}
	s.Times, err = draw(c, family, stat.Keyed(sc.Seed, "arrivals", 0), expected, horizon)
	return err
}

// draw sums gaps and pushes them through the inverse of the curve, until the horizon.
func draw(c *curve, family gaps, r *stat.Rand, expected float64, horizon time.Duration) ([]time.Duration, error) {
	times := make([]time.Duration, 0, int(expected+4*math.Sqrt(expected))+16)
	var last time.Duration
	for sum := family.first(r); sum < expected; sum += family.next(r) {
		// Rounding must not turn the order around, nor push an arrival onto the horizon.
		at := max(nanoseconds(c.when(sum)), last)
		if at >= horizon {
			break
		}
		if len(times) == 2*maxArrivals {
			return nil, fmt.Errorf("arrivals: this seed draws more than %d arrivals where %.6g are expected: shorten the on and off periods", len(times), expected)
		}
		times = append(times, at)
		last = at
	}
	return times, nil
}

// seconds and nanoseconds convert with one rounding and without fusing, the same everywhere.
func seconds(d time.Duration) float64 { return float64(d) / 1e9 }

func nanoseconds(s float64) time.Duration {
	return time.Duration(math.Floor(float64(s*1e9) + 0.5))
}

// String says in words what the schedule is: "5/s, constant rate, gamma gaps of CV 2".
func (s *Schedule) String() string { return s.text }

// Windows names the spans of the block's time line to be marked: the spike. It may be empty.
func (s *Schedule) Windows() []Window { return append([]Window(nil), s.windows...) }

// Rate is the rate at a time of the block, in requests per second: the shape itself, or for a trace the arrivals in
// the whole second around t; of a mix the sum over its classes. It is 0 outside of [0, horizon) and for a closed loop.
func (s *Schedule) Rate(t time.Duration) float64 {
	horizon := s.Phases.Horizon().D()
	switch {
	case t < 0 || t >= horizon || !s.Open:
		return 0
	case s.Mix != nil:
		return s.Mix.rate(t)
	case s.curve != nil && s.share > 0:
		return s.share * s.curve.rate(seconds(t))
	case s.curve != nil:
		return s.curve.rate(seconds(t))
	}
	from := t.Truncate(time.Second)
	to := min(from+time.Second, horizon)
	return float64(len(s.between(from, to))) / seconds(to-from)
}

// between returns the arrivals in [from, to).
func (s *Schedule) between(from, to time.Duration) []time.Duration {
	at := func(t time.Duration) int {
		return sort.Search(len(s.Times), func(i int) bool { return s.Times[i] >= t })
	}
	return s.Times[at(from):max(at(from), at(to))]
}

// Shard returns the indices of Times that part i of n fires, ascending: those k with k mod n = i. The parts of every n
// are disjoint and together the whole schedule. It is an error unless 0 <= i < n.
func (s *Schedule) Shard(i, n int) ([]int, error) {
	if i < 0 || i >= n {
		return nil, fmt.Errorf("shard %d of %d: shards are numbered from 0 to n-1", i, n)
	}
	indices := make([]int, 0, len(s.Times)/n+1)
	for k := i; k < len(s.Times); k += n {
		indices = append(indices, k)
	}
	return indices, nil
}

// SHA256 identifies the schedule, in hex: the digest of the arrival times as signed 64-bit nanoseconds, least
// significant byte first, in order; of a mix the class of each arrival and the names of the classes follow. It is empty for a
// closed loop, which has no schedule.
func (s *Schedule) SHA256() string {
	if !s.Open {
		return ""
	}
	h := sha256.New()
	buf := make([]byte, 0, 8<<10)
	for i, t := range s.Times {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(t))
		if len(buf) == cap(buf) || i == len(s.Times)-1 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	if s.Mix != nil {
		s.Mix.hash(h)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ScheduleStats describes arrivals as they fell, not as they were asked for.
type ScheduleStats struct {
	Arrivals int
	Rate     float64 // arrivals per second over the span
	// CV is the coefficient of variation of the gaps between arrivals. Nil with fewer than three arrivals.
	CV *float64
	// Dispersions are at bins of 1, 10 and 60 seconds. A changing rate shows in them as well as burstiness does.
	Dispersions []stat.Dispersion
}

// Stats describes the whole schedule.
func (s *Schedule) Stats() ScheduleStats { return s.StatsBetween(0, s.Phases.Horizon().D()) }

// StatsBetween describes the arrivals in [from, to) of the block's time line.
func (s *Schedule) StatsBetween(from, to time.Duration) ScheduleStats {
	times := s.between(from, to)
	st := ScheduleStats{Arrivals: len(times)}
	if to > from {
		st.Rate = float64(len(times)) / seconds(to-from)
	}
	if cv, ok := stat.GapCV(times); ok {
		st.CV = &cv
	}
	for _, width := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		st.Dispersions = append(st.Dispersions, stat.Disperse(times, from, to, width))
	}
	return st
}
