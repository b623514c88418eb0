package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// CompareTerminal writes comparisons for a terminal, at most width columns wide. With color it uses ANSI colours; nothing is
// said by colour alone.
func CompareTerminal(w io.Writer, all []*analyze.Comparison, width int, color bool) error {
	b := bufio.NewWriter(w)
	s := screen{w: b, width: max(width, 60), color: color}
	for _, c := range all {
		d := newComparisonDocument(c)
		s.line("")
		for _, l := range wrap(printable(d.title), s.width) {
			s.line(s.style(l, bold))
		}
		for _, l := range d.about {
			s.paragraph(l, 0, 2)
		}
		s.table(d.table)
		s.line("")
		for _, l := range d.why {
			s.paragraph(l, 2, 4)
		}
		for _, l := range d.notes {
			s.paragraph(l, 0, 2)
		}
	}
	return b.Flush() // a bufio.Writer keeps its first error
}

// CompareMarkdown writes comparisons as Markdown, as for a comment on a pull request.
func CompareMarkdown(w io.Writer, all []*analyze.Comparison) error {
	b := bufio.NewWriter(w)
	m := markdown{b}
	for _, c := range all {
		d := newComparisonDocument(c)
		m.printf("## %s\n\n", escapeMarkdown(d.title))
		for _, l := range d.about {
			m.printf("%s\n\n", escapeMarkdown(l))
		}
		m.table(d.table)
		for _, l := range d.why {
			m.printf("- %s\n", escapeMarkdown(l))
		}
		if len(d.why) > 0 {
			m.printf("\n")
		}
		m.notes(d.notes)
	}
	return b.Flush()
}

// comparisonDocument is what is said of one comparison, before it is written in one form or another.
type comparisonDocument struct {
	title string
	about []string
	table table
	why   []string // of verdicts that the figures alone do not explain
	notes []string
}

func newComparisonDocument(c *analyze.Comparison) *comparisonDocument {
	d := &comparisonDocument{title: fmt.Sprintf("%s against %s", c.Candidate, c.Baseline)}
	if len(c.Forced) > 0 {
		d.title += " (FORCED: they do not compare)"
		for _, why := range c.Forced {
			d.about = append(d.about, "They do not compare: "+why+".")
		}
	}
	if len(c.Confounded) > 0 {
		d.title += " (confounded)"
		d.about = append(d.about, "They differ in "+list(c.Confounded)+": no difference can be laid to one of these.")
	}
	blocks := fmt.Sprintf("%d blocks", c.BaselineBlocks)
	switch {
	case c.BaselineBlocks != c.CandidateBlocks:
		blocks += fmt.Sprintf(" against %d", c.CandidateBlocks)
	case c.BaselineBlocks == 1:
		blocks = "1 block"
	}
	way := "independent: the two did not get the same requests, so it takes more blocks to tell"
	if c.Paired {
		way = "paired: both got the same requests in each round"
	}
	d.about = append(d.about, fmt.Sprintf("%s a side, %s.", blocks, way))
	d.table = table{columns: []string{c.Baseline, c.Candidate, "change", percentLabel(c.Confidence) + " interval", "verdict"}}
	gated, other := group{title: "Gated", note: "chosen in advance"}, group{title: "Others", note: "corrected for their number (Benjamini-Hochberg)"}
	for i := range c.Figures {
		f := &c.Figures[i]
		to := &other
		if f.Gated {
			to = &gated
		}
		to.rows = append(to.rows, figureRow(f))
		if f.Why != "" && (f.Gated || f.Verdict != analyze.CannotTell) {
			d.why = append(d.why, f.Name+": "+f.Verdict+": "+f.Why)
		}
	}
	for _, g := range []group{gated, other} {
		if len(g.rows) > 0 {
			d.table.groups = append(d.table.groups, g)
		}
	}
	d.notes = append(d.notes, fmt.Sprintf("Values are means over blocks (geometric ones of times and rates); intervals are Student's t over blocks, never over requests, which are not independent. \"same\": any difference is below %s (of shares: %s).",
		percent(c.Matters), percentagePoints(c.MattersShare)))
	return d
}

// figureRow is one figure of both sides.
func figureRow(f *analyze.Figure) row {
	write := Seconds
	switch {
	case f.Share:
		write = percent
	case f.Name == "output_rate":
		write = perSecond
	}
	change, interval := text(absent), text(absent)
	if f.Change != nil {
		change = text(signed(f, *f.Change))
	}
	if f.Low != nil && f.High != nil {
		interval = text(signed(f, *f.Low) + " to " + signed(f, *f.High))
	}
	verdict := cell{text: f.Verdict, why: f.Why}
	switch f.Verdict {
	case analyze.Worse:
		verdict.tone = bad
	case analyze.Better:
		verdict.tone = good
	case analyze.CannotTell:
		verdict.tone = unsure
	}
	return row{label: figureName(f.Name), cells: []cell{text(optional(f.Baseline, write)), text(optional(f.Candidate, write)), change, interval, verdict}}
}

// figureName is a figure as reports write it.
func figureName(name string) string {
	switch name {
	case "error_rate":
		return "error rate"
	case "output_rate":
		return "output tokens"
	}
	metric, stat, _ := strings.Cut(name, " ")
	for _, m := range workload.Metrics() {
		if string(m) == metric {
			return metricName(m) + " " + stat
		}
	}
	return name
}

// signed is a change with its sign: relative, or in percentage points of a share.
func signed(f *analyze.Figure, v float64) string {
	sign := "+"
	if v == 0 {
		sign = "±"
	}
	if v < 0 {
		sign, v = "−", -v
	}
	switch {
	case f.Share:
		return sign + percentagePoints(v)
	case v < 0.00005: // no instrument tells it from nothing
		return "±0%"
	}
	return sign + percent(v)
}

// percentagePoints is a difference of two shares.
func percentagePoints(v float64) string { return number(100*v) + " pp" }

// percentLabel is a confidence as a heading has it: 95%.
func percentLabel(v float64) string { return fmt.Sprintf("%.9g%%", 100*v) } // without the noise of the last digits

// list is an enumeration: a, b and c.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
