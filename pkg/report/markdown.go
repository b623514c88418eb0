package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// Markdown writes report.md, in GitHub's dialect. Its pictures are the files in plots/ beside it.
func Markdown(w io.Writer, a *analyze.Analysis) error {
	if err := check(a); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	m := markdown{b}
	m.document(newDocument(a), sketches(a))
	return b.Flush() // a bufio.Writer keeps its first error
}

type markdown struct{ w *bufio.Writer }

func (m markdown) printf(format string, args ...any) { fmt.Fprintf(m.w, format, args...) }

func (m markdown) document(d *document, plots []sketch) {
	var badges []string
	for _, b := range d.badges {
		t := escapeMarkdown(b.text)
		if b.tone != plain {
			t = "**" + t + "**"
		}
		badges = append(badges, t)
	}
	m.printf("# %s\n\n%s\n\n%s<br>\n%s\n\n", escapeMarkdown(heading(d)), strings.Join(badges, " · "), escapeMarkdown(d.subtitle), escapeMarkdown(d.identity))
	m.verdict(d)
	m.printf("## Side by side\n\n")
	if len(d.table.columns) == 0 {
		m.printf("%s\n\n", noApproach)
	} else {
		m.table(d.table)
		m.notes(d.notes)
	}
	if len(d.sloTable.groups) > 0 {
		m.printf("## SLO\n\n")
		m.table(d.sloTable)
		for _, j := range d.judgements {
			m.printf("- %s, %s for %s: %s\n", escapeMarkdown(j.objective), escapeMarkdown(j.verdict), escapeMarkdown(strings.Join(j.names, ", ")), escapeMarkdown(j.why))
		}
		m.printf("\n")
	}
	if len(d.classes) > 0 {
		m.printf("## Traffic classes\n\n")
		for _, c := range d.classes {
			m.printf("### Classes of %s\n\n", escapeMarkdown(c.approach))
			m.table(c.table)
		}
		m.notes(d.classNotes)
	}
	m.section(serverTitle, d.server, d.serverNotes)
	m.printf("## Plots\n\n")
	for _, p := range plots {
		m.printf("### %s\n\n![%s](plots/%s.svg)\n\n%s\n\n", escapeMarkdown(p.figure.Title), escapeMarkdown(p.figure.Title), p.name, escapeMarkdown(p.caption))
	}
	m.printf("## Approaches\n\n")
	for _, p := range d.details {
		m.detail(p)
	}
	m.section("Where TTFT goes: queue or model", d.ladder, d.ladderNotes)
	if len(d.turns.columns) > 0 {
		m.printf("## Conversations, turn by turn\n\n")
		m.table(d.turns)
	}
	if len(d.sent.columns) > 0 {
		m.printf("## Workload as sent\n\n")
		m.table(d.sent)
		if len(d.sentClasses.columns) > 0 {
			m.printf("### By traffic class\n\n")
			m.table(d.sentClasses)
		}
		m.notes(d.sentNotes)
	}
	m.printf("## How it was measured\n\n")
	m.facts(d.method)
	m.printf("## Words\n\n")
	for _, t := range d.glossary {
		m.printf("- **%s**: %s\n", escapeMarkdown(t.word), escapeMarkdown(t.meaning))
	}
}

// section is a table with its notes below a heading; nothing where the table has no columns.
func (m markdown) section(title string, t table, notes []string) {
	if len(t.columns) == 0 {
		return
	}
	m.printf("## %s\n\n", title)
	m.table(t)
	m.notes(notes)
}

// heading is the title of the report as a page.
func heading(d *document) string {
	for _, b := range d.badges {
		if b.text == "simulated" {
			return d.title + " (simulated)"
		}
	}
	return d.title
}

func (m markdown) verdict(d *document) {
	m.printf("## Verdict\n\n**Measurement: %s.** %s\n\n", escapeMarkdown(d.verdict), escapeMarkdown(d.headline))
	for _, r := range d.reasons {
		m.printf("- %s: %s\n", escapeMarkdown(r.verdict), escapeMarkdown(r.text))
	}
	if len(d.reasons) > 0 {
		m.printf("\n")
	}
	for _, s := range d.slo {
		m.printf("%s\n", escapeMarkdown(s))
	}
	m.printf("\n")
}

func (m markdown) table(t table) {
	m.printf("| |")
	for _, c := range t.columns {
		m.printf(" %s |", escapeMarkdown(c))
	}
	m.printf("\n|---|%s\n", strings.Repeat("--:|", len(t.columns)))
	for _, g := range t.groups {
		if len(t.groups) > 1 {
			m.printf("| **%s** |%s\n", escapeMarkdown(g.title), strings.Repeat(" |", len(t.columns)))
		}
		for _, r := range g.rows {
			indent := ""
			if r.minor {
				indent = "&nbsp;&nbsp;"
			}
			m.printf("| %s%s |", indent, escapeMarkdown(r.label))
			for _, c := range r.cells {
				m.printf(" %s |", markdownCell(c))
			}
			m.printf("\n")
		}
	}
	m.printf("\n")
}

// notes explain the table above them.
func (m markdown) notes(notes []string) {
	for _, n := range notes {
		m.printf("> %s\n>\n", escapeMarkdown(n))
	}
	m.printf("\n")
}

func markdownCell(c cell) string {
	t := escapeMarkdown(c.text)
	if c.tone == bad {
		return "**" + t + "**"
	}
	return t
}

func (m markdown) detail(d detail) {
	m.printf("### %s\n\n", escapeMarkdown(d.name))
	m.facts(d.facts)
	if len(d.errors) > 0 {
		m.printf("| error | n | an example |\n|---|--:|---|\n")
		for _, e := range d.errors {
			m.printf("| %s | %s | %s |\n", escapeMarkdown(string(e.class)), count(int64(e.n)), escapeMarkdown(orAbsent(e.example)))
		}
		m.printf("\n")
	}
	if len(d.stats) > 0 {
		m.printf("| metric | n | %s |\n|---|--:|%s\n", strings.Join(detailStats, " | "), strings.Repeat("--:|", len(detailStats)))
		for _, l := range d.stats {
			name := l.metric
			if l.label != "" {
				name += " (" + firstClause(l.label) + ")"
			}
			m.printf("| %s | %s |", escapeMarkdown(name), l.n)
			for _, c := range l.cells {
				m.printf(" %s |", markdownCell(c))
			}
			m.printf("\n")
		}
		m.printf("\n")
	}
	if len(d.parts) > 0 {
		m.printf("| TTFT |")
		for _, n := range d.partNames {
			m.printf(" %s |", escapeMarkdown(n))
		}
		m.printf(" sum |\n|---|%s--:|\n", strings.Repeat("--:|", len(d.partNames)))
		for _, p := range d.parts {
			m.printf("| %s | %s | %s |\n", escapeMarkdown(p.at), strings.Join(p.cells, " | "), p.sum)
		}
		m.printf("\n")
	}
	for _, w := range d.warnings {
		m.printf("- %s\n", escapeMarkdown(w))
	}
	if len(d.warnings) > 0 {
		m.printf("\n")
	}
}

func (m markdown) facts(facts []fact) {
	for _, f := range facts {
		m.printf("- %s: %s\n", escapeMarkdown(f.name), escapeMarkdown(f.value))
	}
	m.printf("\n")
}

// linkBreaker keeps an address or a name from becoming a link by itself, with a character that takes no room.
var linkBreaker = strings.NewReplacer("://", ":\u2060//", "www.", "www\u2060.", "@", "@\u2060")

// escapeMarkdown makes text that came from elsewhere stand as it is: no link, no markup, no HTML, no new table cell.
func escapeMarkdown(s string) string {
	s = printable(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*[]|#~!$", r), r == '_':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	out := b.String()
	return linkBreaker.Replace(out)
}
