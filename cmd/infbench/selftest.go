package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	var sends int
	var level selftest.Level
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Measure infbench's own error on this machine",
		Long: `Selftest starts a scripted server in a process of its own and drives it up a ladder of streams and event rates, with the very
code of a run. At each level it compares what the client measured with when the server really wrote: the error of TTFT and of
the gaps between tokens, what an event costs, and how late the client itself was.

The highest level that is proven by the whole ladder is the noise floor of this machine. It is kept, printed in every report, and a run beyond it
is called suspect. Exit 0 when at least 20,000 events/s are proven, else 1.

With --sends it measures how far from their scheduled times requests leave. Exit 0 when the median is below 100 us and the 99th
percentile below 1 ms, else 1.`,
		Example: `  infbench selftest
  infbench selftest --json
  infbench selftest --streams 10000 --rate 2 --over 10s --span 30s
  infbench selftest --sends 1000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serve {
				if err := scripted.Serve(a.stdin, a.stdout); err != nil {
					return fail(exitIO, err)
				}
				return nil
			}
			if level.Span < 500*time.Millisecond || level.Span > time.Hour {
				return fail(exitUsage, fmt.Errorf("--span %s: give 500ms to 1h", level.Span))
			}
			if !(rate > 0 && rate <= 10_000) {
				return fail(exitUsage, fmt.Errorf("--rate %g: give more than 0, and 10000 at most", rate))
			}
			if cmd.Flags().Changed("sends") {
				return a.selftestSends(cmd, sends, level.Span, asJSON)
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
	cmd.Flags().IntVar(&sends, "sends", 0, "measure instead how far from their time so many `requests` per second leave, and so many at one instant")
	cmd.Flags().BoolVar(&serve, "serve", false, "be the scripted server (selftest starts itself so)")
	_ = cmd.Flags().MarkHidden("serve")
	return cmd
}

func (a *app) selftest(cmd *cobra.Command, streams []int, level selftest.Level, asJSON bool) error {
	if level.Over < 0 || level.Over > level.Span {
		return fail(exitUsage, fmt.Errorf("--over %s: give 0 to the --span %s, so that all streams are open together", level.Over, level.Span))
	}
	for _, n := range streams {
		if n < 1 || n > 20_000 {
			return fail(exitUsage, fmt.Errorf("--streams %d: give 1 to 20000", n))
		}
	}
	spawn, err := a.spawn()
	if err != nil {
		return err
	}
	ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	levels := selftest.Ladder(level, streams...)
	fmt.Fprintf(a.stderr, "%d levels, about %s. Leave the machine alone meanwhile.\n", len(levels), selftest.Remaining(levels).Round(time.Second))
	r, err := selftest.Run(ctx, levels, spawn, func(rung *selftest.Rung) {
		fmt.Fprintf(a.stderr, "%d streams, %.0f events/s: %.1f us/event\n", rung.Streams, rung.Achieved, rung.CPUPerEvent)
	})
	switch {
	case ctx.Err() != nil:
		return fail(exitInterrupted, errors.New("interrupted: nothing is kept"))
	case err != nil:
		return fail(exitIO, err)
	}
	if r.Floor != nil && len(streams) == 0 { // levels of one's own are an experiment: they do not say how far the machine goes
		path, err := measure.SaveFloor(r.Floor)
		if err != nil {
			return fail(exitIO, err)
		}
		fmt.Fprintf(a.stderr, "Kept in %s.\n\n", path)
	}
	return a.tellSelftest(r, asJSON, r.Enough)
}

// selftestSends measures the accuracy of sends alone.
func (a *app) selftestSends(cmd *cobra.Command, rate int, span time.Duration, asJSON bool) error {
	if rate < 1 || rate > 10_000 {
		return fail(exitUsage, fmt.Errorf("--sends %d: give 1 to 10000", rate))
	}
	spawn, err := a.spawn()
	if err != nil {
		return err
	}
	ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	r, err := selftest.MeasureSends(ctx, rate, span, spawn, func(line string) { fmt.Fprintln(a.stderr, line) })
	switch {
	case ctx.Err() != nil:
		return fail(exitInterrupted, errors.New("interrupted"))
	case err != nil:
		return fail(exitIO, err)
	}
	return a.tellSelftest(r, asJSON, r.Accurate)
}

// spawn starts this program as the scripted server.
func (a *app) spawn() (selftest.Spawn, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fail(exitIO, fmt.Errorf("find the program to start as a server: %w", err))
	}
	return selftest.SpawnProgram(a.stderr, self, "selftest", "--serve"), nil
}

// tellSelftest prints a result; one that is not good enough is exit 1.
func (a *app) tellSelftest(r interface{ Table(io.Writer) error }, asJSON, good bool) error {
	var err error
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
	if !good {
		return fail(exitVerdict, nil)
	}
	return nil
}
