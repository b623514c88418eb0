package analyze_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// blocksScenario drives two servers of different speed; some answers are cut short.
const blocksScenario = `
name: blocks
seed: 7
phases: {warmup: 5s, measure: 60s, drain: 60s}
arrivals: {preset: bursty, rate: 5/s}
prompts: {synthetic: {input: {uniform: {min: 20, max: 200}}, output: {uniform: {min: 3, max: 30}}}}
approaches:
  - name: fast
    simulate: {slots: 2, overhead: 20ms, decode_step: 5ms, faults: [{kind: truncate, probability: 0.02}]}
  - name: slow
    simulate: {slots: 2, overhead: 60ms, decode_step: 9ms, faults: [{kind: truncate, probability: 0.02}]}
slo: {request: {ttft: 100ms, e2e: 10s}}
`

// TestBlocksAgainstTheirRows: the figures of a block are those of its rows alone, computed here by sorting.
func TestBlocksAgainstTheirRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, rec := play(t, blocksScenario, nil)
		blocks, err := analyze.Blocks(rec)
		if err != nil {
			t.Fatal(err)
		}
		if len(blocks) != 2 || blocks[0].Approach != "fast" || blocks[1].Approach != "slow" || blocks[1].Index != rec.Manifest.Blocks[1].Index {
			t.Fatalf("%+v", blocks)
		}
		for i, b := range blocks {
			var ttft []float64
			attempts, good, tokens, gaps := 0, 0, int64(0), 0
			for s := range rec.Rows() {
				if s.Block != b.Index || s.Phase != measure.Measure {
					continue
				}
				attempts++
				if !s.OK() {
					continue
				}
				d, _ := s.Latency(workload.TTFT)
				e, _ := s.Latency(workload.E2E)
				ttft = append(ttft, d.Seconds())
				tokens += int64(*s.OutputTokens)
				gaps += s.Reads - 1
				if d.Seconds() <= 0.1 && e.Seconds() <= 10 {
					good++
				}
			}
			slices.Sort(ttft)
			rate, known := b.ErrorRate()
			if b.Attempts != attempts || b.OK != len(ttft) || len(ttft) == attempts || *b.Tokens.Output != tokens || b.Seconds != 60 ||
				!known || math.Abs(rate-float64(attempts-len(ttft))/float64(attempts)) > 1e-12 {
				t.Errorf("%s: %+v; want %d attempts, %d ok, %d tokens", b.Approach, b, attempts, len(ttft), tokens)
			}
			if math.Abs(b.Goodput.Ratio-float64(good)/float64(attempts)) > 1e-12 || math.Abs(b.OfferedRate-float64(attempts)/60) > 1e-9 {
				t.Errorf("%s: goodput %+v of %d good, offered %g", b.Approach, b.Goodput, good, b.OfferedRate)
			}
			m := b.Metrics[workload.TTFT]
			if want := ttft[(attempts+1)/2-1]; math.Abs(*m.P50/want-1) > 0.001 || m.P95 == nil || m.P99 != nil {
				t.Errorf("%s: ttft %+v, want a median of %g, no p99 of %d attempts", b.Approach, m, want, attempts)
			}
			if n := b.Metrics[workload.ChunkGap].N; n != int64(gaps) {
				t.Errorf("%s: %d chunk gaps, want %d", b.Approach, n, gaps)
			}
			// One block of an approach is all of it.
			a := an.Summary.Approaches[i]
			if fmt.Sprint(*a.Metrics[workload.TTFT].P50, a.Attempts, a.Tokens.OutputPerSecond != nil, a.Goodput.Ratio) !=
				fmt.Sprint(*m.P50, b.Attempts, b.Tokens.OutputPerSecond != nil, b.Goodput.Ratio) {
				t.Errorf("%s: the block and its approach differ: %+v, %+v", b.Approach, b, a)
			}
		}
	})
}
