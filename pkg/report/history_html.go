package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"

	"github.com/infbench/infbench/pkg/analyze"
)

//go:embed history.html.tmpl
var historySource string

var historyTemplate = template.Must(template.Must(pageTemplate.Clone()).New("history.html").Parse(historySource))

// historyPage is a history as the template reads it.
type historyPage struct {
	CSS      template.CSS
	Subtitle string
	Headline string
	Tone     tone
	Latest   []historyLatest
	Series   []historySection
	Notes    []string
}

// historyLatest is a recent change.
type historyLatest struct {
	Anchor, Name, Text string
	Tone               tone
}

type historySection struct {
	Anchor, Title  string
	About, Changes []string
	Table          pageTable
	Plot           pagePlot
}

// HistoryHTML writes a history as one page that loads nothing and runs no script. The plots are those of HistoryPlots.
func HistoryHTML(w io.Writer, h *analyze.History, all []analyze.HistorySeries, plots []Plot) error {
	if len(plots) != len(all) {
		return fmt.Errorf("report: %d series and %d plots", len(all), len(plots))
	}
	p := &historyPage{CSS: template.CSS(pageStyle), Tone: good}
	runs := map[string]bool{}
	for _, e := range h.Entries {
		runs[e.Run+e.Started.String()] = true // a name alone may be that of every night
	}
	p.Subtitle = fmt.Sprintf("%s of %s runs", counted(len(all), "series", "series"), count(int64(len(runs))))
	order := make([]int, len(all)) // what still goes on stands first
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return all[y].Last.Compare(all[x].Last) })
	most := 0
	for _, i := range order {
		if !all[i].Ended {
			most = max(most, longest(&all[i]))
		}
		d := newHistoryDocument(&all[i])
		s := historySection{Anchor: fmt.Sprintf("series-%d", i+1), Title: printable(d.title), Table: newPageTable("figures of "+printable(d.title), "figure", withoutLast(d.table))}
		for _, l := range d.about {
			s.About = append(s.About, printable(l))
		}
		for _, l := range d.changes {
			s.Changes = append(s.Changes, printable(l))
		}
		s.Plot = pagePlot{Name: plots[i].Name, Title: printable(plots[i].Title), Caption: printable(plots[i].Caption), SVG: inlineSVG(plots[i].SVG)}
		p.Series = append(p.Series, s)
		p.latest(all[i:i+1], s.Anchor, s.Title)
	}
	switch n := len(p.Latest); {
	case n > 0:
		p.Headline = counted(n, "change", "changes") + fmt.Sprintf(" in the last %d nights", analyze.RecentNights)
	case most < analyze.LeastNights:
		p.Headline, p.Tone = "Too few nights to find a change", unsure
	default:
		p.Headline = fmt.Sprintf("No change in the last %d nights", analyze.RecentNights)
	}
	for _, n := range historyNotes(h) {
		p.Notes = append(p.Notes, printable(n))
	}
	var b bytes.Buffer
	if err := historyTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("report: write history.html: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("report: write history.html: %w", err)
	}
	return nil
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(int64(n)) + " " + many
}

// latest collects the recent changes of a series.
func (p *historyPage) latest(s []analyze.HistorySeries, anchor, title string) {
	for _, r := range analyze.RecentChanges(s) {
		l := historyLatest{Anchor: anchor, Name: title + ", " + figureName(r.Trend.Name), Text: changeSize(r.Trend, r.Change) + " since " + day(r.Change.Started), Tone: bad}
		if r.Change.Better {
			l.Tone = good
		} else {
			p.Tone = bad
		}
		p.Latest = append(p.Latest, l)
	}
}

// withoutLast is the table without its sparklines: the page has the plots.
func withoutLast(t table) table {
	n := len(t.columns) - 1
	out := table{columns: t.columns[:n]}
	for _, g := range t.groups {
		o := group{title: g.title, note: g.note}
		for _, r := range g.rows {
			o.rows = append(o.rows, row{label: r.label, cells: r.cells[:n], minor: r.minor})
		}
		out.groups = append(out.groups, o)
	}
	return out
}

// WriteHistory writes history.html, and history/*.svg and *.png, into dir. Each file appears whole or not at all.
func WriteHistory(dir string, h *analyze.History, all []analyze.HistorySeries) error {
	plots, err := HistoryPlots(all)
	if err != nil {
		return err
	}
	if err := writePlots(filepath.Join(dir, "history"), plots); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "history.html"), func(w io.Writer) error { return HistoryHTML(w, h, all, plots) })
}
