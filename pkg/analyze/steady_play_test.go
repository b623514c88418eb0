package analyze_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
)

// steadyScenario has a server of two slots that writes an answer in a second: it ends 2 requests/s at most.
const steadyScenario = `
name: steady
seed: 4
phases: {warmup: 20s, measure: %s, drain: 300s}
arrivals: %s
prompts: {synthetic: {input: {uniform: {min: 20, max: 200}}, output: {uniform: {min: 50, max: 150}}}}
approaches:
  - name: one
    simulate: {slots: 2, overhead: 1ms, prefill_per_token: 1us, decode_step: 10ms}
`

// TestSteadyStateOfARun: a whole run, from the schedule to the verdict, on a server of known capacity.
func TestSteadyStateOfARun(t *testing.T) {
	for name, tt := range map[string]struct {
		measure, arrivals string
		saturated         bool
		notJudged         string
	}{
		"half of what it can":     {"300s", "{rate: 1/s}", false, ""},
		"a quarter more":          {"300s", "{rate: 2.5/s}", true, ""},
		"evenly, a quarter more":  {"200s", "{rate: 2.5/s, burst: {constant: {}}}", true, ""},
		"users":                   {"300s", "{closed_loop: {users: 5}}", false, ""},
		"a ramp to twice of that": {"300s", "{rate: 4/s, preset: ramp}", false, "a ramp"},
		"a spike beyond it":       {"300s", "{rate: 1/s, preset: spike}", false, "a spike"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, _ := play(t, fmt.Sprintf(steadyScenario, tt.measure, tt.arrivals), nil)
				st := an.Summary.Approaches[0].Steady
				if st == nil || st.NotJudged == "" != (tt.notJudged == "") || !strings.Contains(st.NotJudged, tt.notJudged) {
					t.Fatalf("%+v", st)
				}
				if r := reasonOf(an, "warm_up_short"); r != nil {
					t.Error(r.Text)
				}
				r := reasonOf(an, "over_saturated")
				if (r != nil) != tt.saturated {
					t.Fatalf("%+v, want over-saturated: %t", r, tt.saturated)
				}
				if r == nil {
					return
				}
				if r.Verdict != analyze.Suspect || r.Approach != "one" || r.Client {
					t.Errorf("%+v", r)
				}
				if o := st.OverSaturated; o.ServedRate < 1.85 || o.ServedRate > 2.1 || o.Growth < 0.15*o.OfferedRate*100 {
					t.Errorf("%+v: the truth is 2/s", o)
				}
				if reasonOf(an, "few_effective") != nil {
					t.Error("a growing queue has no length that is enough")
				}
			})
		})
	}
}
