package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// hasLadder reports whether it is known what TTFT is made of.
func hasLadder(s *analyze.Summary) bool {
	return slices.ContainsFunc(s.Approaches, func(p analyze.ApproachSummary) bool { return p.Queueing != nil && len(p.Queueing.Ladder) > 0 })
}

// ladderTable shows where TTFT goes: queue or model.
func ladderTable(s *analyze.Summary) table {
	if !hasLadder(s) {
		return table{}
	}
	b := tableBuilder{s}
	var t table
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
	}
	t.groups = append(t.groups, b.lightLoad())
	for _, g := range []struct{ at, title, note string }{
		{"mean", "All answers", "mean TTFT, and the share of each part"},
		{"p50", "Around the p50", ""},
		{analyze.SlowestPercent, "The slowest 1%", "what makes the p99 the p99"},
	} {
		rows := b.rung(g.at)
		if len(rows) > 0 {
			t.groups = append(t.groups, group{title: g.title, note: g.note, rows: rows})
		}
	}
	return t
}

// ofQueueing makes a row with one cell per approach.
func (b tableBuilder) ofQueueing(label string, cellOf func(q *analyze.Queueing) string) row {
	return b.each(label, func(p *analyze.ApproachSummary) cell {
		if p.Queueing == nil {
			return text(absent)
		}
		return text(cellOf(p.Queueing))
	})
}

// lightLoad is how the queue is known, and what a first token takes where nobody waits.
func (b tableBuilder) lightLoad() group {
	g := group{title: "The queue", note: "reported by the server, or inferred from what a first token takes at light load"}
	g.rows = append(g.rows, b.each("queueing is", func(p *analyze.ApproachSummary) cell {
		if p.Queueing == nil {
			return text(absent)
		}
		c := cell{text: orAbsent(p.Queueing.Basis), why: p.Queueing.Why}
		if c.text == analyze.CannotTell {
			c.tone = unsure
		}
		return c
	}))
	if !slices.ContainsFunc(b.s.Approaches, func(p analyze.ApproachSummary) bool { return p.Queueing != nil && len(p.Queueing.LightLoad) > 0 }) {
		return g
	}
	line := func(of func(l *analyze.LightLine) string) func(q *analyze.Queueing) string {
		return func(q *analyze.Queueing) string {
			for _, l := range q.LightLoad {
				if l.Problem == "" {
					return of(l)
				}
			}
			return absent
		}
	}
	g.rows = append(g.rows,
		b.ofQueueing("light load: no prompt", line(func(l *analyze.LightLine) string { return Seconds(l.Base) })),
		b.ofQueueing("of it network", line(func(l *analyze.LightLine) string { return optional(l.Network, Seconds) })),
		b.ofQueueing("100 uncached tokens add", line(func(l *analyze.LightLine) string { return Seconds(100 * (l.PerToken + 100*l.Squared)) })),
		b.ofQueueing("detection limit", func(q *analyze.Queueing) string { return optional(q.DetectionLimit, Seconds) }),
		b.ofQueueing("answers below it", func(q *analyze.Queueing) string { return optional(q.BelowLimit, percent) }))
	for i := 1; i < len(g.rows); i++ {
		g.rows[i].minor = i == 2 || i == 5
	}
	return g
}

// rung makes the rows of one rung of the ladder, one for each part that any approach has.
func (b tableBuilder) rung(at string) []row {
	var parts []analyze.LadderPart
	found := false
	for i := range b.s.Approaches {
		if r := rungOf(&b.s.Approaches[i], at); r != nil {
			found = true
			for _, p := range r.Parts {
				if !slices.ContainsFunc(parts, func(have analyze.LadderPart) bool { return have.Label() == p.Label() }) {
					parts = append(parts, p)
				}
			}
		}
	}
	if !found {
		return nil
	}
	slices.SortStableFunc(parts, func(x, y analyze.LadderPart) int {
		return cmp.Compare(slices.Index(analyze.Steps, x.Name), slices.Index(analyze.Steps, y.Name))
	})
	ofRung := func(label string, cellOf func(r *analyze.Rung) string) row {
		return b.each(label, func(p *analyze.ApproachSummary) cell {
			if r := rungOf(p, at); r != nil {
				return text(cellOf(r))
			}
			return text(absent)
		})
	}
	rows := []row{ofRung("TTFT, mean", func(r *analyze.Rung) string { return Seconds(r.TTFT) })}
	for _, p := range parts {
		r := ofRung(p.Label(), func(r *analyze.Rung) string {
			i := slices.IndexFunc(r.Parts, func(have analyze.LadderPart) bool { return have.Label() == p.Label() })
			if i < 0 {
				return absent
			}
			return fmt.Sprintf("%s (%s)", Seconds(r.Parts[i].Seconds), wholePercent(r.Parts[i].Share))
		})
		r.minor = true
		rows = append(rows, r)
	}
	n := ofRung("answers (n)", func(r *analyze.Rung) string { return count(int64(r.N)) })
	n.minor = true
	return append(rows, n)
}

// sentence begins with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// wholePercent is a share without digits that nobody needs beside a time.
func wholePercent(share float64) string {
	p := math.Round(100 * share)
	if p == 0 {
		return "0%" // no minus before it
	}
	return fmt.Sprintf("%.0f%%", p)
}

func rungOf(p *analyze.ApproachSummary, at string) *analyze.Rung {
	if p.Queueing == nil {
		return nil
	}
	for i := range p.Queueing.Ladder {
		if p.Queueing.Ladder[i].At == at {
			return &p.Queueing.Ladder[i]
		}
	}
	return nil
}

// ladderNotes say by what evidence each queue is known, or why it is not, and what the server's report says of the inference.
func ladderNotes(s *analyze.Summary) []string {
	if !hasLadder(s) {
		return nil
	}
	var notes []string
	for _, p := range s.Approaches {
		q := p.Queueing
		if q == nil || q.Basis == "" {
			continue
		}
		note := fmt.Sprintf("%s: queueing is %s: %s.", p.Name, q.Basis, q.Why)
		if q.Basis == analyze.CannotTell {
			note = fmt.Sprintf("%s: how long requests queue at the server: %s. %s.", p.Name, q.Basis, sentence(q.Why))
		}
		if a := q.AgainstReported; a != nil {
			note += fmt.Sprintf(" Of %s requests the TTFT excess differs from the reported queue by %s (median), %s (p95).", count(int64(a.N)), Seconds(a.Median), Seconds(a.P95))
		}
		for _, l := range q.LightLoad {
			if l.Problem != "" {
				note += fmt.Sprintf(" Block %d has no light-load line: %s.", l.Block, l.Problem)
			}
		}
		notes = append(notes, printable(note))
	}
	return notes
}

// briefLadder is the part of the ladder for a terminal: how the queue is known, and the slowest 1%. It is empty where nothing was
// measured at light load: the main table has the rest.
func briefLadder(d *document) (table, []string) {
	t := table{columns: d.ladder.columns}
	for _, g := range d.ladder.groups {
		if g.title == "The slowest 1%" || g.title == "The queue" {
			t.groups = append(t.groups, g)
		}
	}
	if len(t.groups) == 0 || len(t.groups[0].rows) < 2 { // nothing but the basis
		return table{}, nil
	}
	return t, d.ladderNotes
}

// describeLightLoad says what is sent before each block of a scenario that wants it.
func describeLightLoad(s *workload.Scenario) string {
	n, blocks := s.Phases.LightLoad.Requests, len(s.Approaches)*s.Rounds()
	return fmt.Sprintf("%d requests for one token each, one at a time, before each block: %d beside the schedule's", n, n*blocks)
}
