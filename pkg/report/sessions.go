package report

import (
	"fmt"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// hasSessions reports a run of conversations.
func hasSessions(s *analyze.Summary) bool {
	for _, p := range s.Approaches {
		if p.Sessions != nil {
			return true
		}
	}
	return false
}

// endNames are the ends of a conversation in words.
var endNames = map[workload.SessionEnd]string{
	workload.SessionComplete:    "went through",
	workload.SessionCutOff:      "cut off by the end",
	workload.SessionAbandoned:   "the user left",
	workload.SessionFailed:      "a turn failed",
	workload.SessionContextFull: "the context was full",
	workload.SessionNoText:      "an answer held no text",
}

// conversations is the group of the main table that keeps first and later turns apart.
func (b tableBuilder) conversations() group {
	g := group{title: "Conversations", note: "first turns come when the schedule says (open loop); a later turn waits for the answer before it (closed), so a slow server gets fewer"}
	g.rows = append(g.rows, b.ofSessions("begun", func(s *analyze.Sessions) cell { return text(count(int64(s.Begun))) }))
	g.rows = append(g.rows, b.ofSessions("ended, whenever begun", func(s *analyze.Sessions) cell { // begun in the warm-up, too
		all := 0
		for _, n := range s.Ends {
			all += n
		}
		return text(count(int64(all)))
	}))
	for _, end := range workload.SessionEnds() {
		r := b.ofSessions(endNames[end], func(s *analyze.Sessions) cell { return text(count(int64(s.Ends[end]))) })
		r.minor = true
		for _, p := range b.s.Approaches {
			if p.Sessions != nil && p.Sessions.Ends[end] > 0 {
				g.rows = append(g.rows, r)
				break
			}
		}
	}
	for _, turns := range []struct {
		name string
		of   func(*analyze.Sessions) *analyze.TurnSummary
	}{{"first turns", func(s *analyze.Sessions) *analyze.TurnSummary { return &s.First }}, {"later turns", func(s *analyze.Sessions) *analyze.TurnSummary { return &s.Later }}} {
		g.rows = append(g.rows, b.ofSessions(turns.name+" (n)", func(s *analyze.Sessions) cell { return text(count(int64(turns.of(s).Attempts))) }))
		for _, stat := range []string{"p50", "p95", "p99"} {
			r := b.ofSessions("TTFT "+stat, func(s *analyze.Sessions) cell { return statCell(turns.of(s).TTFT, stat) })
			r.minor = true
			g.rows = append(g.rows, r)
		}
	}
	return g
}

// ofSessions makes a row with one cell per approach.
func (b tableBuilder) ofSessions(label string, cellOf func(s *analyze.Sessions) cell) row {
	return b.each(label, func(p *analyze.ApproachSummary) cell {
		if p.Sessions == nil {
			return text(absent)
		}
		return cellOf(p.Sessions)
	})
}

// turnsTable shows how conversations grow, turn by turn.
func turnsTable(s *analyze.Summary) table {
	if !hasSessions(s) {
		return table{}
	}
	b := tableBuilder{s}
	var t table
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
	}
	plan := group{title: "Plan", note: "of the conversations that began in the measure phase", rows: []row{
		b.ofSessions("turns, mean", func(s *analyze.Sessions) cell { return text(optional(s.TurnsPlanned, number)) }),
		b.ofSessions("think time, asked for", func(s *analyze.Sessions) cell { return text(optional(s.ThinkAsked, Seconds)) }),
		b.ofSessions("think time, as sent", func(s *analyze.Sessions) cell { return text(optional(s.Think, Seconds)) }),
	}}
	t.groups = append(t.groups, plan)
	for _, g := range []struct {
		title, note string
		cell        func(t *analyze.TurnSummary) cell
	}{
		{"Requests (n)", "conversations end, so later turns are fewer", func(t *analyze.TurnSummary) cell { return text(count(int64(t.Attempts))) }},
		{"TTFT p50", "from the scheduled time: of a later turn, the end of the answer before it and the think time", func(t *analyze.TurnSummary) cell { return statCell(t.TTFT, "p50") }},
		{"Prompt tokens", "mean, as the server counted them", func(t *analyze.TurnSummary) cell { return text(optional(t.Input, number)) }},
		{"The conversation so far", "mean tokens of the prompt that a prefix cache without limit holds", func(t *analyze.TurnSummary) cell { return text(optional(t.Context, number)) }},
		{"From the cache", "mean tokens, as the server reports them", func(t *analyze.TurnSummary) cell { return text(optional(t.Cached, number)) }},
	} {
		t.groups = append(t.groups, group{title: g.title, note: g.note, rows: b.byTurn(g.cell)})
	}
	return known(t)
}

// byTurn makes a row for each stretch of turns that any approach has come to.
func (b tableBuilder) byTurn(cellOf func(t *analyze.TurnSummary) cell) []row {
	var longest []analyze.TurnSummary
	for _, p := range b.s.Approaches {
		if p.Sessions != nil && len(p.Sessions.ByTurn) > len(longest) {
			longest = p.Sessions.ByTurn
		}
	}
	var rows []row
	for _, turn := range longest {
		rows = append(rows, b.ofSessions(turnName(&turn), func(s *analyze.Sessions) cell {
			for i := range s.ByTurn {
				if s.ByTurn[i].From == turn.From {
					return cellOf(&s.ByTurn[i])
				}
			}
			return text(absent)
		}))
	}
	return rows
}

func turnName(t *analyze.TurnSummary) string {
	if t.From == t.To {
		return fmt.Sprintf("turn %d", t.From)
	}
	return fmt.Sprintf("turns %d to %d", t.From, t.To)
}

// describeSessions says in words how conversations go.
func describeSessions(s *workload.Sessions) string {
	t := describeTurns(s.Turns) + " turns each, " + describeDelays(s.Think) + " of thinking between an answer and the next turn; each turn sends the conversation so far, with the answers as they came"
	if s.MaxContext > 0 {
		t += fmt.Sprintf("; a conversation ends before a prompt of more than %s tokens", count(int64(s.MaxContext)))
	}
	return t
}

func describeTurns(t *workload.Turns) string {
	switch {
	case t == nil:
		return "as many as the row of the dataset has"
	case t.Fixed != nil:
		return count(int64(*t.Fixed))
	case t.Geometric != nil:
		return fmt.Sprintf("geometric with mean %s, at most %d", number(t.Geometric.Mean), t.Geometric.Max)
	case t.Uniform != nil:
		return fmt.Sprintf("%d to %d", t.Uniform.Min, t.Uniform.Max)
	}
	return fmt.Sprintf("one of %d given numbers of", len(t.Empirical))
}

func describeDelays(d *workload.Delays) string {
	switch {
	case d == nil:
		return absent
	case d.Fixed != nil:
		return span(d.Fixed.D())
	case d.Uniform != nil:
		return span(d.Uniform.Min.D()) + " to " + span(d.Uniform.Max.D())
	case d.Exponential != nil:
		return "exponential, mean " + span(d.Exponential.Mean.D())
	case d.Lognormal != nil:
		return fmt.Sprintf("lognormal, median %s, sigma %s", span(d.Lognormal.Median.D()), number(d.Lognormal.Sigma))
	}
	return fmt.Sprintf("one of %d given times", len(d.Empirical))
}

// describePatience says in words when users leave.
func describePatience(p *workload.Patience) string {
	t := "a user leaves who waits too long"
	if p.FirstToken != nil {
		t += ": for the first token " + describeDelays(p.FirstToken)
	}
	if p.Answer != nil {
		t += ": for the whole answer " + describeDelays(p.Answer)
	}
	return t + "; the request is cancelled and counts as a miss"
}
