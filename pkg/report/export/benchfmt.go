package export

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// unit is one figure of a block, as benchstat sees it.
type unit struct {
	name   string
	better string // lower or higher
	// get is nil where the block does not have the figure, or too few requests for it.
	get func(b *analyze.BlockSummary) *float64
}

// units are all figures of a block. Latencies are in seconds, and failed attempts count as slower than every value.
func units() []unit {
	var all []unit
	for _, m := range workload.Metrics() {
		name := strings.ReplaceAll(string(m), "_", "-")
		for _, q := range []struct {
			name string
			of   func(*analyze.Quantiles) *float64
		}{
			{"p50", func(q *analyze.Quantiles) *float64 { return q.P50 }},
			{"p90", func(q *analyze.Quantiles) *float64 { return q.P90 }},
			{"p95", func(q *analyze.Quantiles) *float64 { return q.P95 }},
			{"p99", func(q *analyze.Quantiles) *float64 { return q.P99 }},
			{"p99.9", func(q *analyze.Quantiles) *float64 { return q.P999 }},
		} {
			all = append(all, unit{name + "-" + q.name + "-sec", "lower", func(b *analyze.BlockSummary) *float64 {
				if have := b.Metrics[m]; have != nil {
					return q.of(have)
				}
				return nil
			}})
		}
	}
	return append(all,
		unit{"goodput-ratio", "higher", func(b *analyze.BlockSummary) *float64 {
			if b.Goodput == nil {
				return nil
			}
			return &b.Goodput.Ratio
		}},
		unit{"goodput-req/s", "higher", func(b *analyze.BlockSummary) *float64 {
			if b.Goodput == nil || b.Seconds == 0 {
				return nil
			}
			return &b.Goodput.PerSecond
		}},
		unit{"error-ratio", "lower", func(b *analyze.BlockSummary) *float64 {
			if rate, ok := b.ErrorRate(); ok {
				return &rate
			}
			return nil
		}},
		unit{"output-tok/s", "higher", func(b *analyze.BlockSummary) *float64 { return b.Tokens.OutputPerSecond }},
		unit{"req/s", "higher", func(b *analyze.BlockSummary) *float64 {
			if b.Seconds == 0 {
				return nil
			}
			return &b.DeliveredRate
		}},
	)
}

// writeBenchfmt writes the Go benchmark format: one line per whole block, Benchmark<Scenario>/approach=<Approach>-<GOMAXPROCS>.
//
// The configuration lines are what two runs must have in common to be held against each other, since benchstat puts what
// differs in them into tables of their own. What is a run's alone, such as its name, stands in comments.
func writeBenchfmt(w io.Writer, rec *measure.Record) (notes []string, err error) {
	blocks, err := analyze.Blocks(rec)
	if err != nil {
		return nil, err
	}
	var whole []*analyze.BlockSummary
	for i := range blocks {
		switch b := &blocks[i]; {
		case b.State != measure.Complete:
			notes = append(notes, fmt.Sprintf("block %d (%s) is left out: it was not driven to its end", b.Index, b.Approach))
		case b.Attempts == 0:
			notes = append(notes, fmt.Sprintf("block %d (%s) is left out: it has no request in its measure phase", b.Index, b.Approach))
		default:
			whole = append(whole, b)
		}
	}
	if len(whole) == 0 {
		return notes, fmt.Errorf("%s: %w: no block was driven to its end", rec.Dir, ErrEmpty)
	}
	m := rec.Manifest
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# infbench run %s, started %s, scenario digest %s\n", oneLine(m.ID), m.Started.UTC().Format("2006-01-02T15:04:05Z"), oneLine(m.Digest))
	all := units()
	for _, u := range all {
		if used(u, whole) {
			fmt.Fprintf(out, "Unit %s better=%s\n", u.name, u.better)
		}
	}
	now := map[string]string{}
	for _, b := range whole {
		configure(out, now, m, b)
		writeBlock(out, m, b, all)
	}
	return notes, out.Flush()
}

func used(u unit, blocks []*analyze.BlockSummary) bool {
	for _, b := range blocks {
		if u.get(b) != nil {
			return true
		}
	}
	return false
}

// configure writes the lines that change with this block. An empty value takes a key back.
func configure(w io.Writer, now map[string]string, m *measure.Manifest, b *analyze.BlockSummary) {
	validity := ""
	if m.Verdict == analyze.Invalid {
		validity = m.Verdict // nothing is to be held against an invalid run unseen
	}
	simulated := ""
	if b.Record.Simulated {
		simulated = "yes"
	}
	for _, c := range []struct{ key, value string }{
		{"goos", m.Machine.OS}, {"goarch", m.Machine.Arch}, {"cpu", m.Machine.CPU}, {"infbench", m.Tool.Version},
		{"scenario", m.Scenario.Name}, {"schedule", short(m.Schedule.SHA256)},
		{"simulated", simulated}, {"token-basis", b.Tokens.Basis}, {"validity", validity},
	} {
		value := oneLine(c.value)
		if now[c.key] == value {
			continue
		}
		now[c.key] = value
		fmt.Fprintln(w, strings.TrimSpace(c.key+": "+value))
	}
}

func writeBlock(w io.Writer, m *measure.Manifest, b *analyze.BlockSummary, all []unit) {
	cores := b.Record.Client.Cores
	if cores == 0 {
		cores = max(1, m.Machine.Cores)
	}
	fmt.Fprintf(w, "Benchmark%s/approach=%s-%d\t%d", namePart(m.Scenario.Name), namePart(b.Approach), cores, b.Attempts)
	for _, u := range all {
		if v := u.get(b); v != nil {
			fmt.Fprintf(w, "\t%s %s", strconv.FormatFloat(*v, 'g', -1, 64), u.name)
		}
	}
	fmt.Fprintln(w)
}

// namePart is text as a part of a benchmark's name, which has neither spaces nor slashes.
func namePart(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == '/' {
			return '_'
		}
		return r
	}, s)
}

// oneLine keeps text from breaking out of its line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// short is the beginning of a digest, enough to tell two apart.
func short(digest string) string { return digest[:min(12, len(digest))] }
