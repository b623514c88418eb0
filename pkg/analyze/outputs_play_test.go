package analyze_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestShorterAnswersAreNamed: through all of the real way, an approach whose answers are cut short is named beside one with
// the very answers that were asked for, and one that gives the same answers later is not.
func TestShorterAnswersAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, _ := play(t, `
name: outputs
seed: 3
phases: {warmup: 5s, measure: 60s, drain: 60s}
arrivals: {preset: steady, rate: 3/s}
prompts: {synthetic: {input: {fixed: 50}, output: {uniform: {min: 10, max: 50}}}}
approaches:
  - name: cut
    body: {max_completion_tokens: 12}
    simulate: {profile: hosted-small}
  - name: whole
    simulate: {profile: hosted-small}
  - name: slow
    simulate: {profile: hosted-large}
`, nil)
		var found []string
		for _, r := range an.Summary.Validity.Reasons {
			if r.Code == "output_lengths" {
				found = append(found, r.Approach+": "+r.Text)
			}
		}
		if len(found) != 1 || !strings.HasPrefix(found[0], "cut: cut answered with 58% fewer tokens than whole (12 against ") {
			t.Errorf("%q", found)
		}
		for _, o := range an.Summary.Workload.Outputs {
			if o.Differs != (o.Approach == "cut") || o.Pairs < 150 || o.Difference == nil || (o.Difference.Value == 0) == o.Differs {
				t.Errorf("%+v", o)
			}
		}
	})
}
