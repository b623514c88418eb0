package workload

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// Replay is what became of a trace. Rows = Used + the sum of Dropped, always.
type Replay struct {
	Path    string         // as the scenario names it
	Format  string         // one of TraceFormats
	SHA256  string         // of the whole file, in hex
	Rows    int            // read, without the header
	Used    int            // replayed: each is Copies arrivals
	Copies  int            // 1 but for the option superpose
	Dropped map[string]int // rows that are not replayed, by reason: the Drop constants
	// Step is the spacing of the recorded time stamps where that is coarse and was spread by the option dequantise.
	Step time.Duration
	// BlockTokens is how many tokens a block of Arrivals stands for; 0 where the trace has no blocks.
	BlockTokens int
	// Arrivals are the used rows, parallel to the schedule's Times.
	Arrivals []Replayed
}

// Replayed is the row behind one arrival.
type Replayed struct {
	Row          int // among the rows of the file, from 0, the header not counted
	InputTokens  int // positive; 0 where the trace does not record lengths
	OutputTokens int // positive; 0 where the trace does not record lengths
	// Copy is which of the superposed copies this is, from 0: blocks of two copies share nothing.
	Copy int
	// Blocks are as in TraceRow; nil unless prompts are taken from the trace.
	Blocks []uint64
}

// replay takes the arrivals from a recorded trace. The block's time 0 is the time of the trace's first row (of a ServeGen
// trace its first window) plus the option from, whether or not a row lies there: a quiet start stays quiet.
func (s *Schedule) replay(sc *Scenario, t *Trace) error {
	plan, err := newReplayPlan(sc, t)
	if err != nil {
		return err
	}
	s.text = Shape{Trace: t}.String()
	if s.Times, s.Trace, err = plan.run(sc, t); err != nil {
		return fileError("arrivals.shape.trace", err)
	}
	return nil
}

// run reads the trace that the scenario names.
func (p *replayPlan) run(sc *Scenario, t *Trace) ([]time.Duration, *Replay, error) {
	open := func() (*TraceFile, error) { return OpenTrace(t, sc.Dir, sc.Seed) }
	if t.Window != nil || t.Dequantise {
		if err := p.survey(open, t); err != nil {
			return nil, nil, err
		}
	}
	f, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return p.read(f)
}

// replayPlan says which rows become arrivals, and when.
type replayPlan struct {
	from    time.Duration // in recorded time
	length  time.Duration // of the window, in recorded time; 0: to the end
	step    time.Duration // by which time stamps are spread; 0: they are not
	speed   float64
	thin    float64
	copies  int
	seed    uint64
	horizon time.Duration
	blocks  bool // whether to keep them
}

func newReplayPlan(sc *Scenario, t *Trace) (*replayPlan, error) {
	const path = "arrivals.shape.trace"
	p := &replayPlan{from: t.From.D(), speed: t.Speed, thin: t.Thin, copies: max(t.Superpose, 1), seed: sc.Seed,
		horizon: sc.Phases.Horizon().D(), blocks: sc.Prompts.Trace != nil}
	if p.speed == 0 {
		p.speed = 1
	}
	if p.thin == 0 {
		p.thin = 1
	}
	switch {
	case t.Path == "":
		return nil, fmt.Errorf("%s.path is missing: name the trace file", path)
	case p.from < 0:
		return nil, fmt.Errorf("%s.from is %v, want 0s or more", path, p.from)
	case t.Window != nil && p.from > 0:
		return nil, fmt.Errorf("%s.from stands beside window: keep one of them", path)
	case t.Window != nil && t.Window.Busiest <= 0:
		return nil, fmt.Errorf("%s.window.busiest is %v, want a positive time", path, t.Window.Busiest.D())
	case !(p.speed >= 1e-3 && p.speed <= 1e3):
		return nil, fmt.Errorf("%s.speed is %g, want 0.001 to 1000 (2 is twice the recorded rate)", path, p.speed)
	case !(p.thin > 0 && p.thin <= 1):
		return nil, fmt.Errorf("%s.thin is %g, want more than 0 and at most 1 (0.1 keeps one request in ten)", path, p.thin)
	case t.Superpose < 0 || t.Superpose > 1000:
		return nil, fmt.Errorf("%s.superpose is %d, want 1 to 1000 copies", path, t.Superpose)
	}
	return p, nil
}

// survey reads the trace once ahead of the replay, for what only the whole of it shows.
func (p *replayPlan) survey(open func() (*TraceFile, error), t *Trace) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	var (
		busiest busyWindow
		steps   stampSteps
		origin  time.Duration
	)
	if t.Window != nil {
		busiest.length = t.Window.Busiest.D()
		p.length = busiest.length
	}
	for n := 0; ; n++ {
		row, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if n == 0 {
			origin = f.origin(row)
		}
		steps.add(row.At)
		if row.unusable() == "" {
			busiest.add(row.At - origin)
		}
	}
	if t.Window != nil {
		p.from = busiest.from
	}
	if t.Dequantise {
		if p.step = steps.coarse(); p.step == 0 {
			return fmt.Errorf("the time stamps of %s are in no steps that dequantise could spread them over: remove it", f.name)
		}
	}
	return nil
}

// origin is the time that a replay counts from, given the first row.
func (f *TraceFile) origin(first TraceRow) time.Duration {
	if f.bounds != nil {
		return f.bounds.from
	}
	return first.At
}

// read replays a trace. It reads the file to its end, so that the digest, the counts and the check are of the whole file.
// Of a ServeGen trace, whose rows are made and not read, only those are made that the replay can need.
func (p *replayPlan) read(f *TraceFile) ([]time.Duration, *Replay, error) {
	if union, ok := f.rows.(*clientUnion); ok {
		from := f.bounds.from + p.from
		union.only(span{from, from + p.recorded(p.horizon)})
	}
	var (
		times  []time.Duration
		r      = &Replay{Path: f.name, Format: f.Format(), Copies: p.copies, Dropped: map[string]int{}, Step: p.step, BlockTokens: f.BlockTokens()}
		dice   = newThinning(p.seed, p.thin)
		jitter = spreader{step: p.step, seed: p.seed, rows: f.rows}
		origin time.Duration
		end    time.Duration // of the trace, in recorded time
	)
	for ; ; r.Rows++ {
		row, err := jitter.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if r.Rows == 0 {
			origin = f.origin(row)
		}
		end = row.At - origin
		at := p.place(end)
		if reason := p.drop(&row, end, at, dice.keep(row.Session)); reason != "" {
			r.Dropped[reason]++
			continue
		}
		if len(times) >= maxArrivals/p.copies {
			return nil, nil, fmt.Errorf("%s:%d: more than %d arrivals: shorten phases.measure, or thin the trace", f.name, row.Line, maxArrivals)
		}
		times = append(times, at)
		r.Arrivals = append(r.Arrivals, p.replayed(r.Rows, &row))
	}
	if f.bounds != nil {
		end = f.bounds.to - f.bounds.from
	}
	if p.length > 0 {
		end = min(end, p.from+p.length)
	}
	if err := p.check(f.name, r.Rows, p.place(end)); err != nil {
		return nil, nil, err
	}
	r.Used = len(times)
	var err error
	if r.SHA256, err = f.SHA256(); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", f.name, err)
	}
	return p.superpose(times, r), r, nil
}

func (p *replayPlan) check(name string, rows int, end time.Duration) error {
	if rows == 0 {
		return fmt.Errorf("%s has a header and no rows", name)
	}
	if end < p.horizon {
		return fmt.Errorf("%s lasts %v from its start at speed %g, and the phases need %v: shorten phases.measure, or change from, window or speed",
			name, max(end, 0).Round(time.Millisecond), p.speed, p.horizon)
	}
	return nil
}

func (p *replayPlan) replayed(index int, row *TraceRow) Replayed {
	a := Replayed{Row: index, InputTokens: max(row.Input, 0), OutputTokens: max(row.Output, 0)}
	if p.blocks {
		a.Blocks = slices.Clone(row.Blocks)
	}
	return a
}

// place puts a recorded time, counted from the trace's start, on the block's time line. What lies before it is negative.
func (p *replayPlan) place(recorded time.Duration) time.Duration {
	return rounded(float64(recorded-p.from) / p.speed)
}

// recorded is how much of the trace a stretch of the block takes, and a little more against rounding.
func (p *replayPlan) recorded(d time.Duration) time.Duration {
	return rounded(float64(float64(d)*p.speed)) + time.Second
}

// rounded converts nanoseconds, in the bounds of what is safe to add.
func rounded(ns float64) time.Duration {
	const limit = 1 << 60 // 36 years: outside of any horizon
	return time.Duration(math.Floor(min(max(ns, -limit), limit) + 0.5))
}

// drop says why a row is not replayed, or nothing if it is. A row counts for the first reason that holds.
func (p *replayPlan) drop(row *TraceRow, recorded, at time.Duration, keep bool) string {
	if p.length > 0 && (recorded < p.from || recorded-p.from >= p.length) {
		return DropWindow
	}
	switch reason := row.unusable(); {
	case at < 0:
		return DropBefore
	case at >= p.horizon:
		return DropAfter
	case reason != "":
		return reason
	case !keep:
		return DropThinned
	}
	return ""
}

// thinning decides which rows stay: sessions go whole. Rows without one are drawn one by one, in order, so that which of
// them stay depends on nothing else.
type thinning struct {
	seed      uint64
	keepShare float64
	rows      *stat.Rand
}

func newThinning(seed uint64, share float64) *thinning {
	return &thinning{seed: seed, keepShare: share, rows: stat.Keyed(seed, "trace thin", 0)}
}

func (t *thinning) keep(session string) bool {
	if session == "" {
		return t.rows.Float64() < t.keepShare
	}
	return t.keepShare == 1 || stat.Keyed(t.seed, "trace thin session "+session, 0).Float64() < t.keepShare
}
