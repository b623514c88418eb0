package workload

import "github.com/infbench/infbench/internal/stat"

// Rounds is how many rounds of blocks a run has: in each, every approach is driven through the same schedule once. At
// least 1.
func (s *Scenario) Rounds() int { return max(s.Blocks, 1) }

// Round is the scenario of one round, from 0. Each round has arrivals and prompts of its own, by a seed that belongs to the
// scenario's and the round, so that rounds are independent samples of one kind of traffic; the first has the scenario's
// own.
func (s *Scenario) Round(i int) *Scenario {
	one := *s
	if i > 0 {
		one.Seed = max(stat.Keyed(s.Seed, "round", uint64(i)).Uint64()>>11, 1) // as many bits as any reader of JSON keeps
	}
	return &one
}

// Order is in which order round i takes the approaches, as indices of Approaches: drawn anew for each round, so that what
// drifts over a run is no approach's advantage. A run of a single round takes them as the scenario has them.
func (s *Scenario) Order(i int) []int {
	n := len(s.Approaches)
	if s.Rounds() > 1 {
		return stat.Keyed(s.Seed, "round order", uint64(i)).Perm(n)
	}
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	return order
}
