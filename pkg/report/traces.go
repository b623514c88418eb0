package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Traces shows recorded traces on a terminal, at most width columns wide (60 to 120): what they hold side by side, and the
// rate of each over time.
func Traces(w io.Writer, profiles []*workload.TraceProfile, width int) error {
	b := bufio.NewWriter(w)
	v := traceView{w: b, width: min(max(width, 60), 120)}
	v.table(profiles)
	for _, p := range profiles {
		v.details(p)
		v.chart(p)
	}
	return b.Flush()
}

// TracesJSON writes the same for machines: a list of profiles.
func TracesJSON(w io.Writer, profiles []*workload.TraceProfile) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(profiles); err != nil {
		return fmt.Errorf("report: write profiles: %w", err)
	}
	return nil
}

type traceView struct {
	w     *bufio.Writer
	width int
}

func (v *traceView) line(format string, args ...any) {
	v.w.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	v.w.WriteByte('\n')
}

// Widths of the table of traces.
const (
	traceLabel  = 30
	traceColumn = 15
)

// table writes the profiles side by side, and below each other those that do not fit.
func (v *traceView) table(profiles []*workload.TraceProfile) {
	for part := range slices.Chunk(profiles, max((v.width-traceLabel)/traceColumn, 1)) {
		head := padRight("", traceLabel)
		for _, p := range part {
			head += "  " + padLeft(tail(traceName(p.Path), traceColumn-2), traceColumn-2)
		}
		v.line("%s", head)
		for _, r := range traceRows(part) {
			text := padRight(r.label, traceLabel)
			for _, p := range part {
				text += "  " + padLeft(r.cell(p), traceColumn-2)
			}
			v.line("%s", text)
		}
		v.line("")
	}
}

// traceName is what a file is called after: its name without what says how it is packed.
func traceName(path string) string {
	name := printable(filepath.Base(path))
	for _, ext := range []string{".gz", ".zst", ".csv", ".jsonl"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// tail keeps the end of a name: there traces differ.
func tail(name string, n int) string {
	r := []rune(name)
	if len(r) <= n {
		return name
	}
	return "…" + string(r[len(r)-n+1:])
}

// traceRow is one line of the table.
type traceRow struct {
	label string
	cell  func(*workload.TraceProfile) string
}

// traceRows are the lines that at least one of the profiles has something for.
func traceRows(profiles []*workload.TraceProfile) []traceRow {
	rows := []traceRow{
		{"format", func(p *workload.TraceProfile) string { return p.Format }},
		{"rows read", func(p *workload.TraceProfile) string { return count(int64(p.Rows)) }},
		{"  used", func(p *workload.TraceProfile) string { return count(int64(p.Used)) }},
	}
	reasons := map[string]int{}
	for _, p := range profiles {
		for reason := range p.Dropped {
			reasons[reason]++
		}
	}
	for _, reason := range sortedKeys(reasons) {
		rows = append(rows, traceRow{"  dropped: " + reason, func(p *workload.TraceProfile) string { return count(int64(p.Dropped[reason])) }})
	}
	rows = append(rows, arrivalRows()...)
	rows = append(rows, lengthRows("input", func(p *workload.TraceProfile) *workload.LengthProfile { return p.Input })...)
	rows = append(rows, lengthRows("output", func(p *workload.TraceProfile) *workload.LengthProfile { return p.Output })...)
	rows = append(rows,
		traceRow{"correlation of lengths", func(p *workload.TraceProfile) string { return optional(p.Correlation, twoDecimals) }},
		traceRow{"prefix hits, unlimited cache", func(p *workload.TraceProfile) string { return optional(p.PrefixHit, percent) }},
		traceRow{"sessions", func(p *workload.TraceProfile) string {
			if p.Sessions == 0 {
				return absent
			}
			return count(int64(p.Sessions))
		}},
	)
	return slices.DeleteFunc(rows, func(r traceRow) bool {
		return !slices.ContainsFunc(profiles, func(p *workload.TraceProfile) bool { return r.cell(p) != absent })
	})
}

func arrivalRows() []traceRow {
	rows := []traceRow{
		{"span", func(p *workload.TraceProfile) string { return thousands(fmt.Sprintf("%.0f", p.Span)) + " s" }},
		{"mean rate", func(p *workload.TraceProfile) string { return perSecond(p.Rate) }},
		{"time stamps in steps of", func(p *workload.TraceProfile) string {
			if p.Step == 0 {
				return absent
			}
			return number(p.Step) + " s"
		}},
		{"CV of the gaps", func(p *workload.TraceProfile) string { return optional(p.CV, twoDecimals) }},
		{"  de-quantised", func(p *workload.TraceProfile) string { return optional(p.DequantisedCV, twoDecimals) }},
		{"  median within a minute", func(p *workload.TraceProfile) string { return optional(p.MinuteCV, twoDecimals) }},
	}
	widths := []string{"1 s", "10 s", "60 s"}
	for i, width := range widths {
		rows = append(rows, traceRow{"IDC at " + width, func(p *workload.TraceProfile) string { return figureOrAbsent(p.Dispersions[i].IDC) }})
	}
	for i, width := range widths {
		rows = append(rows, traceRow{"peak/mean at " + width, func(p *workload.TraceProfile) string { return optional(p.Dispersions[i].PeakToMean, twoDecimals) }})
	}
	return rows
}

func lengthRows(name string, of func(*workload.TraceProfile) *workload.LengthProfile) []traceRow {
	rows := []traceRow{{name + " tokens, mean", func(p *workload.TraceProfile) string {
		if of(p) == nil {
			return absent
		}
		if mean := of(p).Mean; mean < 100 {
			return fmt.Sprintf("%.1f", mean)
		}
		return thousands(fmt.Sprintf("%.0f", of(p).Mean))
	}}}
	for _, q := range []struct {
		name  string
		value func(*workload.LengthProfile) float64
	}{
		{"p10", func(l *workload.LengthProfile) float64 { return l.P10 }},
		{"p50", func(l *workload.LengthProfile) float64 { return l.P50 }},
		{"p90", func(l *workload.LengthProfile) float64 { return l.P90 }},
		{"p95", func(l *workload.LengthProfile) float64 { return l.P95 }},
		{"p99", func(l *workload.LengthProfile) float64 { return l.P99 }},
		{"max", func(l *workload.LengthProfile) float64 { return float64(l.Max) }},
	} {
		rows = append(rows, traceRow{"  " + q.name, func(p *workload.TraceProfile) string {
			if of(p) == nil {
				return absent
			}
			return thousands(fmt.Sprintf("%.0f", q.value(of(p))))
		}})
	}
	return append(rows, traceRow{"  mean, SD of ln", func(p *workload.TraceProfile) string {
		if of(p) == nil {
			return absent
		}
		return twoDecimals(of(p).LogMean) + ", " + twoDecimals(of(p).LogSD)
	}})
}

func twoDecimals(v float64) string {
	if s := fmt.Sprintf("%.2f", v); s != "-0.00" {
		return s
	}
	return "0.00"
}

// details says what does not fit into a table.
func (v *traceView) details(p *workload.TraceProfile) {
	v.line("%s", printable(p.Path))
	if p.SHA256 != "" {
		v.line("  SHA-256 %s", p.SHA256)
	}
	if p.Step > 0 {
		for _, l := range wrap(fmt.Sprintf("Time stamps are recorded in steps of %s s: as they stand, all requests of a step come at one instant. "+
			"`dequantise: true` in arrivals.shape.trace spreads them over it.", number(p.Step)), v.width-2) {
			v.line("  %s", l)
		}
	}
}

// chart draws the rate over the time.
func (v *traceView) chart(p *workload.TraceProfile) {
	cols := v.width - chartMargin - 1
	bars := p.Timeline.Rates(p.Span, cols)
	if slices.Max(bars) == 0 {
		v.line("")
		return
	}
	v.line("requests per second")
	drawChart(v.line, bars, nil)
	end := span(time.Duration(p.Span * 1e9).Round(time.Second))
	if p.Span < 10 {
		end = number(p.Span) + "s"
	}
	v.line("%*s 0s%s", chartMargin-1, "", padLeft(end, cols-1))
	v.line("")
}

// TraceFit shows what was fitted to a trace, and how well: the recorded traffic and the scenario's side by side.
func TraceFit(w io.Writer, f *workload.TraceFit, width int) error {
	b := bufio.NewWriter(w)
	v := traceView{w: b, width: min(max(width, 60), 120)}
	a := f.Scenario.Arrivals
	rate := perSecond(f.Recorded.Rate) + " in the mean"
	v.line("%s: %s, %s, %s", printable(f.Recorded.Path), rate, *a.Shape, *a.Burst)
	v.line("")
	v.table([]*workload.TraceProfile{f.Recorded, f.Fitted})
	v.line("In the mean of seeds, CV and IDC are off by a factor of %.2f.", math.Exp(f.Distance))
	if f.Distance > poorFit {
		for _, l := range wrap("That is much: no shape and burst family at hand is like this traffic. Replay the trace itself where it matters.", v.width) {
			v.line("%s", l)
		}
	}
	if hit := f.Recorded.PrefixHit; hit != nil && *hit > 0 {
		v.line("Not fitted: what prompts share (%s of their blocks were seen before).", percent(*hit))
	}
	if f.Recorded.Sessions > 0 {
		v.line("Not fitted: the turns of %s conversations, which come one by one here.", count(int64(f.Recorded.Sessions)))
	}
	if f.Recorded.Input == nil {
		v.line("Not fitted: lengths, which the trace does not record.")
	}
	return b.Flush()
}

// poorFit is the mean |ln(fitted/recorded)| above which a fit should not stand in for its trace: a factor of 1.5.
const poorFit = 0.405
