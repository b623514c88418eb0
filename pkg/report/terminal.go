package report

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// Terminal writes the end-of-run screen, at most width columns wide (never narrower than 40): what was run, the
// approaches side by side, their SLO verdicts, and whether the measurement can be trusted. Approaches that do not fit
// beside each other follow below. With color it uses ANSI colours; nothing is said by colour alone.
func Terminal(w io.Writer, a *analyze.Analysis, width int, color bool) error {
	if err := check(a); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	s := screen{w: b, width: max(width, 40), color: color}
	s.document(newDocument(a))
	return b.Flush() // a bufio.Writer keeps its first error
}

type screen struct {
	w     *bufio.Writer
	width int
	color bool
}

// Styles of text, as SGR codes.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *screen) document(d *document) {
	s.title(d)
	if len(d.table.columns) == 0 {
		s.line("")
		s.line(noApproach)
		s.validity(d)
		return
	}
	s.table(table{columns: d.table.columns, groups: slices.Concat(d.table.groups, d.sloTable.groups)})
	for _, c := range d.classes {
		s.line("")
		s.line(s.style("Traffic classes of "+printable(c.approach), bold))
		s.table(c.table)
	}
	if t, notes := briefLadder(d); len(t.groups) > 0 {
		s.line("")
		s.line(s.style("Where TTFT goes: queue or model", bold))
		s.table(t)
		for _, n := range notes {
			s.paragraph(n, 2, 4)
		}
	}
	s.line("")
	for _, line := range d.slo {
		s.paragraph(line, 0, 2)
	}
	for _, j := range d.judgements {
		s.paragraph(j.objective+", "+j.verdict+" for "+strings.Join(j.names, ", ")+": "+j.why, 2, 4)
	}
	s.server(d)
	s.errors(d)
	s.validity(d)
	notes := slices.Clone(d.notes)
	for _, n := range d.classNotes {
		if !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	for i, n := range notes {
		if i == 0 {
			s.line("")
		}
		s.paragraph(n, 0, 2)
	}
}

func (s *screen) title(d *document) {
	s.line("")
	words := []string{s.style(printable(d.title), bold)}
	plainWidth := width(printable(d.title))
	for _, b := range d.badges {
		t := printable(b.text)
		if b.tone != plain {
			t = strings.ToUpper(t)
		}
		plainWidth += 3 + width(t)
		if plainWidth > s.width {
			s.line(strings.Join(words, " · "))
			words, plainWidth = []string{" "}, 1+3+width(t)
		}
		words = append(words, s.style(t, sgr(b.tone)))
	}
	s.line(strings.Join(words, " · "))
	s.paragraph(d.subtitle, 0, 2)
	s.paragraph(d.identity, 0, 2)
}

// Widths of the table's columns.
const (
	minLabel  = 22
	maxLabel  = 30
	minColumn = 11
	maxColumn = 26
	columnGap = 2
)

// table writes the columns side by side as far as they fit, then the next ones below.
func (s *screen) table(t table) {
	label := minLabel
	if t.narrow {
		label = 0
	}
	for _, g := range t.groups {
		for _, r := range g.rows {
			label = max(label, width(r.indent()+r.label))
		}
	}
	label = min(label, maxLabel, max(minLabel, s.width/3))
	widths := s.columnWidths(t)
	for from := 0; from < len(widths); {
		to, used := from, label
		for to < len(widths) && (to == from || used+columnGap+widths[to] <= s.width) {
			used += columnGap + widths[to]
			to++
		}
		s.columns(t, label, widths, from, to)
		from = to
	}
}

// columnWidths makes every column wide enough for its figures, and for its name where there is room.
func (s *screen) columnWidths(t table) []int {
	widths := make([]int, len(t.columns))
	for i, name := range t.columns {
		w := minColumn
		for _, g := range t.groups {
			for _, r := range g.rows {
				w = max(w, width(printable(r.cells[i].text)))
			}
		}
		widths[i] = min(max(w, min(width(printable(name)), maxColumn)), max(minColumn, s.width-minLabel-columnGap))
	}
	return widths
}

func (s *screen) columns(t table, label int, widths []int, from, to int) {
	s.line("")
	heads := make([][]string, to-from)
	lines := 0
	for i := range heads {
		heads[i] = wrapName(printable(t.columns[from+i]), widths[from+i])
		lines = max(lines, len(heads[i]))
	}
	for l := range lines { // names stand on the table: their last lines level
		out := padRight("", label)
		for i, h := range heads {
			part := ""
			if k := l - (lines - len(h)); k >= 0 {
				part = h[k]
			}
			out += strings.Repeat(" ", columnGap) + s.style(padLeft(part, widths[from+i]), bold)
		}
		s.line(out)
	}
	for _, g := range t.groups {
		s.group(g, label, widths, from, to)
	}
}

func (s *screen) group(g group, label int, widths []int, from, to int) {
	head := s.style(g.title, bold)
	if g.note != "" && width(g.title)+2+width(g.note) <= s.width {
		head += "  " + s.style(g.note, dim)
	}
	s.line(head)
	for _, r := range g.rows {
		indent := r.indent()
		name := printable(r.label)
		if width(indent+name) > label { // a line of its own
			s.line(indent + shorten(name, s.width-len(indent)))
			name = ""
		}
		out := padRight(indent+name, label)
		for i := from; i < to; i++ {
			c := r.cells[i]
			out += strings.Repeat(" ", columnGap) + s.style(padLeft(shorten(printable(c.text), widths[i]), widths[i]), sgr(c.tone))
		}
		s.line(out)
	}
}

func (r row) indent() string {
	if r.minor {
		return "    "
	}
	return "  "
}

// wrapName breaks an approach's name after hyphens and the like, so that it fits above a narrow column.
func wrapName(name string, n int) []string {
	if width(name) <= n {
		return []string{name}
	}
	var lines []string
	line := ""
	for _, piece := range strings.SplitAfter(strings.NewReplacer("-", "-\x00", "_", "_\x00", "/", "/\x00", " ", " \x00").Replace(name), "\x00") {
		piece = strings.TrimSuffix(piece, "\x00")
		if line != "" && width(line+piece) > n {
			lines, line = append(lines, line), ""
		}
		for line += piece; width(line) > n; {
			head, tail := cut(line, n)
			lines, line = append(lines, head), tail
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// server shows what the servers said of themselves.
func (s *screen) server(d *document) {
	if len(d.server.columns) == 0 {
		return
	}
	s.line("")
	s.line(s.style(serverTitle, bold) + "  " + s.style("as its own metrics page says", dim))
	s.table(d.server)
	for _, n := range d.serverNotes {
		s.paragraph(n, 2, 4)
	}
}

// errors shows one message of each class, so that a reader knows where to look.
func (s *screen) errors(d *document) {
	first := true
	for _, p := range d.details {
		for _, e := range p.errors {
			if e.example == "" {
				continue
			}
			if first {
				s.line("")
				s.line(s.style("Errors", bold) + "  " + s.style("one example of each", dim))
				first = false
			}
			s.paragraph(p.name+", "+strings.ReplaceAll(string(e.class), "_", " ")+" ("+count(int64(e.n))+"): "+e.example, 2, 4)
		}
	}
}

func (s *screen) validity(d *document) {
	s.line("")
	head := "Validity: " + strings.ToUpper(printable(d.verdict))
	s.line(s.style(head, bold, verdictSGR(d.verdict)))
	if d.headline != "" {
		s.paragraph(d.headline, 2, 2)
	}
	for _, r := range d.reasons {
		s.paragraph(r.verdict+": "+r.text, 2, 4)
	}
}

func verdictSGR(v string) string {
	switch v {
	case analyze.Valid:
		return green
	case analyze.Invalid:
		return red
	}
	return yellow
}

// noApproach stands where the tables would.
const noApproach = "No approach was measured."

// paragraph wraps text; its first line is indented by first, the others by rest.
func (s *screen) paragraph(text string, first, rest int) {
	lines := wrap(printable(text), s.width-rest)
	for i, l := range lines {
		indent := rest
		if i == 0 {
			indent = first
		}
		s.line(strings.Repeat(" ", indent) + l)
	}
}

func (s *screen) line(text string) {
	s.w.WriteString(strings.TrimRight(text, " "))
	s.w.WriteByte('\n')
}

// style wraps text in the given codes where colour was asked for.
func (s *screen) style(text string, codes ...string) string {
	codes = nonEmpty(codes...)
	if !s.color || text == "" || len(codes) == 0 {
		return text
	}
	return "\x1b[" + strings.Join(codes, ";") + "m" + text + "\x1b[0m"
}

func sgr(t tone) string {
	switch t {
	case good:
		return green
	case bad:
		return red
	case unsure:
		return yellow
	case missing:
		return dim
	}
	return ""
}
