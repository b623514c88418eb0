package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/internal/selftest"
	"github.com/infbench/infbench/pkg/measure"
)

func (a *app) selftestCommand() *cobra.Command {
	var asJSON, serve bool
	var span time.Duration
	var streams []int
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Measure infbench's own error on this machine",
		Long: `Selftest starts a scripted server in a process of its own and drives it up a ladder of streams and event rates, with the very
code of a run. At each level it compares what the client measured with when the server really wrote: the error of TTFT and of
the gaps between tokens, what an event costs, and how late the client itself was.

The highest level that is proven is the noise floor of this machine. It is kept, printed in every report, and a run beyond it
is called suspect. Exit 0 when at least 20,000 events/s are proven, else 1.`,
		Example: "  infbench selftest\n  infbench selftest --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serve {
				if err := scripted.Serve(a.stdin, a.stdout); err != nil {
					return fail(exitIO, err)
				}
				return nil
			}
			return a.selftest(cmd, streams, span, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.Flags().IntSliceVar(&streams, "streams", nil, "climb these numbers of `streams` of 50 events/s instead of the whole ladder")
	cmd.Flags().DurationVar(&span, "span", 5*time.Second, "`length` of each level")
	cmd.Flags().BoolVar(&serve, "serve", false, "be the scripted server (selftest starts itself so)")
	_ = cmd.Flags().MarkHidden("serve")
	return cmd
}

func (a *app) selftest(cmd *cobra.Command, streams []int, span time.Duration, asJSON bool) error {
	if span < 500*time.Millisecond || span > time.Minute {
		return fail(exitUsage, fmt.Errorf("--span %s: give 500ms to 1m", span))
	}
	for _, n := range streams {
		if n < 1 || n > 20_000 {
			return fail(exitUsage, fmt.Errorf("--streams %d: give 1 to 20000", n))
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fail(exitIO, fmt.Errorf("find the program to start as a server: %w", err))
	}
	ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	levels := selftest.Ladder(streams...)
	fmt.Fprintf(a.stderr, "%d levels, about %s. Leave the machine alone meanwhile.\n", len(levels), selftest.Remaining(levels, span).Round(time.Second))
	r, err := selftest.Run(ctx, levels, span, selftest.SpawnProgram(a.stderr, self, "selftest", "--serve"), func(rung *selftest.Rung) {
		fmt.Fprintf(a.stderr, "%d streams, %.0f events/s: %.1f us/event\n", rung.Streams, rung.Achieved, rung.CPUPerEvent)
	})
	switch {
	case ctx.Err() != nil:
		return fail(exitInterrupted, errors.New("interrupted: nothing is kept"))
	case err != nil:
		return fail(exitIO, err)
	}
	if r.Floor != nil {
		path, err := measure.SaveFloor(r.Floor)
		if err != nil {
			return fail(exitIO, err)
		}
		fmt.Fprintf(a.stderr, "Kept in %s.\n\n", path)
	}
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		err = r.Table(a.stdout)
	}
	if err != nil {
		return fail(exitIO, err)
	}
	if !r.Enough {
		return fail(exitVerdict, nil)
	}
	return nil
}
