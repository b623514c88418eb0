package analyze_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
)

const spikeScenario = `
name: spike
seed: 3
phases: {warmup: 5s, measure: MEASURE, drain: 120s}
arrivals: {SHAPE, burst: {constant: {}}}
prompts: {synthetic: {input: {fixed: 20}, output: {fixed: 1}}}
approaches:
  - name: one
    simulate: {profile: edge, slots: SLOTS, network: 1us, service: {law: fixed, mean: 100ms}}
`

func spikeOf(t *testing.T, measure, shape, slots string) (s *analyze.Spike) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		an, _ := play(t, strings.NewReplacer("MEASURE", measure, "SHAPE", shape, "SLOTS", slots).Replace(spikeScenario), nil)
		s = an.Summary.Approaches[0].Spike
	})
	return s
}

// TestSpikeIsTheFluidQueue: one server of 10/s, 5/s of regular arrivals, 15/s for 10 s. The backlog is (15-10) 10 = 50, gone
// 50 / (10-5) = 10 s later; its area is that of the triangle, 50 (10+10) / 2 = 500 request-seconds.
func TestSpikeIsTheFluidQueue(t *testing.T) {
	for name, shape := range map[string]string{
		"spike": "rate: 5/s, shape: {spike: {at: 20s, for: 10s, factor: 3}}",
		"steps": "shape: {steps: [{for: 20s, rate: 5/s}, {for: 10s, rate: 15/s}, {rate: 5/s}]}",
	} {
		t.Run(name, func(t *testing.T) {
			s := spikeOf(t, "60s", shape, "1")
			if s == nil || s.Capacity == nil || s.PredictedDrain == nil || s.Drain == nil || s.Recovery == nil || s.WorstBin == nil || s.BaselineTTFT == nil {
				t.Fatalf("%+v", s)
			}
			for _, c := range []struct {
				what            string
				got, want, near float64
			}{
				{"capacity", *s.Capacity, 10, 0.3}, {"backlog", s.Backlog, 50, 2}, {"peak", s.PeakInFlight, 50, 2}, {"peak at", s.PeakAt, 30, 0.3},
				{"predicted drain", *s.PredictedDrain, 10, 0.8}, {"drain", *s.Drain, 10, 0.8}, {"area", s.BacklogArea, 500, 25},
				{"recovery", *s.Recovery, 10, s.Bin}, {"worst bin", s.WorstBin.At, 30 - s.Bin/2, s.Bin/2 + 0.01}, {"attempts", float64(s.Attempts), 150, 1}, {"failed", float64(s.Failed), 0, 0},
			} {
				if math.Abs(c.got-c.want) > c.near {
					t.Errorf("%s is %g, want %g within %g", c.what, c.got, c.want, c.near)
				}
			}
		})
	}
}

// TestSpikeWithoutEnd: what does not recover in the window gets no number, and what kept up no prediction.
func TestSpikeWithoutEnd(t *testing.T) {
	s := spikeOf(t, "45s", "rate: 9/s, shape: {spike: {at: 15s, for: 10s, factor: 3}}", "1")
	if s == nil || s.Recovery != nil || s.NotRecovered != "not recovered within 20s" || s.Drain != nil || s.NotDrained != "not drained within 20s" {
		t.Errorf("%+v", s)
	}
	s = spikeOf(t, "60s", "rate: 5/s, shape: {spike: {at: 20s, for: 10s, factor: 3}}", "10")
	if s == nil || s.PredictedDrain != nil || s.NoPrediction == "" || s.Recovery == nil || *s.Recovery != 0 {
		t.Errorf("%+v", s)
	}
	if s := spikeOf(t, "30s", "rate: 5/s", "1"); s != nil {
		t.Errorf("a constant rate has a spike: %+v", s)
	}
}
