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
	var streams []int
	var rate float64
	var level selftest.Level
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Measure infbench's own error on this machine",
		Long: `Selftest starts a scripted server in a process of its own and drives it up a ladder of streams and event rates, with the very
code of a run. At each level it compares what the client measured with when the server really wrote: the error of TTFT and of
the gaps between tokens, what an event costs, and how late the client itself was.

The highest level that is proven is the noise floor of this machine. It is kept, printed in every report, and a run beyond it
is called suspect. Exit 0 when at least 20,000 events/s are proven, else 1.`,
		Example: `  infbench selftest
  infbench selftest --json
  infbench selftest --streams 10000 --rate 2 --over 10s --span 30s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serve {
				if err := scripted.Serve(a.stdin, a.stdout); err != nil {
					return fail(exitIO, err)
				}
				return nil
			}
			if !(rate > 0 && rate <= 10_000) {
				return fail(exitUsage, fmt.Errorf("--rate %g: give more than 0, and 10000 at most", rate))
			}
			level.Gap = time.Duration(float64(time.Second) / rate)
			return a.selftest(cmd, streams, level, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.Flags().IntSliceVar(&streams, "streams", nil, "climb these numbers of `streams` instead of the whole ladder")
	cmd.Flags().Float64Var(&rate, "rate", 50, "`events` per second of each stream")
	cmd.Flags().DurationVar(&level.Span, "span", 5*time.Second, "`length` of each level")
	cmd.Flags().DurationVar(&level.Over, "over", 0, "start the streams of a level evenly over this `time`, once, instead of all at one instant, five times")
	cmd.Flags().BoolVar(&serve, "serve", false, "be the scripted server (selftest starts itself so)")
	_ = cmd.Flags().MarkHidden("serve")
	return cmd
}

func (a *app) selftest(cmd *cobra.Command, streams []int, level selftest.Level, asJSON bool) error {
	if level.Span < 500*time.Millisecond || level.Span > time.Hour {
		return fail(exitUsage, fmt.Errorf("--span %s: give 500ms to 1h", level.Span))
	}
	if level.Over < 0 || level.Over > level.Span {
		return fail(exitUsage, fmt.Errorf("--over %s: give 0 to the --span %s, so that all streams are open together", level.Over, level.Span))
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
	levels := selftest.Ladder(level, streams...)
	fmt.Fprintf(a.stderr, "%d levels, about %s. Leave the machine alone meanwhile.\n", len(levels), selftest.Remaining(levels).Round(time.Second))
	r, err := selftest.Run(ctx, levels, selftest.SpawnProgram(a.stderr, self, "selftest", "--serve"), func(rung *selftest.Rung) {
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
