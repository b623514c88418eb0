// Package selftest measures infbench's own error: it drives a scripted server, in a process of its own, up a ladder of
// streams and event rates with the very code of a run, and compares what the client measured with when the server
// really wrote. What comes out, the noise floor of this machine, is what no difference in a report may be smaller than.
package selftest

import (
	"context"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// Schema names the form of a Report for machines.
const Schema = "infbench.selftest/v1"

// Report is what a self-test found.
type Report struct {
	Schema  string          `json:"schema"`
	When    time.Time       `json:"when"`
	Tool    measure.Tool    `json:"tool"`
	Machine measure.Machine `json:"machine"`
	Rungs   []*Rung         `json:"levels"`
	// Floor is what the highest proven level shows; nil when none is proven.
	Floor *measure.NoiseFloor `json:"noise_floor,omitempty"`
	// Enough says that at least EnoughRate events per second are proven.
	Enough bool `json:"enough"`
}

// EnoughRate is the event rate that a machine must prove, 1/s: what some 400 streams of 50 tokens per second make.
const EnoughRate = 20_000

// Ladder is every level at these numbers of streams; without any, from 50 to 2,000.
func Ladder(level Level, streams ...int) []Level {
	if len(streams) == 0 {
		streams = []int{50, 100, 200, 500, 1000, 2000}
	}
	var l []Level
	for _, n := range streams {
		level.Streams = n
		l = append(l, level)
	}
	return l
}

// Run climbs the levels and tells of each as it is done. A level that the server itself cannot keep
// up with is the last.
func Run(ctx context.Context, levels []Level, spawn Spawn, tell func(*Rung)) (*Report, error) {
	r := &Report{Schema: Schema, When: time.Now().UTC().Truncate(time.Second), Tool: measure.ThisTool(), Machine: measure.ThisMachine()}
	for _, l := range levels {
		rung, err := climb(ctx, l, spawn)
		if err != nil {
			return r, err
		}
		r.Rungs = append(r.Rungs, rung)
		tell(rung)
		if !rung.held() {
			break
		}
	}
	r.conclude()
	return r, nil
}

// conclude takes the noise floor from the highest proven rung.
func (r *Report) conclude() {
	for _, rung := range r.Rungs {
		if !rung.Proven {
			continue
		}
		r.Floor = &measure.NoiseFloor{When: r.When, Tool: r.Tool, EventsPerSecond: rung.Achieved, Streams: rung.Streams,
			TTFT: rung.TTFTError.P99, Gap: rung.GapError.P99}
	}
	r.Enough = r.Floor != nil && r.Floor.EventsPerSecond >= EnoughRate
}
