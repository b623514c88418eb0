package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Schema prints the JSON Schema of scenario files. Name it in the first line of a scenario and editors complete and check it:

  # yaml-language-server: $schema=scenario.schema.json`,
		Example: "  infbench schema > scenarios/scenario.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := workload.JSONSchema()
			if err == nil {
				_, err = fmt.Fprintf(a.stdout, "%s\n", b)
			}
			if err != nil {
				return fail(exitIO, err)
			}
			return nil
		},
	}
}
