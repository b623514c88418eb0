package main

import (
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// TestVerdictCodeOfClasses: an objective of a traffic class counts for its approach, and so for the exit code.
func TestVerdictCodeOfClasses(t *testing.T) {
	approach := func(own string, classes ...string) analyze.ApproachSummary {
		a := analyze.ApproachSummary{SLO: []analyze.ObjectiveResult{{Verdict: own}}}
		for _, v := range classes {
			a.Classes = append(a.Classes, analyze.ClassSummary{SLO: []analyze.ObjectiveResult{{Verdict: analyze.Pass}, {Verdict: v}}})
		}
		return a
	}
	const pass, fails, unsure = analyze.Pass, analyze.Fail, analyze.CannotTell
	for _, tt := range []struct {
		name       string
		require    string
		approaches []analyze.ApproachSummary
		want       int
	}{
		{"all hold", "all", []analyze.ApproachSummary{approach(pass, pass, pass)}, exitPass},
		{"a class fails", "all", []analyze.ApproachSummary{approach(pass, pass, fails)}, exitVerdict},
		{"a class cannot tell", "all", []analyze.ApproachSummary{approach(pass, unsure, pass)}, exitCannotTell},
		{"one cannot tell, one fails", "all", []analyze.ApproachSummary{approach(pass, unsure, fails)}, exitVerdict},
		{"the scenario's own fails", "all", []analyze.ApproachSummary{approach(fails, pass)}, exitVerdict},
		{"a class of one approach fails", "all", []analyze.ApproachSummary{approach(pass, pass), approach(pass, fails)}, exitVerdict},
		{"any: the other holds all", "any", []analyze.ApproachSummary{approach(pass, pass), approach(pass, fails)}, exitPass},
		{"any: a class of each fails", "any", []analyze.ApproachSummary{approach(pass, fails), approach(pass, fails)}, exitVerdict},
		{"any: one cannot tell", "any", []analyze.ApproachSummary{approach(pass, unsure), approach(pass, fails)}, exitCannotTell},
	} {
		an := &analyze.Analysis{Summary: &analyze.Summary{Approaches: tt.approaches}, Scenario: &workload.Scenario{SLO: workload.SLO{Require: tt.require}}}
		if got := verdictCode(an, false); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
