package workload

import (
	"strings"
	"testing"
	"time"
)

const stepped = `
name: stepped
phases: {measure: 60s}
arrivals:
  shape:
    steps:
      - {for: 20s, rate: 5/s}
      - {for: 20s, rate: 10/s}
      - {for: 20s, rate: 2/s}
prompts: {synthetic: {input: {fixed: 10}, output: {fixed: 10}}}
approaches: [{name: a, url: "http://127.0.0.1:1/v1"}]
`

// TestDurationCutsSteps: a shorter measure phase by --duration has the arrivals that the whole has up to there; one that the
// file itself shortens is a mistake, as before.
func TestDurationCutsSteps(t *testing.T) {
	times := func(overrides ...Override) []time.Duration {
		s, err := Parse([]byte(stepped), "stepped.yaml", overrides...)
		if err != nil {
			t.Fatal(err)
		}
		sched, err := NewSchedule(s)
		if err != nil {
			t.Fatal(err)
		}
		return sched.Times
	}
	whole := times()
	for _, d := range []time.Duration{time.Second, 20 * time.Second, 30 * time.Second, 59 * time.Second} {
		cut := times(OverrideDuration(d.String()))
		for i, at := range cut {
			if at != whole[i] || at > d {
				t.Fatalf("--duration %v: arrival %d at %v, of the whole at %v", d, i, at, whole[i])
			}
		}
		if next := whole[len(cut)]; next < d {
			t.Errorf("--duration %v: the arrival at %v is missing", d, next)
		}
	}
	if _, err := Parse([]byte(stepped), "stepped.yaml", OverrideSet("phases.measure=30s")); err == nil || !strings.Contains(err.Error(), "steps[2]") {
		t.Errorf("a step behind the measure phase: %v", err)
	}
}
