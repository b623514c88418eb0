package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes (design.md section 6).
const (
	exitPass        = 0
	exitVerdict     = 1 // an SLO, a gate, an eval or a budget failed
	exitUsage       = 2 // wrong flag or scenario
	exitInvalid     = 3 // the run cannot be trusted
	exitCannotTell  = 4
	exitIO          = 5 // an endpoint, the network or the disk
	exitInterrupted = 130
)

// exitError carries an exit code through cobra. A nil Err says that everything was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func fail(code int, err error) error { return &exitError{code, err} }

// app is what the commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
}

// run is the program.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, getenv: os.LookupEnv}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitPass
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		// cobra's own errors are about the command line
		fmt.Fprintf(stderr, "infbench: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
		return exitUsage
	}
	if exit.err != nil {
		fmt.Fprintf(stderr, "infbench: %s\n", strings.TrimRight(exit.err.Error(), "\n"))
	}
	return exit.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:     "infbench",
		Version: versionLine(),
		Short:   "Load-test and compare streaming LLM inference endpoints",
		Long: `infbench drives streaming LLM inference endpoints open-loop by a scenario, records every latency from the moment the
request should have been sent, and writes a report that puts the ways of serving side by side.

  infbench run scenarios/quickstart.yaml     the whole way, on simulated endpoints: no key, no GPU, no network
  infbench preview SCENARIO                  what a scenario will send, sending nothing
  infbench report DIR                        draw a run's report again

Exit codes: 0 pass, 1 a verdict failed, 2 usage or scenario error, 3 run invalid, 4 cannot tell, 5 endpoint or I/O error,
130 interrupted (the record is kept).`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(a.runCommand(), a.previewCommand(), a.traceCommand(), a.reportCommand(), a.compareCommand(), a.historyCommand(), a.checkCommand(), a.exportCommand(), a.serveCommand(),
		a.selftestCommand(), a.schemaCommand(), a.versionCommand())
	return root
}
