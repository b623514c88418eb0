package analyze

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Arm is one side of a comparison: an approach of a run, with its blocks.
type Arm struct {
	// Name is what the comparison calls it: the approach, with its run where that is another.
	Name     string
	Approach string
	Record   *measure.Record
	Summary  *ApproachSummary
	// ClientLimited: the load generator or its machine is at fault for what is suspect in the measurement.
	ClientLimited bool
	// Blocks are those that went through, by their round.
	Blocks map[int]*BlockSummary
}

// Arms takes the approaches of a record as arms of a comparison, in the order of the scenario. Blocks that were cut short are
// left out. A record whose files are not those that the run has written is an error.
func Arms(rec *measure.Record) ([]*Arm, error) {
	if err := rec.Verify(); err != nil {
		return nil, err
	}
	a, err := Run(rec)
	if err != nil {
		return nil, err
	}
	blocks, err := Blocks(rec)
	if err != nil {
		return nil, err
	}
	var arms []*Arm
	for i := range a.Summary.Approaches {
		s := &a.Summary.Approaches[i]
		arm := &Arm{Name: s.Name, Approach: s.Name, Record: rec, Summary: s, ClientLimited: a.Summary.Validity.limits(s.Name), Blocks: map[int]*BlockSummary{}}
		for k := range blocks {
			if b := &blocks[k]; b.Approach == s.Name && b.State == measure.Complete {
				arm.Blocks[b.Record.Round] = b
			}
		}
		arm.takeFailed(blocks)
		arms = append(arms, arm)
	}
	return arms, nil
}

// scenario is what the arm's run was asked to do.
func (a *Arm) scenario() *workload.Scenario { return a.Record.Manifest.Scenario }

// approach is the arm's entry in it.
func (a *Arm) approach() *workload.Approach {
	if i := place(a.scenario(), a.Approach); i >= 0 {
		return &a.scenario().Approaches[i]
	}
	return &workload.Approach{}
}

// schedule identifies what a round of the arm got.
func (a *Arm) schedule(round int) string {
	m := a.Record.Manifest
	if round < len(m.Rounds) {
		return m.Rounds[round].SHA256
	}
	if round == 0 {
		return m.Schedule.SHA256
	}
	return ""
}

// levers are what the arm declares of how its model is served, with the model itself and whether it streams.
func (a *Arm) levers() map[string]string {
	ap := a.approach()
	levers := map[string]string{"streaming": fmt.Sprint(ap.Streaming())}
	if ap.Model != "" {
		levers["model"] = ap.Model
	}
	maps.Copy(levers, ap.Levers)
	return levers
}

// confounded are the levers in which two arms differ, where that is more than one: then no difference can be laid at the
// door of any of them.
func confounded(a, b *Arm) []string {
	x, y := a.levers(), b.levers()
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if v, both := y[name]; !both || v != x[name] {
			differ = append(differ, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(y)) {
		if _, both := x[name]; !both {
			differ = append(differ, name)
		}
	}
	if len(differ) < 2 {
		return nil
	}
	return differ
}

// Incomparable are the reasons for which figures of one arm say nothing beside those of the other; empty where they do.
func Incomparable(a, b *Arm) []string {
	var why []string
	add := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	for _, arm := range []*Arm{a, b} {
		if arm.Summary.Validity == Invalid {
			add("the measurement of %s is invalid (%s)", arm.Name, arm.Record.Dir)
		}
		if len(arm.Blocks) == 0 {
			add("no block of %s went through (%s)", arm.Name, arm.Record.Dir)
		}
	}
	if x, y := a.scenario().WorkloadDigest(), b.scenario().WorkloadDigest(); x != y {
		add("they were asked other things: the workload of %s is %.12s, that of %s %.12s", a.Name, x, b.Name, y)
	}
	if !workload.SameDatasets(a.Record.Manifest.Datasets, b.Record.Manifest.Datasets) {
		add("they were asked other things: the contents of the dataset or documents changed between %s and %s", a.Record.Dir, b.Record.Dir)
	}
	if x, y := a.Summary.Tokens.Basis, b.Summary.Tokens.Basis; x != y && x != "" && y != "" {
		add("their tokens were not counted alike: %s by %s, %s by %s", a.Name, x, b.Name, y)
	}
	if x, y := a.approach().Streaming(), b.approach().Streaming(); x != y {
		add("the first token of an answer that is not streamed is its last byte: %s streams, %s does not", streams(a, b, true), streams(a, b, false))
	}
	return why
}

// streams names the arm that streams, or the one that does not.
func streams(a, b *Arm, wanted bool) string {
	if a.approach().Streaming() == wanted {
		return a.Name
	}
	return b.Name
}

// FindArm finds an arm by its name, or says which there are.
func FindArm(arms []*Arm, name string) (*Arm, error) {
	var names []string
	for _, a := range arms {
		if a.Approach == name {
			return a, nil
		}
		names = append(names, a.Approach)
	}
	return nil, fmt.Errorf("there is no approach %q: the run has %s", name, strings.Join(names, ", "))
}
