//go:build unix

package main

import (
	"flag"
	"strconv"
	"time"

	"github.com/infbench/infbench/internal/scripted"
)

// load is what every client drives: streams that start at once.
type load struct {
	streams int
	ttft    time.Duration
	gap     time.Duration
	events  int
	jitter  float64
	first   int // index of the first stream, so that every turn's log is told apart
	storm   int // connections more, all at one instant in the middle
}

func (l *load) register(fs *flag.FlagSet) {
	fs.IntVar(&l.streams, "streams", 500, "streams, started at once")
	fs.DurationVar(&l.ttft, "ttft", 50*time.Millisecond, "time to the first token")
	fs.DurationVar(&l.gap, "gap", 20*time.Millisecond, "mean time between events of a stream")
	fs.IntVar(&l.events, "events", 250, "events of a stream")
	fs.Float64Var(&l.jitter, "jitter", 0.1, "share by which each gap varies")
	fs.IntVar(&l.storm, "storm", 0, "open this many connections more at one instant, in the middle, and judge the established streams before and then")
	fs.IntVar(&l.first, "first", 0, "index of the first stream")
}

// script is that of stream i. The streams of the storm, which follow the others, have one event.
func (l *load) script(i int) scripted.Script {
	if i >= l.streams {
		return scripted.Script{Index: l.first + i, TTFT: l.ttft, Events: 1}
	}
	return scripted.Script{Index: l.first + i, TTFT: l.ttft, Gap: l.gap, Events: l.events, Jitter: l.jitter}
}

// stormAt is when the storm begins.
func (l *load) stormAt() time.Duration { return l.span() / 2 }

// span is how long the streams take.
func (l *load) span() time.Duration { return l.ttft + time.Duration(l.events)*l.gap }

// times are when the streams start.
func (l *load) times() []time.Duration {
	times := make([]time.Duration, l.streams+l.storm)
	for i := l.streams; i < len(times); i++ {
		times[i] = l.stormAt()
	}
	return times
}

// args are the arguments of a client written in C.
func (l *load) args() []string {
	us := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	return []string{strconv.Itoa(l.streams), us(l.ttft), us(l.gap), strconv.Itoa(l.events), strconv.Itoa(int(l.jitter * 100))}
}

// flags are the arguments of a client that is this program.
func (l *load) flags() []string {
	return []string{"-streams", strconv.Itoa(l.streams), "-ttft", l.ttft.String(), "-gap", l.gap.String(),
		"-events", strconv.Itoa(l.events), "-storm", strconv.Itoa(l.storm), "-jitter", strconv.FormatFloat(l.jitter, 'g', -1, 64), "-first", strconv.Itoa(l.first)}
}
