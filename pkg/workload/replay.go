package workload

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// Replay is what became of a trace. Rows = Used + the sum of Dropped, always.
type Replay struct {
	Path    string         // as the scenario names it
	SHA256  string         // of the whole file, in hex
	Rows    int            // read, without the header
	Used    int            // replayed: the arrivals of the schedule
	Dropped map[string]int // rows that are not replayed, by reason: the Drop constants
	// Arrivals are the used rows, parallel to the schedule's Times.
	Arrivals []Replayed
}

// Replayed is the row behind one arrival.
type Replayed struct {
	Row          int // among the rows of the file, from 0, the header not counted
	InputTokens  int // positive
	OutputTokens int // positive
}

// replay takes the arrivals from a recorded trace. The block's time 0 is the time of the trace's first row plus the
// option from, whether or not a row lies there: a quiet start stays quiet.
func (s *Schedule) replay(sc *Scenario, t *Trace) error {
	plan, err := newReplayPlan(sc, t)
	if err != nil {
		return err
	}
	path := t.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(sc.Dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("arrivals.shape.trace.path: %w", err)
	}
	defer f.Close()
	s.text = Shape{Trace: t}.String()
	if s.Times, s.Trace, err = plan.read(f, t.Path); err != nil {
		return fmt.Errorf("arrivals.shape.trace: %w", err)
	}
	return nil
}

// replayPlan says which rows become arrivals, and when.
type replayPlan struct {
	from    time.Duration // in recorded time
	speed   float64
	thin    float64
	seed    uint64
	horizon time.Duration
}

func newReplayPlan(sc *Scenario, t *Trace) (*replayPlan, error) {
	const path = "arrivals.shape.trace"
	p := &replayPlan{from: t.From.D(), speed: t.Speed, thin: t.Thin, seed: sc.Seed, horizon: sc.Phases.Horizon().D()}
	if p.speed == 0 {
		p.speed = 1
	}
	if p.thin == 0 {
		p.thin = 1
	}
	switch {
	case t.Path == "":
		return nil, fmt.Errorf("%s.path is missing: name the trace file", path)
	case t.Format != "" && t.Format != "azure":
		return nil, fmt.Errorf("%s.format is %q: the formats are azure", path, t.Format)
	case p.from < 0:
		return nil, fmt.Errorf("%s.from is %v, want 0s or more", path, p.from)
	case !(p.speed >= 1e-3 && p.speed <= 1e3):
		return nil, fmt.Errorf("%s.speed is %g, want 0.001 to 1000 (2 is twice the recorded rate)", path, p.speed)
	case !(p.thin > 0 && p.thin <= 1):
		return nil, fmt.Errorf("%s.thin is %g, want more than 0 and at most 1 (0.1 keeps one request in ten)", path, p.thin)
	}
	return p, nil
}

// read replays an azure trace. It reads the file to its end, so that the digest, the counts and the check are of the
// whole file.
func (p *replayPlan) read(f io.Reader, name string) ([]time.Duration, *Replay, error) {
	file := hashing(f)
	rows, err := newAzureReader(bufio.NewReaderSize(file, 64<<10), name)
	if err != nil {
		return nil, nil, err
	}
	var (
		times  []time.Duration
		r      = &Replay{Path: name, Dropped: map[string]int{}}
		dice   = stat.Keyed(p.seed, "trace thin", 0) // one draw per row: which rows stay does not depend on the rest
		origin time.Time
		end    time.Duration // of the trace, on the block's time line
	)
	for ; ; r.Rows++ {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if r.Rows == 0 {
			origin = row.at
		}
		at := p.place(row.at.Sub(origin))
		end = at
		if reason := p.drop(row, at, dice.Float64()); reason != "" {
			r.Dropped[reason]++
			continue
		}
		if len(times) == maxArrivals {
			return nil, nil, fmt.Errorf("%s:%d: more than %d arrivals: shorten phases.measure, or thin the trace", name, row.line, maxArrivals)
		}
		times = append(times, at)
		r.Arrivals = append(r.Arrivals, Replayed{Row: r.Rows, InputTokens: row.input, OutputTokens: row.output})
	}
	r.Used, r.SHA256 = len(times), file.sum()
	if r.Rows == 0 {
		return nil, nil, fmt.Errorf("%s has a header and no rows", name)
	}
	if end < p.horizon {
		return nil, nil, fmt.Errorf("%s lasts %v from its start at speed %g, and the phases need %v: shorten phases.measure, or change from or speed",
			name, max(end, 0).Round(time.Millisecond), p.speed, p.horizon)
	}
	return times, r, nil
}

// place puts a recorded time, counted from the first row, on the block's time line. What lies before it is negative.
func (p *replayPlan) place(recorded time.Duration) time.Duration {
	at := float64(recorded-p.from) / p.speed
	const limit = 1 << 62 // 146 years: far outside of any horizon, and safe to convert
	return time.Duration(math.Floor(min(max(at, -limit), limit) + 0.5))
}

// drop says why a row is not replayed, or nothing if it is. A row counts for the first reason that holds.
func (p *replayPlan) drop(row traceRow, at time.Duration, dice float64) string {
	switch {
	case at < 0:
		return DropBefore
	case at >= p.horizon:
		return DropAfter
	case row.input == 0:
		return DropNoInput
	case row.output == 0:
		return DropNoOutput
	case dice >= p.thin:
		return DropThinned
	}
	return ""
}
