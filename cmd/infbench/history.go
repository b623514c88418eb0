package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report"
)

func (a *app) historyCommand() *cobra.Command {
	var o analyze.HistoryOptions
	var asJSON, failOnChange bool
	var out string
	cmd := &cobra.Command{
		Use:   "history DIR",
		Short: "Show every figure over the nights, and where it changed",
		Long: `History shows the runs that were added to a folder: a series for each workload, approach, server as it is declared
(levers, model, API), client machine and version of infbench. Where one of these changes, a new series begins. It draws
every figure over the nights into history.html in the folder (or --out), and says where one changed, by how much and how surely.

Change points are found by E-divisive and confirmed by Student's t. They show a change some nights after it came: tonight's
gate is infbench check. It exits with 0 whatever it finds, unless --fail-on-change, and with 5 where there is no history,
it is empty or a line of it is broken.`,
		Example: `  infbench history add nightly results/nightly-20261101T020000Z-1a2b3c
  infbench history nightly --figure "ttft p95" --figure "tpot p50" --approach ours`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, c := range []struct {
				flag string
				v    float64
			}{{"--max-p", o.MaxP}, {"--matters", o.Matters}, {"--matters-share", o.MattersShare}} {
				if !(c.v > 0 && c.v < 1) {
					return fail(exitUsage, fmt.Errorf("%s %g: give more than 0 and less than 1", c.flag, c.v))
				}
			}
			all, err := a.showHistory(args[0], cmp.Or(out, args[0]), o, asJSON)
			if err != nil || !failOnChange {
				return err
			}
			return historyVerdict(all)
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&o.Figures, "figure", nil, "show this `figure`, such as \"ttft p95\"; may be given again (default: ttft p95, tpot p50, error_rate and output_rate)")
	fs.StringVar(&o.Approach, "approach", "", "show this `approach` alone")
	fs.Float64Var(&o.MaxP, "max-p", 1e-4, "the largest p-value of a change point")
	fs.Float64Var(&o.Matters, "matters", 0.05, "the smallest relative change that matters")
	fs.Float64Var(&o.MattersShare, "matters-share", 0.01, "the smallest change of a share that matters, as a difference")
	fs.StringVar(&out, "out", "", "write the page and its plots into this `folder` (default: DIR)")
	fs.BoolVar(&asJSON, "json", false, "write JSON, and no page")
	fs.BoolVar(&failOnChange, "fail-on-change", false, fmt.Sprintf("exit with 1 when the last %d nights of a series that goes on were the first to show that a figure became worse, and with 4 when one has too few nights to tell", analyze.RecentNights))
	cmd.AddCommand(a.historyAddCommand())
	return cmd
}

// historyVerdict is the exit code of --fail-on-change.
func historyVerdict(all []analyze.HistorySeries) error {
	switch analyze.HistoryVerdict(all) {
	case analyze.Pass:
		return nil
	case analyze.CannotTell:
		why := "no series goes on"
		for i := range all {
			if untold := all[i].Untold(); !all[i].Ended && untold != "" {
				why = fmt.Sprintf("%s, %s: %s", all[i].Scenario, all[i].Key.Approach, untold)
				break
			}
		}
		return fail(exitCannotTell, errors.New("cannot tell: "+why))
	}
	var worse []string
	for _, r := range analyze.RecentChanges(all) {
		if !r.Change.Better {
			worse = append(worse, fmt.Sprintf("%s of %s, %s, since %s", r.Trend.Name, r.Series.Scenario, r.Series.Key.Approach, r.Change.Started.UTC().Format(time.DateOnly)))
		}
	}
	return fail(exitVerdict, fmt.Errorf("found worse in the last %d nights: %s", analyze.RecentNights, strings.Join(worse, "; ")))
}

func (a *app) showHistory(dir, out string, o analyze.HistoryOptions, asJSON bool) ([]analyze.HistorySeries, error) {
	h, err := analyze.ReadHistory(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fail(exitIO, fmt.Errorf("%s holds no history (%s): add a run with infbench history add %s RUN", dir, analyze.HistoryFile, dir))
	}
	if err != nil {
		return nil, fail(exitIO, err)
	}
	if len(h.Entries) == 0 {
		return nil, fail(exitIO, fmt.Errorf("%s is empty: add a run with infbench history add %s RUN", h.Path, dir))
	}
	all, err := h.Series(o)
	if err != nil {
		return nil, fail(exitUsage, err)
	}
	if asJSON {
		err = writeJSON(a.stdout, all)
	} else {
		err = a.historyText(out, h, all)
	}
	if err != nil {
		return nil, fail(exitIO, err)
	}
	return all, nil
}

// historyText writes the page, and what it says to the terminal.
func (a *app) historyText(out string, h *analyze.History, all []analyze.HistorySeries) error {
	width, color := terminalOf(a.stdout)
	err := report.HistoryTerminal(a.stdout, h, all, width, color)
	if werr := report.WriteHistory(out, h, all); werr != nil {
		return errors.Join(err, werr)
	}
	_, werr := fmt.Fprintf(a.stdout, "\nPage: %s\n", filepath.Join(out, "history.html"))
	return errors.Join(err, werr)
}

func (a *app) historyAddCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "add DIR RUN...",
		Short: "Add runs to a history",
		Long: `Add appends the approaches of runs to the history in a folder, and makes the folder where it is not there. A run that is in
it is left as it is, so that a pipeline may add twice. A record whose files are missing, cut short or were changed is
refused, and nothing of it is added; so is a run that was not finished or whose measurement is invalid, unless --force.`,
		Example: "  infbench history add nightly results/nightly-20261101T020000Z-1a2b3c",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, run := range args[1:] {
				if err := a.addToHistory(args[0], run, force); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "add a run that was not finished or is invalid too; it is marked, and no change is found by it")
	return cmd
}

func (a *app) addToHistory(dir, run string, force bool) error {
	rec, err := measure.Open(run)
	if err != nil {
		return fail(exitIO, err)
	}
	entries, err := analyze.HistoryEntries(rec, force)
	switch {
	case errors.Is(err, analyze.ErrNotForHistory) && force:
		return fail(exitInvalid, err)
	case errors.Is(err, analyze.ErrNotForHistory):
		return fail(exitInvalid, fmt.Errorf("%w\n--force adds what went through all the same, marked", err))
	case err != nil:
		return fail(exitIO, err)
	}
	added, err := analyze.AppendHistory(dir, entries)
	if err != nil {
		return fail(exitIO, err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %d added, %d there already\n", run, added, len(entries)-added)
	if err != nil {
		return fail(exitIO, err)
	}
	return nil
}
