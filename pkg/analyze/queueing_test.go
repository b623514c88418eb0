package analyze_test

import (
	"math"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// queueScenario drives a queue that reports itself, the same that reports nothing, one that reports its prefill alone, and a
// processor that requests share, with two classes of traffic.
const queueScenario = `
name: ladder
seed: 9
phases: {measure: 60s, drain: 5m, light_load: {requests: 16}}
arrivals: {rate: 20/s}
mix:
  - {name: chat, weight: 3, prompts: {synthetic: {input: {lognormal: {median: 200, sigma: 0.7, max: 1500}}, output: {fixed: 4}}}}
  - {name: docs, weight: 1, prompts: {synthetic: {input: {lognormal: {median: 800, sigma: 0.5, max: 3000}}, output: {fixed: 4}}}}
approaches:
  - name: reports
    simulate: {network: 8ms, slots: 3, overhead: 20ms, prefill_per_token: 150us, decode_step: 6ms, prefill_noise: 0.02, report: vllm}
  - name: mute
    simulate: {network: 8ms, slots: 3, overhead: 20ms, prefill_per_token: 150us, decode_step: 6ms, prefill_noise: 0.02}
  - name: prefill
    simulate: {network: 8ms, slots: 3, overhead: 20ms, prefill_per_token: 150us, decode_step: 6ms, prefill_noise: 0.02, report: llama.cpp}
  - name: shares
    simulate: {network: 8ms, slots: 100, overhead: 5ms, prefill_per_token: 50us, decode_step: 6ms, prefill_noise: 0.02, processor_sharing: true}
`

// TestQueueing: the ladder adds up to TTFT in every part of it, what is inferred is labelled and near what is reported, and of a
// shared processor no queueing delay is given. Light-load requests are in no figure of the schedule.
func TestQueueing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, rec := play(t, queueScenario, nil)
		by := map[string]*analyze.ApproachSummary{}
		for i := range an.Summary.Approaches {
			p := &an.Summary.Approaches[i]
			by[p.Name] = p
			holdLadder(t, p)
			if p.Attempts != an.Summary.Approaches[0].Attempts || p.OK != p.Attempts {
				t.Errorf("%s: %d of %d", p.Name, p.OK, p.Attempts)
			}
			if l := p.Queueing.LightLoad; len(l) != 1 || l[0].N != 16 || l[0].Problem != "" || l[0].Network == nil || math.Abs(*l[0].Network-0.008) > 1e-4 {
				t.Errorf("%s: %+v", p.Name, l[0])
			}
			if x := p.Metrics[workload.TTFTExcess]; x == nil || x.N != int64(p.OK) || p.Labels[workload.TTFTExcess] != analyze.Inferred || math.Abs(*x.Mean-*p.Queueing.ExcessMean) > 1e-9 {
				t.Errorf("%s: TTFT excess %+v, %v", p.Name, x, p.Labels)
			}
		}
		light := 0
		for s := range rec.Rows() {
			if s.Phase == measure.LightLoad {
				light++
			}
		}
		if light != 4*16 {
			t.Errorf("%d rows of light load", light)
		}
		for name, basis := range map[string]string{"reports": analyze.Reported, "mute": analyze.Inferred, "prefill": analyze.Inferred, "shares": analyze.CannotTell} {
			p := by[name]
			if p.Queueing.Basis != basis || p.Labels[workload.QueueingDelay] != basis || (p.Metrics[workload.QueueingDelay] == nil) != (basis == analyze.CannotTell) {
				t.Errorf("%s: %s (%s), %v", name, p.Queueing.Basis, p.Queueing.Why, p.Labels)
			}
		}
		truth := by["reports"].Metrics[workload.QueueingDelay]
		for _, name := range []string{"mute", "prefill"} {
			got := by[name].Metrics[workload.QueueingDelay]
			if math.Abs(*got.Mean-*truth.Mean) > 0.002 || math.Abs(*got.P99-*truth.P99) > 0.05**truth.P99 {
				t.Errorf("%s: mean %g, p99 %g; the same server reports %g and %g", name, *got.Mean, *got.P99, *truth.Mean, *truth.P99)
			}
			for _, c := range by[name].Classes {
				if q := c.Metrics[workload.QueueingDelay]; q == nil || q.N != int64(c.OK) || c.Labels[workload.QueueingDelay] != analyze.Inferred {
					t.Errorf("%s, class %s: %+v, %v", name, c.Name, q, c.Labels)
				}
			}
		}
		if a := by["reports"].Queueing.AgainstReported; a == nil || a.N != by["reports"].OK || a.Median > 0.005 {
			t.Errorf("against the report: %+v", a)
		}
		blocks, err := analyze.Blocks(rec)
		if err != nil || len(blocks) != 4 || blocks[1].Attempts != by["mute"].Attempts {
			t.Errorf("%d blocks, %v", len(blocks), err)
		}
	})
}

// holdLadder: the parts of every rung, and of every bin over time, add up to its TTFT.
func holdLadder(t *testing.T, p *analyze.ApproachSummary) {
	t.Helper()
	var at []string
	for _, r := range p.Queueing.Ladder {
		at = append(at, r.At)
		var sum, share float64
		for _, part := range r.Parts {
			sum += part.Seconds
			share += part.Share
		}
		if math.Abs(sum-r.TTFT) > 1e-5 || math.Abs(share-1) > 1e-3 || r.N == 0 {
			t.Errorf("%s, %s: %d requests, parts add up to %g of %g", p.Name, r.At, r.N, sum, r.TTFT)
		}
	}
	if len(at) != 5 || at[4] != analyze.SlowestPercent || math.Abs(p.Queueing.Ladder[0].TTFT-*p.Metrics[workload.TTFT].Mean) > 1e-6 {
		t.Errorf("%s: rungs %v", p.Name, at)
	}
}
