package simulate

import (
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// stallClock maps real time to machine time, which stands still during stalls. Both count from the server's start.
// The model computes in machine time, so that a stall delays all that is under way by exactly its length.
type stallClock struct {
	stalls []stall // in order, not overlapping
}

// stall is [start, start+length) in real time; machine is its one instant in machine time.
type stall struct{ start, length, machine time.Duration }

// newStallClock takes the stall faults, whose At counts from zero.
func newStallClock(faults []workload.Fault, zero time.Duration) stallClock {
	var c stallClock
	for _, f := range faults {
		if f.Kind == faultStall && f.For > 0 {
			c.stalls = append(c.stalls, stall{start: zero + f.At.D(), length: f.For.D()})
		}
	}
	slices.SortFunc(c.stalls, func(a, b stall) int { return int(a.start - b.start) })
	merged := c.stalls[:0]
	var lost time.Duration
	for _, s := range c.stalls {
		if n := len(merged); n > 0 && s.start <= merged[n-1].start+merged[n-1].length {
			last := &merged[n-1]
			grown := max(last.length, s.start+s.length-last.start)
			lost += grown - last.length
			last.length = grown
			continue
		}
		s.machine = s.start - lost
		lost += s.length
		merged = append(merged, s)
	}
	c.stalls = merged
	return c
}

// machine is the machine time at a real time.
func (c *stallClock) machine(real time.Duration) time.Duration {
	m := real
	for _, s := range c.stalls {
		if real < s.start {
			break
		}
		m -= min(s.length, real-s.start)
	}
	return m
}

// real is when the machine reaches a machine time. What falls on the instant of a stall happens at its end.
func (c *stallClock) real(machine time.Duration) time.Duration {
	r := machine
	for _, s := range c.stalls {
		if machine < s.machine {
			break
		}
		r += s.length
	}
	return r
}
