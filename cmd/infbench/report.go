package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report"
)

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR...",
		Short: "Draw the report of run directories again, from the directories alone",
		Long: `Report reads run directories and writes report.html, report.md, summary.json and the plots into each again. It needs
nothing but the directory: no network, no scenario file, no endpoint. A run that was interrupted, or whose process died,
is reported as far as it went and marked so.`,
		Example: "  infbench report results/quickstart-*",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) error {
			for _, dir := range dirs {
				an, err := analyseDir(dir)
				if err == nil {
					err = a.writeReport(an)
				}
				if err != nil {
					return fail(exitIO, err)
				}
			}
			return nil
		},
	}
}

func analyseDir(dir string) (*analyze.Analysis, error) {
	rec, err := measure.Open(dir)
	if err != nil {
		return nil, err
	}
	an, err := analyze.Run(rec)
	if err != nil {
		return nil, fmt.Errorf("analyse %s: %w", dir, err)
	}
	return an, nil
}

// writeReport writes the report's files and shows it on the terminal. A disk that refuses the files does not hide the
// numbers.
func (a *app) writeReport(an *analyze.Analysis) error {
	werr := report.WriteAll(an.Dir, an)
	width, color := terminalOf(a.stdout)
	err := report.Terminal(a.stdout, an, width, color)
	if werr == nil {
		_, werr = fmt.Fprintf(a.stdout, "\nReport: %s\n", filepath.Join(an.Dir, "report.html"))
	}
	return errors.Join(werr, err)
}

// terminalOf is the width of a terminal and whether it takes colour; 100 and false for anything else.
func terminalOf(w io.Writer) (width int, color bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 100, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	return width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
