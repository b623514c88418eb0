package analyze

import (
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestGoodputNeedsEqualLimits: a candidate ten times slower that was given a wider limit has a better goodput, and no gate may
// pass by it.
func TestGoodputNeedsEqualLimits(t *testing.T) {
	arms := func() (a, b *Arm) {
		a, b = armOf("a", 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), armOf("b", 1, 1, 1, 1, 1, 1, 1)
		for _, arm := range []*Arm{a, b} {
			arm.scenario().SLO.Request.TTFT = workload.Duration(300 * time.Millisecond)
			arm.scenario().Mix = []workload.TrafficClass{{Name: "chat"}}
			for _, block := range arm.Blocks {
				block.Goodput = &Goodput{Ratio: 0.99}
			}
		}
		return a, b
	}
	policy := &workload.Policy{Confidence: 0.95, Gates: []workload.Gate{{Figure: "goodput", Worse: 0.05}}}
	for name, c := range map[string]struct {
		change  func(b *workload.Scenario)
		verdict string
	}{
		"the same limits": {func(*workload.Scenario) {}, Pass},
		"a wider limit":   {func(b *workload.Scenario) { b.SLO.Request.TTFT = workload.Duration(5 * time.Second) }, CannotTell},
		"a wider one of a class": {func(b *workload.Scenario) {
			b.Mix[0].SLO = &workload.ClassSLO{Request: workload.RequestLimits{TTFT: workload.Duration(time.Second)}}
		}, CannotTell},
		"one class says the same": {func(b *workload.Scenario) { b.Mix[0].SLO = &workload.ClassSLO{Request: b.SLO.Request} }, Pass},
	} {
		a, b := arms()
		c.change(b.scenario())
		got, err := CheckPolicy(a, b, policy, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Verdict != c.verdict || (c.verdict == CannotTell) != strings.Contains(got.Results[0].Why, "request limits differ") || got.Results[0].MoreBlocks {
			t.Errorf("%s: %+v", name, got.Results)
		}
	}
}
