package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// oneFile wants exactly one argument, and says what it is where it is missing.
func oneFile(what, example string) cobra.PositionalArgs { return files(what, example, 1) }

// files wants one argument and more, at most so many; 0: any number.
func files(what, example string, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("the file is missing: name %s, such as: %s", what, example)
		case most > 0 && len(args) > most:
			return fmt.Errorf("%d arguments (%s): name %s, and only one, such as: %s", len(args), strings.Join(args, " "), what, example)
		}
		return nil
	}
}
