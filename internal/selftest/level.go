package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Level is one rung of the ladder: streams, the mean time between the events of each, and when they start.
type Level struct {
	Streams int           `json:"streams"`
	Gap     time.Duration `json:"gap_ns"`
	// Over is the time over which the streams start, evenly. 0 starts all of them at one instant, and again in several
	// rounds: each start is a burst, and a p99 of TTFT needs many.
	Over time.Duration `json:"over_ns,omitempty"`
	// Span is how long the streams last: in one go, or the rounds together.
	Span time.Duration `json:"span_ns"`
}

// bursts is how often a level starts all its streams at one instant.
const bursts = 5

// rounds is how often the streams start.
func (l Level) rounds() int {
	if l.Over > 0 {
		return 1
	}
	return bursts
}

// events is how many events with text each stream has.
func (l Level) events() int { return max(2, int(l.Span/time.Duration(l.rounds())/l.Gap)) }

// lasts is how long one stream is open.
func (l Level) lasts() time.Duration { return ttft + time.Duration(l.events())*l.Gap }

// Rate is the events per second that the level asks for, from the first event of a round to its last.
func (l Level) Rate() float64 {
	span := time.Duration(l.events())*l.Gap + l.Over
	return float64(l.Streams*l.events()) / span.Seconds()
}

func (l Level) String() string {
	return fmt.Sprintf("%d streams x %.3g events/s", l.Streams, float64(time.Second)/float64(l.Gap))
}

// The script of every level: the first token after ttft, each gap varied by a tenth.
const (
	ttft   = 50 * time.Millisecond
	jitter = 0.1
)

// climb drives one level against a fresh server and measures what the client cost and was off by.
func climb(ctx context.Context, l Level, spawn Spawn) (*Rung, error) {
	server, err := spawn(ctx)
	if err != nil {
		return nil, err
	}
	d := &drive{level: l, seen: roomFor(l.Streams*l.rounds(), l.events())}
	rung, derr := d.run(ctx, server.URL)
	truth, serr := server.Finish()
	if err := errors.Join(derr, serr); err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	e, err := scripted.Judge(truth, d.seen)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	rung.judge(e, truth)
	return rung, nil
}

// roomFor is room for what a tap sees: memory that is touched already, so that filling it is none of the client's growth.
func roomFor(streams, events int) []scripted.Served {
	seen := make([]scripted.Served, streams)
	room := slices.Repeat([]int64{1}, streams*events)
	for i := range seen {
		seen[i].Writes = room[i*events : i*events : (i+1)*events]
	}
	return seen
}

// drive is one level under way, through the whole of a run: the runner, the endpoint, the recorder and a record on disk.
type drive struct {
	level Level
	seen  []scripted.Served
}

func (d *drive) run(ctx context.Context, url string) (*Rung, error) {
	dir, err := os.MkdirTemp("", "infbench-selftest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	times := d.times()
	phases := workload.Phases{Measure: workload.Duration(times[len(times)-1] + d.level.lasts()), Drain: workload.Duration(time.Minute)}
	w, err := measure.Create(filepath.Join(dir, "run"), &measure.Manifest{Started: time.Now(), Scenario: &workload.Scenario{Name: "selftest", Phases: phases}})
	if err != nil {
		return nil, err
	}
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url, Model: "scripted"}, Epoch: epoch})
	if err != nil {
		return nil, errors.Join(err, w.Close(measure.Failed, err.Error(), time.Now()))
	}
	defer e.Close()
	tap := &Tap{Endpoint: e, Epoch: epoch, Seen: d.seen}
	before := allocations()
	peak := watchMemory()
	err = (&measure.Runner{Writer: w}).Run(ctx, measure.Block{Approach: "selftest", Endpoint: tap, Epoch: epoch, Phases: phases,
		Times: times, Request: d.request})
	grown := peak()
	allocated := allocations() - before
	if err = errors.Join(err, w.Close(measure.Complete, "", time.Now()), tap.Err()); err != nil {
		return nil, err
	}
	rec, err := measure.Open(filepath.Join(dir, "run"))
	if err != nil {
		return nil, err
	}
	return newRung(d.level, rec, allocated, grown)
}

// times are when the streams start.
func (d *drive) times() []time.Duration {
	times := make([]time.Duration, len(d.seen))
	round := d.level.lasts() + 150*time.Millisecond // a little more, so that the next finds its connections idle
	for i := range times {
		n := d.level.Streams
		times[i] = time.Duration(i/n)*round + d.level.Over*time.Duration(i%n)/time.Duration(n)
	}
	return times
}

func (d *drive) request(i int) workload.Request {
	s := scripted.Script{Index: i, TTFT: ttft, Gap: d.level.Gap, Events: d.level.events(), Jitter: jitter}
	return workload.Request{Index: i, Messages: []workload.Message{{Role: "user", Content: s.Prompt()}}, MaxTokens: s.Events}
}

// allocations is the number of objects that the process has allocated.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// Spawn starts a scripted server in a process of its own.
type Spawn func(ctx context.Context) (*scripted.Process, error)

// SpawnProgram makes Spawn of a program that runs scripted.Serve.
func SpawnProgram(stderr io.Writer, program string, args ...string) Spawn {
	return func(ctx context.Context) (*scripted.Process, error) {
		return scripted.Spawn(ctx, stderr, program, args...)
	}
}
