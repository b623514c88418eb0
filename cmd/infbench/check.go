package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report"
	"github.com/infbench/infbench/pkg/workload"
)

// checkJob is one call of check.
type checkJob struct {
	app                   *app
	baseline, policy, aa  string
	junit, markdown, json string
	github, acceptSuspect bool
	rerun, quiet          bool
}

func (a *app) checkCommand() *cobra.Command {
	j := checkJob{app: a}
	cmd := &cobra.Command{
		Use:   "check RUN[:APPROACH] --baseline RUN[:APPROACH]|DIR --policy POLICY",
		Short: "The regression gate: does a candidate pass against a baseline, by a policy",
		Long: `Check holds a candidate against a baseline by a policy: figures that were chosen in advance, each with what it may get
worse by, the scenario's SLO, and an error budget. A gate is about the bound of an interval over blocks, never about a
point: it fails when the whole interval lies beyond what is allowed, passes when none of it does, and cannot tell in
between; more blocks settle it.

With --rerun, a check that cannot tell for want of blocks measures as many blocks again as RUN has, once, and decides on all
of them. The error that the policy allows is then divided among the two looks.

Without a name, RUN's only approach is the candidate, or the one that is called as the baseline's. A baseline that is a
folder of runs is its latest one before RUN that went through, is not invalid and was asked the same, whatever its own gate
said: better pin one by its name.

It exits with 0 when everything passes, 1 when something fails, 4 when nothing fails and something cannot be told, 2 when
the two do not compare, 3 when a measurement cannot be trusted, and 5 when a record cannot be read.`,
		Example: `  infbench check results/tonight:ours --baseline results/pinned:ours --policy policy.yaml --markdown comment.md
  infbench check results/tonight:candidate --baseline results/tonight:pinned --policy policy.yaml --junit check.xml --rerun`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return j.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	fs.StringVar(&j.baseline, "baseline", "", "the `run` to hold the candidate against, or a folder of runs")
	fs.StringVar(&j.policy, "policy", "", "the policy `file`")
	fs.StringVar(&j.aa, "aa", "", "take the noise floor from the first two approaches of the run in this `directory`, which must be the same endpoint")
	fs.StringVar(&j.junit, "junit", "", "write JUnit XML into this `file`")
	fs.StringVar(&j.markdown, "markdown", "", "write Markdown into this `file`, as for a comment on a pull request")
	fs.StringVar(&j.json, "json", "", "write JSON into this `file`")
	fs.BoolVar(&j.github, "github", false, "write annotations for GitHub's workflows, too")
	fs.BoolVar(&j.acceptSuspect, "accept-suspect", false, "do not exit with 3 when a measurement is suspect because of the machine it ran on")
	fs.BoolVar(&j.rerun, "rerun", false, "where it cannot tell for want of blocks, measure as many again, once, and decide on all")
	fs.BoolVarP(&j.quiet, "quiet", "q", false, "show no progress of a rerun")
	for _, required := range []string{"baseline", "policy"} {
		if err := cmd.MarkFlagRequired(required); err != nil {
			panic(err) // a flag of that name is there
		}
	}
	return cmd
}

func (j *checkJob) run(ctx context.Context, candidate string) error {
	policy, err := workload.LoadPolicy(j.policy)
	if err != nil {
		return fail(exitUsage, err)
	}
	pair, err := j.pair(candidate)
	if err != nil {
		return err
	}
	if j.rerun {
		return j.twice(ctx, candidate, pair, policy)
	}
	c, err := j.look(pair, policy, 1)
	if err != nil {
		return err
	}
	return j.end(c)
}

// look judges what was measured, as one of so many looks.
func (j *checkJob) look(pair armPair, policy *workload.Policy, looks int) (*analyze.Check, error) {
	flags := compareFlags{confidence: float64(policy.Confidence), matters: 0.05, aa: j.aa}
	o, err := flags.options()
	if err != nil {
		return nil, err
	}
	for _, arm := range []*analyze.Arm{pair.baseline, pair.candidate} {
		switch {
		case arm.Summary.Validity == analyze.Invalid:
			return nil, fail(exitInvalid, fmt.Errorf("the measurement of %s is invalid (%s): nothing can be gated by it; see its report", arm.Name, arm.Record.Dir))
		case arm.ClientLimited && !j.acceptSuspect:
			return nil, fail(exitInvalid, fmt.Errorf("the measurement of %s is suspect because of the machine it ran on (%s): see its report; --accept-suspect gates it all the same", arm.Name, arm.Record.Dir))
		}
	}
	c, err := analyze.CheckLooks(pair.baseline, pair.candidate, policy, o.Floor, looks)
	if err != nil {
		return nil, fail(exitUsage, err)
	}
	return c, nil
}

// end shows the last check, and gives its exit status.
func (j *checkJob) end(c *analyze.Check) error {
	if err := j.write(c, j.github); err != nil {
		return err
	}
	return verdictError(c)
}

// verdictError is the exit status that a verdict asks for.
func verdictError(c *analyze.Check) error {
	switch c.Verdict {
	case analyze.Pass:
		return nil
	case analyze.Fail:
		return fail(exitVerdict, nil)
	}
	return fail(exitCannotTell, nil)
}

// pair finds both sides.
func (j *checkJob) pair(candidate string) (p armPair, err error) {
	arms, err := namedArms(candidate, true)
	if err != nil {
		return p, err
	}
	baseline := j.baseline
	if dir, name, named := cutApproach(baseline); !measure.IsRun(dir) {
		if baseline, err = latestRun(dir, arms[0]); err != nil {
			return p, err
		}
		if named {
			baseline += ":" + name
		}
	}
	bases, err := namedArms(baseline, true)
	if err != nil {
		return p, err
	}
	pairs := matchArms(bases, arms)
	if len(pairs) != 1 {
		return p, fail(exitUsage, fmt.Errorf("%s and %s have %d approaches of the same name: name one on each side, as in RUN:APPROACH", candidate, baseline, len(pairs)))
	}
	return pairs[0], nil
}

// latestRun is the latest run below a folder that can be a baseline for the candidate: it was begun before it, went
// through, was not invalid, and was asked the same. The candidate's own run is none.
func latestRun(dir string, candidate *analyze.Arm) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fail(exitIO, fmt.Errorf("--baseline %s: %w", dir, err))
	}
	best, began := "", time.Time{}
	var passed []string
	for _, e := range entries {
		run := filepath.Join(dir, e.Name())
		if !measure.IsRun(run) {
			continue
		}
		rec, err := measure.Open(run)
		if err != nil {
			return "", fail(exitIO, fmt.Errorf("--baseline %s: %w", dir, err))
		}
		m := rec.Manifest
		switch {
		case m.SameRun(candidate.Record.Manifest):
		case !m.Started.Before(candidate.Record.Manifest.Started):
			passed = append(passed, e.Name()+" was begun after the candidate")
		case m.State != measure.Complete:
			passed = append(passed, e.Name()+" is "+m.State)
		case m.Verdict == analyze.Invalid:
			passed = append(passed, e.Name()+" is invalid")
		case m.Scenario == nil || m.Scenario.WorkloadDigest() != candidate.Record.Manifest.Scenario.WorkloadDigest():
			passed = append(passed, e.Name()+" was asked something else")
		case m.Started.After(began):
			best, began = run, m.Started
		}
	}
	if best == "" {
		why := "it holds no other run"
		if len(passed) > 0 {
			slices.Sort(passed)
			why = strings.Join(passed[:min(len(passed), 5)], ", ")
		}
		return "", fail(exitUsage, fmt.Errorf("--baseline %s: no run in it can be the baseline: %s", dir, why))
	}
	return best, nil
}

// write shows the check, and writes it into the files that were asked for. All are tried.
func (j *checkJob) write(c *analyze.Check, github bool) error {
	width, color := terminalOf(j.app.stdout)
	errs := []error{report.CheckTerminal(j.app.stdout, c, width, color)}
	if github {
		errs = append(errs, report.CheckGitHub(j.app.stdout, c))
	}
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{j.junit, func(w io.Writer) error { return report.CheckJUnit(w, c) }},
		{j.markdown, func(w io.Writer) error { return report.CheckMarkdown(w, c) }},
		{j.json, func(w io.Writer) error { return writeJSON(w, c) }},
	} {
		if f.path != "" {
			errs = append(errs, writeFile(f.path, f.write))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fail(exitIO, err)
	}
	return nil
}

// writeFile writes a file anew.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
