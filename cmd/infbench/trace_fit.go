package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/report"
	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) traceFitCommand() *cobra.Command {
	var flags traceFlags
	var output, lengths string
	var force bool
	cmd := &cobra.Command{
		Use:   "fit FILE",
		Short: "Write a scenario that mimics a recorded trace, and say how well",
		Long: `Fit makes a scenario whose traffic is like a trace's without the trace: a rate, constant or in steps; the burst family that comes
closest in CV and IDC; and lengths, as pairs out of the trace or as lognormal laws. It writes the scenario to a file and shows
the recorded and the fitted traffic side by side.`,
		Example: "  infbench trace fit conv.csv --output conv.yaml",
		Args:    oneFile("a recorded trace", "infbench trace fit conv.csv --output conv.yaml"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := scenarioName(args[0])
			if output == "" {
				output = name + ".yaml"
			}
			if lengths != "pairs" && lengths != "lognormal" {
				return fail(exitUsage, fmt.Errorf("--lengths is %q: write pairs or lognormal", lengths))
			}
			if _, err := os.Stat(output); err == nil && !force {
				return fail(exitUsage, fmt.Errorf("%s exists: give --output another name, or --force to replace it", output))
			}
			t, err := flags.options(args[0])
			if err != nil {
				return fail(exitUsage, err)
			}
			fit, err := workload.FitTrace(t, "", workload.FitOptions{Name: name, Seed: flags.seed, Lognormal: lengths == "lognormal"})
			if err != nil {
				return fail(exitUsage, err)
			}
			if err := os.WriteFile(output, []byte(fit.YAML()), 0o644); err != nil {
				return fail(exitIO, err)
			}
			width, _ := terminalOf(a.stdout)
			if err := report.TraceFit(a.stdout, fit, width); err != nil {
				return fail(exitIO, err)
			}
			fmt.Fprintf(a.stdout, "Scenario: %s. Give it your approaches, then: infbench preview %s\n", output, output)
			return nil
		},
	}
	flags.register(cmd)
	fs := cmd.Flags()
	fs.StringVarP(&output, "output", "o", "", "the scenario `FILE` (default: the trace's name with .yaml)")
	fs.StringVar(&lengths, "lengths", "pairs", "`KIND` of lengths: pairs out of the trace, or lognormal")
	fs.BoolVar(&force, "force", false, "replace the file if it exists")
	return cmd
}

// scenarioName makes the name of a scenario out of that of a file.
func scenarioName(path string) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(base))
	if name = strings.Trim(name, "-"); name == "" {
		return "trace"
	}
	return name
}
