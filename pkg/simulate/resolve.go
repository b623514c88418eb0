package simulate

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// The laws of a service time.
const (
	lawFixed       = "fixed"
	lawExponential = "exponential"
)

// What an answer may say of the server's own times.
const (
	reportNone     = "none"
	reportVLLM     = "vllm"
	reportLlamaCPP = "llama.cpp"
)

// Resolve fills what a simulation leaves open: from its profile where it names one, else with the defaults (one slot,
// one token per step and per word, speed 1, no report). A field that is set wins over the profile's; a field cannot be set back to
// zero over a profile. An error names the field.
func Resolve(sim workload.Simulation) (workload.Simulation, error) {
	if sim.Profile != "" {
		base, ok := Profile(sim.Profile)
		if !ok {
			return sim, fmt.Errorf("simulate: profile %q is not known: there are %s", sim.Profile, strings.Join(Profiles(), ", "))
		}
		sim = override(base, sim)
	}
	if sim.Slots == 0 {
		sim.Slots = 1
	}
	if sim.TokensPerStep == 0 {
		sim.TokensPerStep = 1
	}
	if sim.TokensPerWord == 0 {
		sim.TokensPerWord = 1
	}
	if sim.Speed == 0 {
		sim.Speed = 1
	}
	if sim.Report == "" {
		sim.Report = reportNone
	}
	return sim, check(&sim)
}

// override lays the fields that are set over base.
func override(base, over workload.Simulation) workload.Simulation {
	dst, src := reflect.ValueOf(&base).Elem(), reflect.ValueOf(over)
	for i := range src.NumField() {
		if f := src.Field(i); !f.IsZero() {
			dst.Field(i).Set(f)
		}
	}
	return base
}

func check(sim *workload.Simulation) error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"network", float64(sim.Network)}, {"slots", float64(sim.Slots)}, {"queue_limit", float64(sim.QueueLimit)},
		{"overhead", float64(sim.Overhead)}, {"prefill_per_token", float64(sim.PrefillPerToken)}, {"prefill_noise", sim.PrefillNoise},
		{"decode_step", float64(sim.DecodeStep)}, {"decode_per_sequence", float64(sim.DecodePerSequence)},
		{"prefix_cache_tokens", float64(sim.PrefixCacheTokens)}, {"template_tokens", float64(sim.TemplateTokens)}, {"rate_limit", float64(sim.RateLimit)},
	} {
		if f.value < 0 || math.IsNaN(f.value) || math.IsInf(f.value, 0) {
			return fmt.Errorf("simulate: %s is %v: it cannot be negative", f.name, f.value)
		}
	}
	if !(sim.TokensPerStep >= 1) || math.IsInf(sim.TokensPerStep, 0) {
		return fmt.Errorf("simulate: tokens_per_step is %v: a step yields at least one token", sim.TokensPerStep)
	}
	if !(sim.TokensPerWord > 0) || math.IsInf(sim.TokensPerWord, 0) {
		return fmt.Errorf("simulate: tokens_per_word is %v: it must be positive", sim.TokensPerWord)
	}
	if !(sim.Speed > 0) || math.IsInf(sim.Speed, 0) {
		return fmt.Errorf("simulate: speed is %v: it must be positive", sim.Speed)
	}
	if !slices.Contains([]string{reportNone, reportVLLM, reportLlamaCPP}, sim.Report) {
		return fmt.Errorf("simulate: report %q is not known: there are none, vllm and llama.cpp", sim.Report)
	}
	if s := sim.Service; s != nil && (s.Mean <= 0 || s.Law != lawFixed && s.Law != lawExponential) {
		return fmt.Errorf("simulate: service has law %q and mean %s: it needs fixed or exponential, and a positive mean", s.Law, s.Mean.D())
	}
	if b := sim.Background; b != nil && (!(b.Rate > 0) || math.IsInf(float64(b.Rate), 0) || b.Input < 0 || b.Output < 1) {
		return fmt.Errorf("simulate: background has rate %v/s, input %d and output %d: it needs a positive rate and at least one output token", b.Rate, b.Input, b.Output)
	}
	return checkFaults(sim.Faults)
}

func checkFaults(faults []workload.Fault) error {
	total := 0.0
	for i, f := range faults {
		switch {
		case f.Kind == faultStall:
			if f.At < 0 || f.For <= 0 {
				return fmt.Errorf("simulate: faults[%d]: a stall needs at >= 0 and for > 0, not at %s for %s", i, f.At.D(), f.For.D())
			}
		case !slices.Contains(requestFaults, f.Kind):
			return fmt.Errorf("simulate: faults[%d]: kind %q is not known: there are %s, %s", i, f.Kind, faultStall, strings.Join(requestFaults, ", "))
		case !(f.Probability > 0 && f.Probability <= 1):
			return fmt.Errorf("simulate: faults[%d]: %s needs a probability in (0, 1], not %v", i, f.Kind, f.Probability)
		default:
			total += f.Probability
		}
	}
	if total > 1+1e-9 {
		return fmt.Errorf("simulate: the faults' probabilities sum to %v: at most one fault hits a request, so they cannot pass 1", total)
	}
	return nil
}
