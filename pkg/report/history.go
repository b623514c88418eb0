package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// HistoryTerminal writes the series of a history for a terminal, at most width columns wide. With color it uses ANSI colours;
// nothing is said by colour alone.
func HistoryTerminal(w io.Writer, h *analyze.History, all []analyze.HistorySeries, width int, color bool) error {
	b := bufio.NewWriter(w)
	s := screen{w: b, width: max(width, 60), color: color}
	for i := range all {
		d := newHistoryDocument(&all[i])
		s.line("")
		for _, l := range wrap(printable(d.title), s.width) {
			s.line(s.style(l, bold))
		}
		for _, l := range d.about {
			s.paragraph(printable(l), 0, 2)
		}
		s.table(d.table)
		s.line("")
		for _, l := range d.changes {
			s.paragraph(printable(l), 2, 4)
		}
	}
	for i, l := range historyNotes(h) {
		if i == 0 {
			s.line("")
		}
		s.paragraph(printable(l), 0, 2)
	}
	return b.Flush() // a bufio.Writer keeps its first error
}

// historyDocument is what is said of one series, before it is written in one form or another.
type historyDocument struct {
	title   string
	about   []string
	table   table
	changes []string // a sentence of each change point, or one that says that there is none
}

func newHistoryDocument(s *analyze.HistorySeries) *historyDocument {
	d := &historyDocument{title: strings.Join(nonEmpty(s.Scenario, s.Key.Approach), " · ")}
	if len(s.Began) > 0 {
		d.title += " · since " + day(s.First)
	}
	nights := fmt.Sprintf("%d nights, %s to %s", s.Nights, day(s.First), day(s.Last))
	if s.Nights == 1 {
		nights = "1 night, " + day(s.First)
	}
	if s.Ended {
		nights += "; ended: later runs are of another series"
	}
	d.about = append(d.about, nights+".", keyLine(&s.Key)+".")
	if len(s.Began) > 0 {
		d.about = append(d.about, "A new series: "+strings.Join(s.Began, "; ")+".")
	}
	d.table = table{columns: []string{"last", "95% interval", "latest change", "the last nights"}, narrow: true, groups: []group{{title: "Figures"}}}
	for i := range s.Trends {
		t := &s.Trends[i]
		d.table.groups[0].rows = append(d.table.groups[0].rows, trendRow(t, s.Nights))
		for k := range t.Changes {
			d.changes = append(d.changes, changeSentence(t, &t.Changes[k]))
		}
	}
	none := len(d.changes) == 0
	if none {
		d.changes = []string{"No change point."}
	}
	switch why, most := s.Untold(), longest(s); {
	case s.Ended || why == "":
	case none && most < analyze.LeastNights && len(s.Missing) == 0:
		d.changes = []string{fmt.Sprintf("No change point can be found yet: it takes %d nights that count, and there are %d.", analyze.LeastNights, most)}
	default:
		d.changes = append(d.changes, "Not all can be told: "+why+".")
	}
	return d
}

// longest is how many nights that count the longest trend has.
func longest(s *analyze.HistorySeries) (most int) {
	for i := range s.Trends {
		most = max(most, s.Trends[i].Counted())
	}
	return most
}

// keyLine says what a series is of.
func keyLine(k *analyze.HistoryKey) string {
	var server []string
	for _, name := range slices.Sorted(maps.Keys(k.Server)) {
		server = append(server, name+" "+k.Server[name])
	}
	parts := []string{fmt.Sprintf("Workload %.12s", k.Workload), "server: " + strings.Join(server, ", "), "client: " + k.Client, "infbench " + k.Tool}
	if k.Tokens != "" {
		parts = append(parts, "tokens by "+k.Tokens)
	}
	return strings.Join(parts, "; ")
}

// trendRow is one figure; where some nights do not have it, with how many do.
func trendRow(t *analyze.HistoryTrend, nights int) row {
	write := trendUnit(t)
	last := &t.Points[len(t.Points)-1]
	value := cell{text: write(last.Value)}
	if last.Forced != "" {
		value.text, value.tone, value.why = value.text+" !", unsure, last.Forced
	}
	interval, change := text(absent), text("none")
	if last.Low != nil && last.High != nil {
		interval = text(write(*last.Low) + " to " + write(*last.High))
	}
	if n := len(t.Changes); n > 0 {
		c := &t.Changes[n-1]
		change = cell{text: changeSize(t, c) + " " + day(c.Started), tone: bad, why: changeSentence(t, c)}
		if c.Better {
			change.tone = good
		}
	}
	label := figureName(t.Name)
	if n := len(t.Points); n != nights {
		label += fmt.Sprintf(" (n %d)", n)
	}
	return row{label: label, cells: []cell{value, interval, change, text(sparkline(t.Points))}}
}

// trendUnit writes values of a trend.
func trendUnit(t *analyze.HistoryTrend) func(float64) string {
	switch {
	case t.Share:
		return percent
	case t.Name == "output_rate":
		return perSecond
	}
	return Seconds
}

func changeSize(t *analyze.HistoryTrend, c *analyze.HistoryChange) string {
	return signed(&analyze.Figure{Share: t.Share}, c.Change)
}

// changeSentence says when, by how much and how surely.
func changeSentence(t *analyze.HistoryTrend, c *analyze.HistoryChange) string {
	word, write := "worse", trendUnit(t)
	if c.Better {
		word = "better"
	}
	return fmt.Sprintf("%s: %s since %s (night %d, run %s): %s, from %s to %s, p %s.", figureName(t.Name), word, day(c.Started), c.Night+1, c.Run, changeSize(t, c), write(c.Before), write(c.After), pValue(c.P))
}

// pValue writes a p-value: below the precision of its law it is only said to be.
func pValue(p float64) string {
	if p < 1e-12 {
		return "below 1e-12"
	}
	return fmt.Sprintf("%.1g", p)
}

func historyNotes(h *analyze.History) []string {
	var notes []string
	for _, n := range h.Torn {
		notes = append(notes, fmt.Sprintf("%s line %d ends in the middle: its writer died. It was left out; infbench history add adds its run again.", h.Path, n))
	}
	forced := false
	for _, e := range h.Entries {
		forced = forced || e.Forced != ""
	}
	if forced {
		notes = append(notes, "!: the run was added with --force, although it was not finished or its measurement is invalid. It is drawn, and no change is found by it.")
	}
	return append(notes, "A night is a run; values are means over its blocks (geometric ones of times and rates), with Student's 95% interval over blocks. Change points: E-divisive, confirmed by Student's t between whole levels. A change shows some nights after it came: the gate of tonight is infbench check.")
}

// sparkNights is how many nights a sparkline shows: the last ones.
const sparkNights = 24

// sparkline draws the last nights in one line, from the smallest of them to the largest. A forced night is an exclamation mark.
func sparkline(points []analyze.HistoryPoint) string {
	const marks = "▁▂▃▄▅▆▇█"
	steps := []rune(marks)
	points = points[max(0, len(points)-sparkNights):]
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if p.Forced == "" {
			lo, hi = min(lo, p.Value), max(hi, p.Value)
		}
	}
	var b strings.Builder
	for _, p := range points {
		switch {
		case p.Forced != "":
			b.WriteByte('!')
		case hi > lo:
			b.WriteRune(steps[min(len(steps)-1, int((p.Value-lo)/(hi-lo)*float64(len(steps))))])
		default:
			b.WriteRune(steps[3])
		}
	}
	return b.String()
}
