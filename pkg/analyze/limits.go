package analyze

import (
	"slices"

	"github.com/infbench/infbench/pkg/workload"
)

// goodputFigure is the share of good requests: those that met the request limits.
const goodputFigure = "goodput"

// sameLimits reports whether a good request is the same in both arms: they have equal request limits, class by class. The
// limits change nothing that is sent, so arms with other limits are paired all the same, but for goodput.
func sameLimits(a, b *Arm) bool {
	return slices.Equal(requestLimits(a.scenario()), requestLimits(b.scenario()))
}

// requestLimits are those of the scenario, and those of each class of its mix.
func requestLimits(s *workload.Scenario) []workload.RequestLimits {
	all := []workload.RequestLimits{s.SLO.Request}
	for i := range s.Mix {
		all = append(all, s.ClassSLO(&s.Mix[i]).Request)
	}
	return all
}
