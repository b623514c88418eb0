package report

import (
	"fmt"
	"slices"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// differs marks a figure that is not what was asked, beyond chance.
const differs = " ≠"

// sentTable puts what the scenario asks beside what each block has sent.
func sentTable(s *analyze.Summary) table {
	if s.Workload == nil || len(s.Workload.Sent) == 0 {
		return table{}
	}
	w := firstRound(s.Workload)
	b := sentBuilder{w}
	t := table{columns: sentColumns(w)}
	arrivals := "of the measure phase, by the time when each was sent"
	if hasSessions(s) {
		arrivals = "of the measure phase, by the time when each was sent; of conversations the first turns: what later ones do stands under Conversations"
	}
	t.groups = append(t.groups, group{title: "Arrivals", note: arrivals, rows: b.arrivals()})
	for _, g := range sentLengths {
		t.groups = append(t.groups, group{title: g.title, note: g.note, rows: b.lengths(g.figure, g.counted, g.of, g.got)})
	}
	generated := &t.groups[len(t.groups)-1]
	generated.rows = append(generated.rows, b.outputs())
	t.groups = append(t.groups, group{title: "How the server counts a prompt", note: "found before the block, and its prompts are built by it (prompts.calibrate)", rows: b.calibration()})
	t.groups = append(t.groups, group{title: "From a prefix cache", note: "share of the prompt tokens; expected of a cache without limit", rows: b.cache()})
	return known(t)
}

// sentColumns are what was asked, if that is known, and the blocks.
func sentColumns(w *analyze.WorkloadAsSent) []string {
	var columns []string
	if w.Asked != nil {
		columns = append(columns, "asked")
	}
	blocks := map[string]int{}
	for i := range w.Sent {
		blocks[w.Sent[i].Approach]++
	}
	for i := range w.Sent {
		name := w.Sent[i].Approach
		if blocks[name] > 1 {
			name = fmt.Sprintf("%s, block %d", name, w.Sent[i].Block)
		}
		columns = append(columns, name)
	}
	return columns
}

// sentLengths are the distributions of lengths that are shown.
var sentLengths = []struct {
	title, note, figure string
	counted             bool
	of                  func(t *workload.Traffic) *workload.TokenLengths
	got                 func(s *analyze.SentBlock) *workload.TokenLengths
}{
	{"Prompt tokens, sent", "by the workload's own count", "input", false, inputOf, func(s *analyze.SentBlock) *workload.TokenLengths { return s.Input }},
	{"Prompt tokens, counted", "by the server, of the answered requests", "input", true, inputOf, func(s *analyze.SentBlock) *workload.TokenLengths { return s.CountedInput }},
	{"Answer tokens, asked for", "the limit in the request", "output", false, outputOf, func(s *analyze.SentBlock) *workload.TokenLengths { return s.Output }},
	{"Answer tokens, generated", "of the answered requests; a shorter answer is not a faster model", "output", true, outputOf, func(s *analyze.SentBlock) *workload.TokenLengths { return s.CountedOutput }},
}

// firstRound is the first round of blocks alone: what was asked is asked anew in each, and a column for every block would
// hide more than it shows.
func firstRound(w *analyze.WorkloadAsSent) *analyze.WorkloadAsSent {
	one := *w
	one.Sent = slices.DeleteFunc(slices.Clone(w.Sent), func(b analyze.SentBlock) bool { return b.Round > 0 })
	return &one
}

// known is the table without rows that hold nothing, and without groups that hold no figure.
func known(t table) table {
	empty := func(r row) bool {
		return !slices.ContainsFunc(r.cells, func(c cell) bool { return c.tone != missing })
	}
	for i := range t.groups {
		t.groups[i].rows = slices.DeleteFunc(t.groups[i].rows, empty)
	}
	t.groups = slices.DeleteFunc(t.groups, func(g group) bool { return len(g.rows) == 0 })
	return t
}

func inputOf(t *workload.Traffic) *workload.TokenLengths  { return t.Input }
func outputOf(t *workload.Traffic) *workload.TokenLengths { return t.Output }

type sentBuilder struct{ w *analyze.WorkloadAsSent }

// row has a cell for what was asked, if that is known, and one for each block, marked where the figure differs.
func (b sentBuilder) row(label, figure string, counted bool, write func(float64) string, asked func(*workload.Traffic) *workload.Estimate, sent func(*analyze.SentBlock) *workload.Estimate) row {
	r := row{label: label}
	if b.w.Asked != nil {
		c := text(absent)
		if e := asked(b.w.Asked); e != nil {
			c = text(write(e.Value))
			c.why = fmt.Sprintf("%s to %s by chance", write(e.Low), write(e.High))
		}
		r.cells = append(r.cells, c)
	}
	for i := range b.w.Sent {
		block := &b.w.Sent[i]
		c := text(absent)
		if e := sent(block); e != nil {
			c = text(write(e.Value))
		}
		for _, d := range block.Differences {
			if d.Figure == figure && d.Counted == counted {
				c.text += differs
				c.tone = unsure
				c.why = fmt.Sprintf("asked %s; %s to %s by chance", write(d.Asked.Value), write(d.Asked.Low), write(d.Asked.High))
			}
		}
		r.cells = append(r.cells, c)
	}
	return r
}

// plain makes a row of figures that are not judged.
func (b sentBuilder) plain(label string, asked func(*workload.Traffic) string, sent func(*analyze.SentBlock) string) row {
	r := row{label: label}
	if b.w.Asked != nil {
		r.cells = append(r.cells, text(asked(b.w.Asked)))
	}
	for i := range b.w.Sent {
		r.cells = append(r.cells, text(sent(&b.w.Sent[i])))
	}
	return r
}

func (b sentBuilder) arrivals() []row {
	rows := []row{
		b.plain("requests (n)", func(t *workload.Traffic) string { return count(int64(t.Requests)) }, func(s *analyze.SentBlock) string { return count(int64(s.Requests)) }),
		b.row("mean rate", "rate", false, perSecond, func(t *workload.Traffic) *workload.Estimate { return &t.Rate }, func(s *analyze.SentBlock) *workload.Estimate { return &s.Rate }),
		b.row("CV of the gaps", "cv", false, number, func(t *workload.Traffic) *workload.Estimate { return t.CV }, func(s *analyze.SentBlock) *workload.Estimate { return s.CV }),
	}
	for _, seconds := range []float64{1, 10, 60} {
		idc := func(t *workload.Traffic) *workload.Estimate {
			for i := range t.IDC {
				if t.IDC[i].Seconds == seconds {
					return &t.IDC[i].Estimate
				}
			}
			return nil
		}
		rows = append(rows, b.row(fmt.Sprintf("IDC at %g s", seconds), fmt.Sprintf("idc %gs", seconds), false, number, idc,
			func(s *analyze.SentBlock) *workload.Estimate { return idc(&s.Traffic) }))
	}
	return rows
}

func (b sentBuilder) lengths(figure string, counted bool, asked func(*workload.Traffic) *workload.TokenLengths, sent func(*analyze.SentBlock) *workload.TokenLengths) []row {
	n := func(l *workload.TokenLengths) string {
		if l == nil {
			return absent
		}
		return count(int64(l.N))
	}
	rows := []row{b.plain("requests (n)", func(t *workload.Traffic) string { return n(asked(t)) }, func(s *analyze.SentBlock) string { return n(sent(s)) })}
	for _, stat := range []struct {
		name string
		of   func(*workload.TokenLengths) *workload.Estimate
	}{
		{"mean", func(l *workload.TokenLengths) *workload.Estimate { return &l.Mean }},
		{"p10", func(l *workload.TokenLengths) *workload.Estimate { return l.P10 }},
		{"p50", func(l *workload.TokenLengths) *workload.Estimate { return l.P50 }},
		{"p90", func(l *workload.TokenLengths) *workload.Estimate { return l.P90 }},
		{"p99", func(l *workload.TokenLengths) *workload.Estimate { return l.P99 }},
	} {
		of := func(l *workload.TokenLengths) *workload.Estimate {
			if l == nil {
				return nil
			}
			return stat.of(l)
		}
		rows = append(rows, b.row(stat.name, figure+" "+stat.name, counted, number,
			func(t *workload.Traffic) *workload.Estimate { return of(asked(t)) }, func(s *analyze.SentBlock) *workload.Estimate { return of(sent(s)) }))
	}
	return rows
}

func (b sentBuilder) cache() []row {
	return []row{
		b.plain("expected", func(t *workload.Traffic) string { return optional(t.CacheableShare, percent) },
			func(s *analyze.SentBlock) string { return optional(s.CacheableShare, percent) }),
		b.plain("reported", func(*workload.Traffic) string { return absent }, func(s *analyze.SentBlock) string { return optional(s.CachedShare, percent) }),
	}
}

// calibration says by what the prompts of each block were built.
func (b sentBuilder) calibration() []row {
	show := func(label string, of func(c *measure.Calibration) string) row {
		return b.plain(label, func(*workload.Traffic) string { return absent }, func(s *analyze.SentBlock) string {
			if s.Calibration == nil {
				return absent
			}
			return of(s.Calibration)
		})
	}
	line := func(of func(c *measure.Calibration) float64) func(*measure.Calibration) string {
		return func(c *measure.Calibration) string {
			if c.Line == nil {
				return absent
			}
			return number(of(c))
		}
	}
	return []row{
		show("by", func(c *measure.Calibration) string { return c.Source }),
		show("added to every prompt", line(func(c *measure.Calibration) float64 { return c.Line.Overhead })),
		show("tokens per token of ours", line(func(c *measure.Calibration) float64 { return c.Line.Ratio })),
		show("a sample's distance, median", line(func(c *measure.Calibration) float64 { return *c.Residual })),
		show("samples (n)", func(c *measure.Calibration) string { return count(int64(len(c.Samples))) }),
	}
}

// sentNotes explains the marks of the table.
func sentNotes(s *analyze.Summary, t table) []string {
	if len(t.columns) == 0 {
		return nil
	}
	var notes []string
	switch {
	case s.Workload.Asked != nil:
		notes = append(notes, "Asked is what the schedule and the lengths of the scenario come to, computed before the run.")
	case s.Schedule.OpenLoop:
		notes = append(notes, "This record does not hold what was asked: an older infbench made it.")
	default:
		notes = append(notes, "A closed loop has no schedule to hold this against: the answers decided when requests were sent.")
	}
	if n := rounds(s); n > 1 {
		notes = append(notes, fmt.Sprintf("This is the first of %d rounds of blocks, each with arrivals and prompts of its own. Every block was held against what its round asked: differences beyond chance stand with the verdict.", n))
	}
	if slices.ContainsFunc(s.Workload.Outputs, func(o analyze.OutputLengths) bool { return o.Differs }) {
		notes = append(notes, "† marks answers whose lengths differ from the longest ones, to the same requests, by more than sampling error (99%) and more than 1%, in the mean or a quantile.")
	}
	blocks := slices.Clone(s.Workload.Sent)
	for _, c := range s.Workload.Classes {
		blocks = append(blocks, c.Sent...)
	}
	for _, b := range blocks {
		if len(b.Differences) > 0 {
			return append(notes, "≠ marks a figure further from the asked one than chance moves it for this number of requests (one standard error; 0.5% for the rate).")
		}
	}
	return notes
}
