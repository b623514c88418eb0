package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/report"
	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) traceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look at recorded traffic, and make a scenario of it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.traceInspectCommand(), a.traceFitCommand())
	return cmd
}

// traceFlags say how a trace is read, shared by the commands that read one.
type traceFlags struct {
	format  string
	columns string
	seed    uint64
}

func (f *traceFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.format, "format", "", "`NAME` of the format, where its first line does not show it: "+strings.Join(workload.TraceFormats(), ", "))
	fs.StringVar(&f.columns, "columns", "", "for csv and jsonl, which column holds what: `time=ts,unit=ms,input=prompt,output=answer,session=user`")
	fs.Uint64Var(&f.seed, "seed", 1, "decides what is random: quantised time stamps spread, ServeGen arrivals")
	fs.SortFlags = false
}

// options are the trace's, as a scenario would give them.
func (f *traceFlags) options(path string) (*workload.Trace, error) {
	t := &workload.Trace{Path: path, Format: f.format}
	if f.columns == "" {
		return t, nil
	}
	t.Columns = &workload.TraceColumns{}
	fields := map[string]*string{"time": &t.Columns.Time, "unit": &t.Columns.Unit, "input": &t.Columns.Input, "output": &t.Columns.Output,
		"session": &t.Columns.Session}
	for part := range strings.SplitSeq(f.columns, ",") {
		key, value, _ := strings.Cut(part, "=")
		field := fields[strings.TrimSpace(key)]
		if field == nil || value == "" {
			return nil, fmt.Errorf("--columns: %q is none of time=, unit=, input=, output=, session= with the name of a column", part)
		}
		*field = value
	}
	if f.format == "" {
		return nil, fmt.Errorf("--columns goes with --format csv or --format jsonl")
	}
	return t, nil
}

func (a *app) traceInspectCommand() *cobra.Command {
	var flags traceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what recorded traces hold: rates, burstiness, lengths, shared prefixes",
		Long: `Inspect reads traces row by row and shows side by side how many rows they have and why some cannot be used, how fast and how
unevenly requests came (CV, IDC, peak over mean), how long prompts and answers were, and how much a prefix cache without
limit would have held; and it draws the rate of each over time. Files may be compressed with gzip or zstd.

Formats: azure, burstgpt, mooncake, bailian and servegen are known by their first line. Any other CSV or JSONL file is read
with --format and --columns.`,
		Example: "  infbench trace inspect conv.csv code.csv.gz\n  infbench trace inspect log.jsonl --format jsonl --columns time=ts,unit=ms,input=prompt_tokens,output=completion_tokens",
		Args:    files("a recorded trace", "infbench trace inspect conv.csv", 0),
		RunE: func(_ *cobra.Command, args []string) error {
			var profiles []*workload.TraceProfile
			for _, path := range args {
				t, err := flags.options(path)
				if err != nil {
					return fail(exitUsage, err)
				}
				p, err := workload.InspectTrace(t, "", flags.seed)
				if err != nil {
					return fail(exitUsage, err)
				}
				profiles = append(profiles, p)
			}
			width, _ := terminalOf(a.stdout)
			show := func() error { return report.Traces(a.stdout, profiles, width) }
			if asJSON {
				show = func() error { return report.TracesJSON(a.stdout, profiles) }
			}
			if err := show(); err != nil {
				return fail(exitIO, err)
			}
			return nil
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the profiles as JSON")
	return cmd
}
