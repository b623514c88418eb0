package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/measure"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, versionLine())
			return err
		},
	}
}

// versionLine is what version and --version print.
func versionLine() string {
	t := measure.ThisTool()
	line := "infbench " + t.Version
	if t.Revision != "" {
		line += " (" + t.Revision + ")"
	}
	return line + " " + t.Go
}
