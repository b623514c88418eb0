package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Level is one rung of the ladder: streams that all start at once, and the mean time between the events of each.
type Level struct {
	Streams int           `json:"streams"`
	Gap     time.Duration `json:"gap_ns"`
}

// Rate is the events per second that the level asks for.
func (l Level) Rate() float64 { return float64(l.Streams) * float64(time.Second) / float64(l.Gap) }

// The script of every level: the first token after ttft, then events for span, each gap varied by a tenth.
const (
	ttft   = 50 * time.Millisecond
	jitter = 0.1
)

// A level starts all its streams at once, and again that often: each start is a burst, and a p99 of TTFT needs many.
const rounds = 5

// climb drives one level against a fresh server and measures what the client cost and was off by.
func climb(ctx context.Context, l Level, span time.Duration, spawn Spawn) (*Rung, error) {
	events := max(2, int(span/rounds/l.Gap))
	server, err := spawn(ctx)
	if err != nil {
		return nil, err
	}
	d := &drive{level: l, events: events, seen: make([]scripted.Served, l.Streams*rounds)}
	for i := range d.seen {
		d.seen[i].Writes = make([]int64, 0, events)
	}
	rung, derr := d.run(ctx, server.URL)
	truth, serr := server.Finish()
	if err := errors.Join(derr, serr); err != nil {
		return nil, fmt.Errorf("%d streams x %.0f events/s: %w", l.Streams, float64(time.Second)/float64(l.Gap), err)
	}
	e, err := scripted.Judge(truth, d.seen)
	if err != nil {
		return nil, err
	}
	rung.judge(e, truth)
	return rung, nil
}

// drive is one level under way, through the whole of a run: the runner, the endpoint, the recorder and a record on disk.
type drive struct {
	level  Level
	events int
	epoch  time.Time
	seen   []scripted.Served
}

func (d *drive) run(ctx context.Context, url string) (*Rung, error) {
	dir, err := os.MkdirTemp("", "infbench-selftest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	round := d.round()
	phases := workload.Phases{Measure: workload.Duration(rounds * round), Drain: workload.Duration(time.Minute)}
	times := make([]time.Duration, len(d.seen))
	for i := range times {
		times[i] = time.Duration(i/d.level.Streams) * round
	}
	w, err := measure.Create(filepath.Join(dir, "run"), &measure.Manifest{Started: time.Now(), Scenario: &workload.Scenario{Name: "selftest", Phases: phases}})
	if err != nil {
		return nil, err
	}
	d.epoch = time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url, Model: "scripted"}, Epoch: d.epoch})
	if err != nil {
		return nil, errors.Join(err, w.Close(measure.Failed, err.Error(), time.Now()))
	}
	defer e.Close()
	tap := &Tap{Endpoint: e, Epoch: d.epoch, Seen: d.seen}
	rest := measure.Resident()
	before := allocations()
	peak := watchResident()
	err = (&measure.Runner{Writer: w}).Run(ctx, measure.Block{Approach: "selftest", Endpoint: tap, Epoch: d.epoch, Phases: phases,
		Times: times, Request: d.request})
	grown := peak() - rest
	allocated := allocations() - before
	if err = errors.Join(err, w.Close(measure.Complete, "", time.Now()), tap.Err()); err != nil {
		return nil, err
	}
	rec, err := measure.Open(filepath.Join(dir, "run"))
	if err != nil {
		return nil, err
	}
	return newRung(d.level, rec, d.events, allocated, grown)
}

// round is how long the streams of one burst take, and a little more, so that the next finds their connections idle.
func (d *drive) round() time.Duration {
	return ttft + time.Duration(d.events)*d.level.Gap + 150*time.Millisecond
}

func (d *drive) request(i int) workload.Request {
	s := scripted.Script{Index: i, TTFT: ttft, Gap: d.level.Gap, Events: d.events, Jitter: jitter}
	return workload.Request{Index: i, Messages: []workload.Message{{Role: "user", Content: s.Prompt()}}, MaxTokens: d.events}
}

// allocations is the number of objects that the process has allocated.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// watchResident looks at the memory of the process every 50 ms until the function it returns is called, which gives the
// most that it had, in bytes.
func watchResident() (stop func() int64) {
	over, most := make(chan struct{}), make(chan int64, 1)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		peak := int64(0)
		for {
			peak = max(peak, measure.Resident())
			select {
			case <-tick.C:
			case <-over:
				most <- peak
				return
			}
		}
	}()
	return func() int64 {
		close(over)
		return <-most
	}
}

// Spawn starts a scripted server in a process of its own.
type Spawn func(ctx context.Context) (*scripted.Process, error)

// SpawnProgram makes Spawn of a program that runs scripted.Serve.
func SpawnProgram(stderr io.Writer, program string, args ...string) Spawn {
	return func(ctx context.Context) (*scripted.Process, error) {
		return scripted.Spawn(ctx, stderr, program, args...)
	}
}
