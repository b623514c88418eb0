package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report"
)

// compareFlags say how two arms are compared.
type compareFlags struct {
	gate       []string
	confidence float64
	matters    float64
	aa         string
	force      bool
}

func (f *compareFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringSliceVar(&f.gate, "gate", analyze.DefaultGated, "the `figures` that were chosen in advance; all others are corrected for their number")
	fs.Float64Var(&f.confidence, "confidence", 0.95, "of the intervals")
	fs.Float64Var(&f.matters, "matters", 0.05, "the smallest relative difference that matters")
	fs.StringVar(&f.aa, "aa", "", "take the noise floor from the first two approaches of the run in this `directory`, which must be the same endpoint")
	fs.BoolVar(&f.force, "force", false, "compare what does not compare, and say so in the title")
}

// options are the flags as what analyze takes.
func (f *compareFlags) options() (analyze.CompareOptions, error) {
	o := analyze.CompareOptions{Gated: f.gate, Confidence: f.confidence, Matters: f.matters}
	switch {
	case !(f.confidence > 0 && f.confidence < 1):
		return o, fail(exitUsage, fmt.Errorf("--confidence %g: give more than 0 and less than 1, such as 0.95", f.confidence))
	case !(f.matters > 0 && f.matters < 10):
		return o, fail(exitUsage, fmt.Errorf("--matters %g: give a relative difference, such as 0.05 for 5%%", f.matters))
	case f.aa == "":
		return o, nil
	}
	arms, err := openArms(f.aa)
	if err != nil {
		return o, err
	}
	if len(arms) < 2 {
		return o, fail(exitUsage, fmt.Errorf("--aa %s: the run has one approach; an A/A run drives one endpoint under two names", f.aa))
	}
	c, err := analyze.Compare(arms[0], arms[1], true, o)
	if err != nil {
		return o, fail(exitUsage, err)
	}
	if o.Floor = analyze.NoiseOf(c); len(o.Floor) == 0 {
		return o, fail(exitUsage, fmt.Errorf("--aa %s: too few blocks for a noise floor: run it with --blocks 10", f.aa))
	}
	return o, nil
}

func (a *app) compareCommand() *cobra.Command {
	var flags compareFlags
	var baseline string
	var asJSON, markdown bool
	cmd := &cobra.Command{
		Use:   "compare RUN[:APPROACH] [RUN[:APPROACH]...]",
		Short: "Compare approaches or runs, block by block, with intervals",
		Long: `Compare holds approaches against a baseline: those of one run against its first (or --baseline), or those of further runs
against the first one's. RUN is a run directory; with several approaches in it, RUN:APPROACH names one, and without a
name runs are compared by the approaches that have the same.

The block is the sample, never the request: requests of one block are not independent, and tests over requests find a
difference between two identical servers in a fifth to four fifths of all cases. Run with --blocks 10. Blocks that got the
same requests are paired.

Figures named by --gate were chosen in advance; all others are shown, and corrected for their number. It refuses to compare
what does not compare (other requests, tokens counted otherwise, an answer that is not streamed beside one that is, an
invalid measurement), unless --force. It ends with 0 whatever it finds: infbench check is the gate.`,
		Example: `  infbench compare results/nightly-20261101T020000Z-1a2b3c
  infbench compare results/before:ours results/after:ours --aa results/aa`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o, err := flags.options()
			if err != nil {
				return err
			}
			pairs, err := pairArms(args, baseline)
			if err != nil {
				return err
			}
			var all []*analyze.Comparison
			for _, p := range pairs {
				c, err := analyze.Compare(p.baseline, p.candidate, flags.force, o)
				if err != nil {
					return fail(exitUsage, fmt.Errorf("%w\n--force compares all the same, and says so in the title", err))
				}
				all = append(all, c)
			}
			return a.showComparisons(all, asJSON, markdown)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&baseline, "baseline", "", "hold the approaches of a single run against this `approach` (default: its first)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write Markdown")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

func (a *app) showComparisons(all []*analyze.Comparison, asJSON, markdown bool) error {
	var err error
	switch {
	case asJSON:
		err = writeJSON(a.stdout, all)
	case markdown:
		err = report.CompareMarkdown(a.stdout, all)
	default:
		width, color := terminalOf(a.stdout)
		err = report.CompareTerminal(a.stdout, all, width, color)
	}
	if err != nil {
		return fail(exitIO, err)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// armPair is a candidate with its baseline.
type armPair struct{ baseline, candidate *analyze.Arm }

// openArms are the arms of a run directory.
func openArms(dir string) ([]*analyze.Arm, error) {
	rec, err := measure.Open(dir)
	if err != nil {
		return nil, fail(exitIO, err)
	}
	if rec.Manifest.State == measure.Running && measure.InUse(dir) {
		return nil, fail(exitIO, fmt.Errorf("%s is being written by another process: wait until the run has ended", dir))
	}
	arms, err := analyze.Arms(rec)
	if err != nil {
		return nil, fail(exitIO, fmt.Errorf("%s: %w", dir, err))
	}
	if len(arms) == 0 {
		return nil, fail(exitIO, fmt.Errorf("%s: no approach was measured", dir))
	}
	return arms, nil
}

// namedArms are the arms that RUN or RUN:APPROACH names. They are called after their run where there are several runs.
func namedArms(arg string, several bool) ([]*analyze.Arm, error) {
	dir, name, named := cutApproach(arg)
	arms, err := openArms(dir)
	if err != nil {
		return nil, err
	}
	if named {
		one, err := analyze.FindArm(arms, name)
		if err != nil {
			return nil, fail(exitUsage, fmt.Errorf("%s: %w", arg, err))
		}
		arms = []*analyze.Arm{one}
	}
	if several {
		for _, arm := range arms {
			arm.Name = filepath.Base(filepath.Clean(dir)) + ":" + arm.Approach
		}
	}
	return arms, nil
}

// cutApproach takes RUN:APPROACH apart. A colon in the path of a run that is there belongs to the path.
func cutApproach(arg string) (dir, name string, named bool) {
	i := strings.LastIndexByte(arg, ':')
	if i < 0 || measure.IsRun(arg) {
		return arg, "", false
	}
	return arg[:i], arg[i+1:], true
}

// pairArms says what is held against what.
func pairArms(args []string, baseline string) ([]armPair, error) {
	first, err := namedArms(args[0], len(args) > 1)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return pairsWithin(args[0], first, baseline)
	}
	if baseline != "" {
		return nil, fail(exitUsage, errors.New("--baseline is for a single run: of several, the first is the baseline; write RUN:APPROACH"))
	}
	var pairs []armPair
	for _, arg := range args[1:] {
		others, err := namedArms(arg, true)
		if err != nil {
			return nil, err
		}
		matched := matchArms(first, others)
		if len(matched) == 0 {
			return nil, fail(exitUsage, fmt.Errorf("%s and %s have no approach of the same name: write RUN:APPROACH", args[0], arg))
		}
		pairs = append(pairs, matched...)
	}
	return pairs, nil
}

// pairsWithin holds the approaches of one run against one of them.
func pairsWithin(dir string, arms []*analyze.Arm, baseline string) ([]armPair, error) {
	if len(arms) < 2 {
		return nil, fail(exitUsage, fmt.Errorf("%s has one approach, and there is nothing to hold it against: name another run", dir))
	}
	base := arms[0]
	if baseline != "" {
		var err error
		if base, err = analyze.FindArm(arms, baseline); err != nil {
			return nil, fail(exitUsage, fmt.Errorf("--baseline: %w", err))
		}
	}
	var pairs []armPair
	for _, arm := range arms {
		if arm != base {
			pairs = append(pairs, armPair{base, arm})
		}
	}
	return pairs, nil
}

// matchArms pairs arms of the same name, or the only arms of both sides whatever they are called.
func matchArms(first, others []*analyze.Arm) []armPair {
	if len(first) == 1 && len(others) == 1 {
		return []armPair{{first[0], others[0]}}
	}
	var pairs []armPair
	for _, a := range first {
		for _, b := range others {
			if a.Approach == b.Approach {
				pairs = append(pairs, armPair{a, b})
			}
		}
	}
	return pairs
}
