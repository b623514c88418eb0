//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/infbench/infbench/internal/scripted"
)

// result is one turn of one client.
type result struct {
	perEvent          time.Duration // CPU time
	ttft50, ttft99    time.Duration // errors
	gap99             time.Duration // error
	seenGap, trueGap  time.Duration // p99 of the gaps themselves
	seenHalf          time.Duration // p50 of the gaps seen
	serverLag         time.Duration // p99
	rssPerStreamBytes int64
}

func judge(t *turnLog) (result, error) {
	s, truth := t.spent, t.truth
	e, err := scripted.Judge(truth, t.seen)
	if err != nil {
		return result{}, err
	}
	q := scripted.Quantile
	return result{perEvent: time.Duration(s.CPUSeconds * 1e9 / float64(e.Events)), ttft50: q(e.TTFT, 0.5), ttft99: q(e.TTFT, 0.99),
		gap99: q(e.Gap, 0.99), seenGap: q(e.SeenGap, 0.99), trueGap: q(e.TrueGap, 0.99), seenHalf: q(e.SeenGap, 0.5),
		serverLag: q(e.Lag, 0.99), rssPerStreamBytes: s.MaxRSSKiB << 10 / int64(len(truth))}, nil
}

func (r result) String() string {
	return fmt.Sprintf("%.2f us/event, TTFT error p50 %.3f p99 %.3f ms, gap error p99 %.3f ms, gap p99 %.2f ms (truth %.2f), server lag p99 %.2f ms",
		us(r.perEvent), ms(r.ttft50), ms(r.ttft99), ms(r.gap99), ms(r.seenGap), ms(r.trueGap), ms(r.serverLag))
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// table collects the turns.
type table struct {
	load  load
	names []string
	turns map[string][]result
}

func newTable(l load, names []string) *table {
	return &table{load: l, names: names, turns: map[string][]result{}}
}

func (t *table) add(name string, r result) { t.turns[name] = append(t.turns[name], r) }

// print writes the medians over the turns, and each client's cost as a ratio to the first's, turn by turn.
func (t *table) print(w io.Writer) error {
	rate := float64(t.load.streams) * float64(time.Second) / float64(t.load.gap)
	fmt.Fprintf(w, "%d streams at once x %.0f events/s (%.0f/s), medians of %d turns\n\n", t.load.streams, rate/float64(t.load.streams), rate, len(t.turns[t.names[0]]))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "client\tCPU us/event\tratio\tTTFT error p50\tp99\tgap error p99\tgap p50\tgap p99\ttruth\tRSS/stream\tserver lag p99\t")
	for _, name := range t.names {
		turns := t.turns[name]
		of := func(get func(result) float64) float64 { return median(turns, get) }
		base := t.turns[t.names[0]]
		ratios := make([]float64, len(turns))
		for i := range turns {
			ratios[i] = us(turns[i].perEvent) / us(base[i].perEvent)
		}
		slices.Sort(ratios)
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f\t%.3f ms\t%.3f ms\t%.3f ms\t%.2f ms\t%.2f ms\t%.2f ms\t%.1f KiB\t%.2f ms\t\n", name,
			of(func(r result) float64 { return us(r.perEvent) }), ratios[len(ratios)/2],
			of(func(r result) float64 { return ms(r.ttft50) }), of(func(r result) float64 { return ms(r.ttft99) }),
			of(func(r result) float64 { return ms(r.gap99) }), of(func(r result) float64 { return ms(r.seenHalf) }),
			of(func(r result) float64 { return ms(r.seenGap) }), of(func(r result) float64 { return ms(r.trueGap) }),
			of(func(r result) float64 { return float64(r.rssPerStreamBytes) / 1024 }), of(func(r result) float64 { return ms(r.serverLag) }))
	}
	return tw.Flush()
}

func median(turns []result, get func(result) float64) float64 {
	v := make([]float64, len(turns))
	for i, t := range turns {
		v[i] = get(t)
	}
	slices.Sort(v)
	return v[len(v)/2]
}
