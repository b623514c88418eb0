package simulate

import (
	"math"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// params is a resolved simulation in the units of the model.
type params struct {
	workload.Simulation
	seed uint64
	half time.Duration // half of the network's round trip
}

func newParams(sim workload.Simulation, seed uint64) params {
	return params{Simulation: sim, seed: seed, half: sim.Network.D() / 2}
}

// compute is a compute time at the simulation's speed, to the nanosecond.
func (p *params) compute(d workload.Duration) time.Duration {
	if p.Speed == 1 {
		return d.D()
	}
	return time.Duration(math.Round(float64(d) / p.Speed))
}

// prefill is the time to compute this many prompt tokens.
func (p *params) prefill(uncached int) time.Duration {
	return p.compute(p.Overhead + workload.Duration(uncached)*p.PrefillPerToken)
}

// step is the time of one decode step.
func (p *params) step(batch int) time.Duration {
	return p.compute(p.DecodeStep + workload.Duration(batch-1)*p.DecodePerSequence)
}

// tokensAfter is how many tokens a sequence has after its j-th decode step; the prefill made the first.
func (p *params) tokensAfter(steps int) int {
	return 1 + int(float64(steps)*p.TokensPerStep)
}
