package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report/export"
)

// exportFlags are the flags of infbench export.
type exportFlags struct {
	format, output string
	force          bool
}

func (a *app) exportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write a run in the format of another tool",
		Long: `Export reads a run directory alone and writes it

  benchfmt      one line per block, as Go benchmarks print them: benchstat compares files of it
  csv, parquet  one row per request with every time stamp in nanoseconds: DuckDB, pandas, R, a spreadsheet
  hgrm          HdrHistogram's percentile output: a file for each approach and metric, so --output names a folder
  openmetrics   the summary as gauges, for Prometheus' textfile collector or a push gateway

A missing value is empty or left out, never 0. What a reader must know of the run, such as that it was interrupted, is said
on standard error.`,
		Example: "  infbench export results/chat-* --format parquet --output chat.parquet\n  infbench export results/chat-* --format benchfmt >new.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.export(ctx, args[0], flags)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&flags.format, "format", "", "`FORMAT`: benchfmt, csv, parquet, hgrm or openmetrics")
	fs.StringVarP(&flags.output, "output", "o", "", "the `FILE` to write, of hgrm the folder (default: standard output)")
	fs.BoolVar(&flags.force, "force", false, "replace what exists")
	return cmd
}

func (a *app) export(ctx context.Context, dir string, flags exportFlags) error {
	format, err := export.ParseFormat(flags.format)
	if err != nil {
		return fail(exitUsage, err)
	}
	switch {
	case flags.output != "":
	case format.Files():
		return fail(exitUsage, fmt.Errorf("%s is a file for each approach and metric: give --output a folder", format))
	case format.Binary() && onTerminal(a.stdout):
		return fail(exitUsage, fmt.Errorf("%s is not for a terminal: give --output a file", format))
	}
	rec, err := measure.Open(dir)
	if err != nil {
		return fail(exitIO, err)
	}
	var notes []string
	switch {
	case format.Files():
		var paths []string
		paths, notes, err = export.WriteFiles(flags.output, format, rec, flags.force)
		for _, p := range paths {
			fmt.Fprintln(a.stdout, p)
		}
	case flags.output == "":
		notes, err = export.Write(stoppable{ctx, a.stdout}, format, rec)
	default:
		err = export.WriteFile(flags.output, flags.force, func(w io.Writer) (err error) {
			notes, err = export.Write(stoppable{ctx, w}, format, rec)
			return err
		})
	}
	for _, n := range notes {
		fmt.Fprintf(a.stderr, "infbench: %s: %s\n", dir, n)
	}
	return exportError(ctx, err)
}

func exportError(ctx context.Context, err error) error {
	var exists *export.ExistsError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fail(exitInterrupted, errors.New("interrupted: the output is not whole"))
	case errors.As(err, &exists):
		return fail(exitUsage, fmt.Errorf("%w: give --output another name, or --force to replace it", err))
	}
	return fail(exitIO, err)
}

// stoppable refuses to write once its context is over, so that a long export ends on Ctrl-C.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppable) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(b)
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
