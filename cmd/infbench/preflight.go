package main

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/measure"
)

// preflight holds what the scenario is going to need against what this machine has, before anything is sent. What
// cannot go well whatever the endpoint does is an error; the rest is said, and stands in the record.
func (r *runJob) preflight(m *measure.Manifest) error {
	m.Limits = new(measure.Limits)
	*m.Limits = measure.ThisLimits()
	said := map[string]bool{}
	var certain []string
	foreseen := r.source.Foresee(r.schedule, measure.GuessedAnswer)
	for i := range r.scenario.Approaches {
		ap := &r.scenario.Approaches[i]
		plan := measure.PlanOf(foreseen, r.scenario.Arrivals.ClosedLoop, ap, r.source.Lengths)
		for _, s := range m.Limits.Check(plan, m.NoiseFloor) {
			if s.Certain {
				certain = append(certain, fmt.Sprintf("approach %s: %s", ap.Name, s.Text))
			}
			if !said[s.Text] { // once, where several approaches come to the same
				said[s.Text] = true
				s.Text = ap.Name + ": " + s.Text
				m.Preflight = append(m.Preflight, s)
			}
		}
	}
	if len(certain) > 0 {
		return fail(exitInvalid, fmt.Errorf("this machine cannot do this run; nothing was sent:\n  %s", strings.Join(certain, "\n  ")))
	}
	for _, s := range m.Preflight {
		fmt.Fprintf(r.app.stderr, "Pre-flight: %s\n", s.Text)
	}
	return nil
}
