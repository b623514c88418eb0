package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/measure"
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

// script is that of every stream: the first token soon, each gap varied by a tenth.
func (l Level) script() scripted.Script {
	events := max(2, int(l.Span/time.Duration(l.rounds())/l.Gap))
	return scripted.Script{TTFT: 50 * time.Millisecond, Gap: l.Gap, Events: events, Jitter: 0.1}
}

// total is the number of events with text that the level has in all.
func (l Level) total() int { return l.Streams * l.rounds() * l.script().Events }

// Rate is the events per second that the level asks for, from the first event of a round to its last.
func (l Level) Rate() float64 {
	round := time.Duration(l.script().Events)*l.Gap + l.Over
	return float64(l.Streams*l.script().Events) / round.Seconds()
}

func (l Level) String() string {
	return fmt.Sprintf("%d streams x %.3g events/s", l.Streams, float64(time.Second)/float64(l.Gap))
}

// times are when the streams start.
func (l Level) times() []time.Duration {
	times := make([]time.Duration, l.Streams*l.rounds())
	round := lasts(l.script()) + 150*time.Millisecond // a little more, so that the next finds its connections idle
	for i := range times {
		times[i] = time.Duration(i/l.Streams)*round + l.Over*time.Duration(i%l.Streams)/time.Duration(l.Streams)
	}
	return times
}

// climb drives one level against a fresh server and measures what the client cost and was off by.
func climb(ctx context.Context, l Level, spawn Spawn) (*Rung, error) {
	words, free, err := room(l.total())
	if err != nil {
		return nil, err
	}
	defer free()
	b := &block{times: l.times(), script: l.script(), seen: make([]scripted.Served, l.Streams*l.rounds())}
	n := b.script.Events
	for i := range b.seen {
		b.seen[i].Writes = words[i*n : i*n : (i+1)*n]
	}
	var rung *Rung
	truth, err := serve(ctx, spawn, func(url string) error {
		return b.run(ctx, url, func(rec *measure.Record, cost spent) (err error) {
			rung, err = newRung(l, rec, cost)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	e, err := scripted.Judge(truth, b.seen)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	rung.judge(e, truth)
	return rung, nil
}

// serve is the life of a server, which f uses, and its log.
func serve(ctx context.Context, spawn Spawn, f func(url string) error) ([]scripted.Served, error) {
	s, err := spawn(ctx)
	if err != nil {
		return nil, err
	}
	ferr := f(s.URL)
	log, err := s.Finish()
	return log, errors.Join(ferr, err)
}

// Spawn starts a scripted server in a process of its own.
type Spawn func(ctx context.Context) (*scripted.Process, error)

// SpawnProgram makes Spawn of a program that runs scripted.Serve.
func SpawnProgram(stderr io.Writer, program string, args ...string) Spawn {
	return func(ctx context.Context) (*scripted.Process, error) {
		return scripted.Spawn(ctx, stderr, program, args...)
	}
}
