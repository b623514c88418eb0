package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report"
	"github.com/infbench/infbench/pkg/workload"
)

// plannedLooks are those of a check with --rerun: one at what there is, one at twice as much.
const plannedLooks = 2

// twice checks, and where that cannot tell for want of blocks lets the candidate's run grow once and checks again. Whatever
// becomes of the new blocks, the verdict of before is shown first.
func (j *checkJob) twice(ctx context.Context, candidate string, pair armPair, policy *workload.Policy) error {
	m := pair.candidate.Record.Manifest
	if len(m.Extended) > 0 && unfinished(m) {
		// The rerun was begun and not ended: what it has is no look of its own.
		fmt.Fprintf(j.app.stderr, "A rerun of %s was begun: going on with it.\n", pair.candidate.Record.Dir)
		if err := j.grow(ctx, pair.candidate.Record, m.Scenario.Rounds()); err != nil {
			return err
		}
		return j.again(candidate, pair, policy)
	}
	c, err := j.look(pair, policy, plannedLooks)
	if err != nil {
		return err
	}
	if c.Verdict != analyze.CannotTell {
		return j.end(c)
	}
	rounds, why := j.roundsAfter(pair, c)
	if why != "" {
		fmt.Fprintf(j.app.stderr, "infbench: no rerun: %s\n", why)
		return j.end(c)
	}
	if err := j.write(c, false); err != nil {
		return err
	}
	fmt.Fprintf(j.app.stderr, "\nIt cannot tell: %s grows from %d to %d rounds of blocks.\n", pair.candidate.Record.Dir, m.Scenario.Rounds(), rounds)
	if err := j.grow(ctx, pair.candidate.Record, rounds); err != nil {
		if j.github {
			err = errors.Join(err, report.CheckGitHub(j.app.stdout, c))
		}
		return err
	}
	return j.again(candidate, pair, policy)
}

// again looks at the run that has grown, beside the same baseline.
func (j *checkJob) again(candidate string, before armPair, policy *workload.Policy) error {
	j.baseline = before.baseline.Record.Dir + ":" + before.baseline.Approach // a folder of runs may have got a newer one
	pair, err := j.pair(before.candidate.Record.Dir + ":" + before.candidate.Approach)
	if err != nil {
		return err
	}
	c, err := j.look(pair, policy, plannedLooks)
	if err != nil {
		return err
	}
	if c.Verdict == analyze.CannotTell {
		fmt.Fprintf(j.app.stderr, "infbench: %s cannot be told after its rerun either: begin a new run with more blocks\n", candidate)
	}
	return j.end(c)
}

// unfinished tells whether a run has blocks left to drive.
func unfinished(m *measure.Manifest) bool {
	for round := range m.Scenario.Rounds() {
		for _, a := range m.Scenario.Approaches {
			if !m.WentThrough(round, a.Name) {
				return true
			}
		}
	}
	return false
}

// roundsAfter is how many rounds of blocks the candidate's run is to have after a rerun: twice as many, but none that has no
// partner to be compared with. Why says what stands against a rerun.
func (j *checkJob) roundsAfter(pair armPair, c *analyze.Check) (rounds int, why string) {
	rec := pair.candidate.Record
	has := rec.Manifest.Scenario.Rounds()
	if e := rec.Manifest.Extended; len(e) > 0 {
		return 0, fmt.Sprintf("%s has grown from %d to %d rounds of blocks already, and once is all that its error is divided for: begin a new run with more blocks", rec.Dir, e[0].From, e[len(e)-1].To)
	}
	if may, line := c.BlocksMayTell(); !may {
		return 0, "more blocks do not settle " + line
	}
	rounds = 2 * has
	if base := pair.baseline.Record; c.Comparison.Paired && !sameFolder(base.Dir, rec.Dir) {
		partners := base.Manifest.Scenario.Rounds()
		if partners <= has {
			return 0, fmt.Sprintf("further blocks of %s have no partner in %s, which has %d rounds: let the baseline grow first (infbench run SCENARIO --resume %s --blocks %d), or drive both in one run", rec.Dir, base.Dir, partners, base.Dir, rounds)
		}
		rounds = min(rounds, partners)
	}
	return rounds, ""
}

func sameFolder(a, b string) bool {
	x, xerr := os.Stat(a)
	y, yerr := os.Stat(b)
	return xerr == nil && yerr == nil && os.SameFile(x, y)
}

// grow drives a run on until it has so many rounds of blocks, by the scenario in its record.
func (j *checkJob) grow(ctx context.Context, rec *measure.Record, rounds int) error {
	s, err := recordedScenario(rec)
	if err != nil {
		return fail(exitCannotTell, fmt.Errorf("no rerun: %w: let the run grow with infbench run SCENARIO --resume %s --blocks %d, and check again", err, rec.Dir, rounds))
	}
	r := &runJob{app: j.app, scenario: s.WithBlocks(rounds), locate: func(err error, _ int) error { return err }, progress: newProgress(j.app.stderr, j.quiet),
		acceptSuspect: j.acceptSuspect, spin: usualSpin()}
	if err := r.takeUp(rec.Dir); err != nil {
		return fail(exitUsage, err)
	}
	if err := r.prepare(ctx); err != nil {
		fmt.Fprintf(j.app.stderr, "infbench: no rerun: the record and its verdict stay as they were\n")
		return err
	}
	m := r.manifest()
	if err := r.preflight(m); err != nil {
		return err
	}
	r.stop, ctx = watchInterrupts(ctx, j.app.stderr)
	defer r.stop.release()
	w, err := r.open(m)
	if err != nil {
		return fail(exitIO, err)
	}
	err = r.drive(ctx, w)
	if r.stop.count() < 2 { // who interrupts twice does not wait for a report
		err = errors.Join(err, renew(rec.Dir))
	}
	switch {
	case r.stop.count() > 0:
		fmt.Fprintf(j.app.stderr, "The rerun was stopped. What it measured is kept in %s; the same check goes on with it.\n", rec.Dir)
		return fail(exitInterrupted, nil)
	case err != nil:
		return fail(exitIO, fmt.Errorf("the rerun: %w\nThe record is kept in %s; the same check goes on with it", err, rec.Dir))
	}
	return nil
}

// recordedScenario is the scenario of a record, ready to be driven again.
func recordedScenario(rec *measure.Record) (*workload.Scenario, error) {
	m := rec.Manifest
	switch covered := m.Scenario.Covered(); {
	case len(covered) > 0:
		return nil, fmt.Errorf("the record covers a secret of approach %s that the scenario's file does not", covered[0])
	case m.Folder == "":
		return nil, errors.New("the record does not say in which folder its scenario lies, as those of older versions do not")
	case m.Scenario.Digest() != m.Digest:
		return nil, errors.New("the record is of another version, whose scenarios mean something else")
	}
	s := m.Scenario.WithBlocks(m.Scenario.Blocks)
	s.Dir = m.Folder
	return s, nil
}

// renew writes the verdict and the report of a run anew.
func renew(dir string) error {
	an, err := analyseDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(measure.SetVerdict(dir, an.Summary.Validity.Verdict), report.WriteAll(dir, an))
}
