package simulate

import (
	"maps"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

const (
	us = workload.Duration(time.Microsecond)
	ms = workload.Duration(time.Millisecond)
)

// profiles are stylised, not measured: docs/simulate.md says for each figure what it stands for and why it is
// plausible.
var profiles = map[string]workload.Simulation{
	// A large model behind a provider's API: far away, slow to the first token, and never short of slots.
	"hosted-large": {
		Network: 80 * ms, Slots: 512,
		Overhead: 200 * ms, PrefillPerToken: 350 * us,
		DecodeStep: 16 * ms, DecodePerSequence: 15 * us,
		Background: &workload.Background{Rate: 60, Input: 400, Output: 120},
	},
	// A small model behind the same kind of API.
	"hosted-small": {
		Network: 60 * ms, Slots: 512,
		Overhead: 70 * ms, PrefillPerToken: 100 * us,
		DecodeStep: 7 * ms, DecodePerSequence: 8 * us,
		Background: &workload.Background{Rate: 100, Input: 400, Output: 120},
	},
	// An 8B-class model on one data-centre GPU in the same region, under vLLM.
	"self-hosted": {
		Network: 2 * ms, Slots: 48,
		Overhead: 15 * ms, PrefillPerToken: 100 * us,
		DecodeStep: 8 * ms, DecodePerSequence: 80 * us,
		PrefixCacheTokens: 200_000,
		Report:            reportVLLM,
	},
	// A small quantised model on a workstation on the premises, under llama.cpp.
	"edge": {
		Network: 1 * ms, Slots: 32,
		Overhead: 8 * ms, PrefillPerToken: 150 * us,
		DecodeStep: 10 * ms, DecodePerSequence: 80 * us,
		Report: reportLlamaCPP,
	},
}

// Profile is the named profile's parameters, and whether there is one of this name.
func Profile(name string) (workload.Simulation, bool) {
	sim, ok := profiles[name]
	if !ok {
		return workload.Simulation{}, false
	}
	sim.Profile = name
	if sim.Background != nil {
		b := *sim.Background
		sim.Background = &b
	}
	return sim, true
}

// Profiles are the names of all profiles, sorted.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles)) }
