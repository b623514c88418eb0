//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/infbench/infbench/internal/scripted"
)

// weather judges established streams while new connections are opened at one instant, and beside that in the quiet
// before, in the same turn. Gaps are held against the server's own stamps.
func weather(ctx context.Context, l load, rounds int, names []string, stdout, stderr io.Writer) error {
	for _, name := range names {
		if !strings.HasPrefix(name, "infbench") && !strings.HasPrefix(name, "reference") {
			return fmt.Errorf("-storm drives infbench, infbench-tls, reference or reference-tls, not %s", name)
		}
	}
	w, err := newWorkshop(ctx, stderr)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Fprintf(stdout, "%d streams x %.0f events/s, and %d new connections at one instant; gap errors of the %d\n\n", l.streams,
		float64(time.Second)/float64(l.gap), l.storm, l.streams)
	tw := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "client\tturn\tweather\tlasted\tgaps\terror p50\tp99\tp99.9\tmax\tover 1 ms\tserver lag p99\t")
	for round := range rounds {
		for _, name := range names {
			t, err := w.turn(ctx, name, l)
			if err == nil {
				err = t.report(tw, name, round, l)
			}
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
		}
	}
	return tw.Flush()
}

// report writes a turn's two lines. The storm lasts from its first request's arrival to its last one's first token.
func (t *turnLog) report(w io.Writer, name string, round int, l load) error {
	var from, to int64
	for _, s := range t.truth {
		if s.Index < l.first+l.streams {
			continue
		}
		if from == 0 || s.Received < from {
			from = s.Received
		}
		to = max(to, s.Writes[0])
	}
	for _, part := range []struct {
		weather  string
		from, to int64
	}{{"quiet", from - int64(l.stormAt()/2), from}, {"storm", from, to}} {
		e, err := scripted.Judge(t.within(l, part.from, part.to))
		if err != nil {
			return err
		}
		q := func(p float64) float64 { return ms(scripted.Quantile(e.Gap, p)) }
		over, _ := slices.BinarySearch(e.Gap, time.Millisecond)
		fmt.Fprintf(w, "%s\t%d\t%s\t%.0f ms\t%d\t%.3f ms\t%.3f ms\t%.3f ms\t%.3f ms\t%.2f%%\t%.2f ms\t\n", name, round+1, part.weather,
			float64(part.to-part.from)/1e6, len(e.Gap), q(0.5), q(0.99), q(0.999), q(1),
			100*float64(len(e.Gap)-over)/float64(max(1, len(e.Gap))), ms(scripted.Quantile(e.Lag, 0.99)))
	}
	return nil
}

// within cuts the established streams to the events that the server wrote in a time.
func (t *turnLog) within(l load, from, to int64) (truth, seen []scripted.Served) {
	byIndex := map[int]scripted.Served{}
	for _, s := range t.seen {
		byIndex[s.Index] = s
	}
	for _, s := range t.truth {
		first, _ := slices.BinarySearch(s.Writes, from)
		end, _ := slices.BinarySearch(s.Writes, to)
		if s.Index >= l.first+l.streams || end-first < 2 {
			continue
		}
		c := byIndex[s.Index]
		if len(c.Writes) == len(s.Writes) { // else Judge says what is missing
			c.Writes = c.Writes[first:end]
		}
		s.Writes, s.Due = s.Writes[first:end], s.Due[first:end]
		truth, seen = append(truth, s), append(seen, c)
	}
	return truth, seen
}
