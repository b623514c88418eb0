package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

//go:embed report.html.tmpl
var pageSource string

//go:embed report.css
var pageStyle string

var pageTemplate = template.Must(template.New("report.html").Parse(pageSource))

// HTML writes report.html: one file that loads nothing, opens from disk, follows the reader's light or dark scheme and
// prints. Its content security policy forbids every resource and every script, so a message that a server smuggled in
// could do nothing even if it were not escaped.
func HTML(w io.Writer, a *analyze.Analysis, plots []Plot) error {
	if err := check(a); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, newPage(newDocument(a), plots)); err != nil {
		return fmt.Errorf("report: write report.html: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("report: write report.html: %w", err)
	}
	return nil
}

// page is the document as the template reads it.
type page struct {
	Heading, Subtitle, Identity   string
	Verdict, Headline, NoApproach string
	VerdictTone                   tone
	Tool                          string
	CSS                           template.CSS
	Badges                        []pageCell
	Reasons                       []pageReason
	Standings                     []pageStanding
	SLO                           string // the verdicts beside it say the rest
	Notes, Judgements, ClassNotes []string
	Table, SLOTable, Sent, Turns  pageTable
	Ladder                        pageTable
	LadderNotes                   []string
	SentClasses, Server           pageTable
	ServerNotes                   []string
	Classes                       []pageClasses
	SentNotes                     []string
	Plots                         []pagePlot
	Details                       []pageDetail
	Method, Glossary              []pageFact
}

type pageCell struct {
	Text string
	Tone tone
	Why  string
}

type pageReason struct {
	Verdict, Text string
	Tone          tone
}

type pageStanding struct {
	Name, Text string
	Tone       tone
}

type pageFact struct{ Name, Value string }

type pageTable struct {
	Label, Corner string
	Dense         bool
	Columns       []string
	Groups        []pageGroup
}

// Span is the number of columns with that of the labels.
func (t pageTable) Span() int { return len(t.Columns) + 1 }

type pageGroup struct {
	Title template.HTML
	Rows  []pageRow
}

type pageRow struct {
	Label string
	Minor bool
	Cells []pageCell
}

type pagePlot struct {
	Name, Title, Caption string
	SVG                  template.HTML
}

type pageDetail struct {
	Name         string
	Standing     *pageCell
	Facts        []pageFact
	Errors       []pageError
	Stats, Parts *pageTable
	Warnings     []string
}

// pageClasses are the traffic classes of one approach.
type pageClasses struct {
	Name     string
	Standing *pageCell
	Table    pageTable
}

type pageError struct{ Class, N, Example string }

func newPage(d *document, plots []Plot) *page {
	p := &page{Heading: printable(heading(d)), Subtitle: printable(d.subtitle), Identity: printable(d.identity), Verdict: printable(d.verdict),
		Headline: d.headline, NoApproach: noApproach, VerdictTone: validityTone(d.verdict), CSS: template.CSS(pageStyle), Tool: "infbench",
		Notes: d.notes, Table: newPageTable("approaches side by side", "", d.table), SLOTable: newPageTable("SLO objectives by approach", "objective", d.sloTable),
		Sent: newPageTable("workload as sent", "", d.sent), SentNotes: d.sentNotes,
		Turns:  newPageTable("conversations, turn by turn", "", d.turns),
		Ladder: newPageTable("where TTFT goes", "", d.ladder), LadderNotes: d.ladderNotes,
		Server:      newPageTable("what the servers said of themselves", "", d.server),
		SentClasses: newPageTable("workload as sent, by traffic class", "", d.sentClasses), ClassNotes: d.classNotes,
		Method: pageFacts(d.method)}
	for _, f := range d.method {
		if f.name == "tool" && f.value != absent {
			p.Tool = printable(f.value)
		}
	}
	for _, n := range d.serverNotes {
		p.ServerNotes = append(p.ServerNotes, printable(n))
	}
	for _, b := range d.badges {
		p.Badges = append(p.Badges, pageCell{Text: printable(b.text), Tone: b.tone})
	}
	for _, r := range d.reasons {
		t := validityTone(r.verdict)
		if r.verdict == "note" {
			t = plain
		}
		p.Reasons = append(p.Reasons, pageReason{printable(r.verdict), printable(r.text), t})
	}
	if len(d.slo) > 0 {
		p.SLO = printable(d.slo[0])
	}
	for _, j := range d.judgements {
		p.Judgements = append(p.Judgements, printable(j.objective+", "+j.verdict+" for "+strings.Join(j.names, ", ")+": "+j.why))
	}
	for _, pl := range plots {
		p.Plots = append(p.Plots, pagePlot{pl.Name, pl.Title, pl.Caption, inlineSVG(pl.SVG)})
	}
	for _, c := range d.classes {
		x := pageClasses{Name: printable(c.approach), Table: newPageTable("traffic classes of "+printable(c.approach), "", c.table)}
		if c.standing != "" {
			x.Standing = &pageCell{Text: c.standing, Tone: verdictTone(c.standing)}
		}
		p.Classes = append(p.Classes, x)
	}
	for _, x := range d.details {
		p.Details = append(p.Details, newPageDetail(x))
		if x.standing != "" {
			p.Standings = append(p.Standings, pageStanding{printable(x.name), x.standing, verdictTone(x.standing)})
		}
	}
	for _, t := range d.glossary {
		p.Glossary = append(p.Glossary, pageFact{t.word, t.meaning})
	}
	return p
}

func newPageDetail(x detail) pageDetail {
	d := pageDetail{Name: printable(x.name), Facts: pageFacts(x.facts)}
	if x.standing != "" {
		d.Standing = &pageCell{Text: x.standing, Tone: verdictTone(x.standing)}
	}
	for _, e := range x.errors {
		d.Errors = append(d.Errors, pageError{strings.ReplaceAll(printable(string(e.class)), "_", " "), count(int64(e.n)), printable(orAbsent(e.example))})
	}
	for _, w := range x.warnings {
		d.Warnings = append(d.Warnings, printable(w))
	}
	if len(x.stats) > 0 {
		t := pageTable{Label: "every metric of " + d.Name, Corner: "metric", Dense: true, Columns: append([]string{"n"}, detailStats...), Groups: []pageGroup{{}}}
		for _, l := range x.stats {
			r := pageRow{Label: l.metric, Cells: []pageCell{{Text: l.n}}}
			if l.label != "" {
				r.Label += " (" + printable(firstClause(l.label)) + ")"
			}
			for _, c := range l.cells {
				r.Cells = append(r.Cells, pageCell{c.text, c.tone, printable(c.why)})
			}
			t.Groups[0].Rows = append(t.Groups[0].Rows, r)
		}
		d.Stats = &t
	}
	if len(x.parts) > 0 {
		t := pageTable{Label: "parts of the TTFT of " + d.Name, Corner: "at", Groups: []pageGroup{{}}}
		for _, n := range x.partNames {
			t.Columns = append(t.Columns, printable(n))
		}
		t.Columns = append(t.Columns, "sum")
		for _, l := range x.parts {
			r := pageRow{Label: printable(l.at)}
			for _, c := range append(l.cells, l.sum) {
				r.Cells = append(r.Cells, pageCell{Text: c})
			}
			t.Groups[0].Rows = append(t.Groups[0].Rows, r)
		}
		d.Parts = &t
	}
	return d
}

func newPageTable(label, corner string, t table) pageTable {
	p := pageTable{Label: label, Corner: corner}
	for _, c := range t.columns {
		p.Columns = append(p.Columns, printable(c))
	}
	for _, g := range t.groups {
		out := pageGroup{}
		if len(t.groups) > 1 {
			out.Title = template.HTML(template.HTMLEscapeString(g.title))
			if g.note != "" {
				out.Title += template.HTML(" <small>" + template.HTMLEscapeString(g.note) + "</small>")
			}
		}
		for _, r := range g.rows {
			row := pageRow{Label: printable(r.label), Minor: r.minor}
			for _, c := range r.cells {
				row.Cells = append(row.Cells, pageCell{printable(c.text), c.tone, printable(c.why)})
			}
			out.Rows = append(out.Rows, row)
		}
		p.Groups = append(p.Groups, out)
	}
	return p
}

func pageFacts(facts []fact) []pageFact {
	var out []pageFact
	for _, f := range facts {
		out = append(out, pageFact{printable(f.name), printable(f.value)})
	}
	return out
}

func validityTone(v string) tone {
	switch v {
	case analyze.Valid:
		return good
	case analyze.Invalid:
		return bad
	}
	return unsure
}

// inlineSVG makes a picture part of the page: it scales with the page, so it has no size of its own, and needs no
// namespace there. Package figure wrote it and has escaped all text in it.
func inlineSVG(svg []byte) template.HTML {
	head, rest, ok := strings.Cut(string(svg), ">")
	if !ok {
		return ""
	}
	for _, attribute := range []string{"xmlns", "width", "height"} {
		if i := strings.Index(head, " "+attribute+`="`); i >= 0 {
			if n := strings.Index(head[i+len(attribute)+3:], `"`); n >= 0 {
				head = head[:i] + head[i+len(attribute)+3+n+1:]
			}
		}
	}
	return template.HTML(head + ">" + rest)
}
