package main

import (
	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/report"
	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) previewCommand() *cobra.Command {
	var flags scenarioFlags
	cmd := &cobra.Command{
		Use:   "preview SCENARIO",
		Short: "Draw what a scenario will send, sending nothing",
		Long: `Preview computes the whole schedule of a scenario and shows it: arrivals over time against the rate asked for, how bursty
they are (CV, IDC), prompt and answer lengths, the tokens that a run will ask for, and how many of them a prefix cache could
spare. It sends nothing and needs no key.`,
		Example: "  infbench preview scenarios/quickstart.yaml --rate 100/s",
		Args:    oneFile("a scenario", "infbench preview scenarios/quickstart.yaml"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := flags.load(args[0], a.stderr)
			if err != nil {
				return err
			}
			sched, err := workload.NewSchedule(s)
			if err != nil {
				return fail(exitUsage, workload.LocateFile(err, args[0], flags.overrides()...))
			}
			source, err := workload.NewSource(s, sched)
			if err != nil {
				return fail(exitUsage, workload.LocateFile(err, args[0], flags.overrides()...))
			}
			width, _ := terminalOf(a.stdout)
			if err := report.Preview(a.stdout, s, sched, source, width); err != nil {
				return fail(exitIO, err)
			}
			return nil
		},
	}
	flags.register(cmd)
	return cmd
}
