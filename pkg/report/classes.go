package report

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// classTable puts the traffic classes of one approach side by side.
type classTable struct {
	approach, standing string
	table              table
}

// classTables has a table for each approach; none without a mix.
func classTables(s *analyze.Summary) []classTable {
	var all []classTable
	for i := range s.Approaches {
		if p := &s.Approaches[i]; len(p.Classes) > 0 {
			all = append(all, classTable{p.Name, standing(p), classesOf(p, s.Workload)})
		}
	}
	return all
}

// classesOf has a column for all requests of an approach and one for each class. What was sent tells whose answers are not as
// long as another approach's; it may be nil.
func classesOf(p *analyze.ApproachSummary, sent *analyze.WorkloadAsSent) table {
	together := *p
	together.Name, together.Classes = "together", nil
	apart := &analyze.Summary{Approaches: []analyze.ApproachSummary{together}}
	for _, c := range p.Classes {
		apart.Approaches = append(apart.Approaches, analyze.ApproachSummary{Name: c.Name, Attempts: c.Attempts, OK: c.OK, Errors: c.Errors, OfferedRate: c.OfferedRate,
			DeliveredRate: c.DeliveredRate, Metrics: c.Metrics, Labels: c.Labels, Tokens: c.Tokens, Goodput: c.Goodput, SLO: c.SLO, Sessions: c.Sessions})
	}
	apart.Workload = outputsByClass(p.Name, sent)
	b := tableBuilder{apart}
	t := table{narrow: true}
	for _, c := range apart.Approaches {
		t.columns = append(t.columns, c.Name)
	}
	verdict := b.each("verdict", func(c *analyze.ApproachSummary) cell {
		v := standing(c)
		if v == "" {
			return text(absent)
		}
		return cell{text: v, tone: verdictTone(v)}
	})
	t.groups = append(t.groups,
		group{title: "Requests", note: "of the measure phase", rows: []row{b.attempts(), b.failed(), b.offered()}},
		group{title: "First token", note: "from the scheduled arrival", rows: b.metric(workload.TTFT, "TTFT", "p50", "p95", "p99")},
		group{title: "Between tokens", rows: append(b.metric(workload.ITL, "ITL", "p50", "p99"), b.metric(workload.TPOT, "TPOT", "p50", "p99")...)},
		group{title: "Whole request", note: "from the scheduled arrival to the end", rows: b.markOutputs(b.metric(workload.E2E, "E2E", "p50", "p95", "p99"))},
		group{title: "Yield", note: "goodput by the limits of each request's class", rows: []row{b.goodput(), b.markOutputs([]row{b.outputRate()})[0]}},
		group{title: "SLO", note: "the scenario's objectives together, the class's own apart", rows: []row{verdict}})
	if hasSessions(apart) {
		t.groups = append(t.groups, b.conversations())
	}
	return t
}

// outputsByClass is how long an approach's answers were beside other approaches', with each class in an approach's place.
func outputsByClass(approach string, sent *analyze.WorkloadAsSent) *analyze.WorkloadAsSent {
	if sent == nil {
		return nil
	}
	out := &analyze.WorkloadAsSent{}
	add := func(column string, outputs []analyze.OutputLengths) {
		for _, o := range outputs {
			if o.Approach == approach {
				o.Approach = column
				out.Outputs = append(out.Outputs, o)
			}
		}
	}
	add("together", sent.Outputs)
	for i := range sent.Classes {
		add(sent.Classes[i].Class, sent.Classes[i].Outputs)
	}
	return out
}

// classNotes explain the marks of the tables.
func classNotes(all []classTable) []string {
	var tables []table
	for _, c := range all {
		tables = append(tables, c.table)
	}
	return legendNotes(tables...)
}

// classFacts say what each class of a mix is.
func classFacts(s *workload.Scenario) []fact {
	total := 0.0
	for _, c := range s.Mix {
		total += c.Weight
	}
	var all []fact
	for i := range s.Mix {
		c := &s.Mix[i]
		arrivals := percent(c.Weight/total) + " of the common arrivals"
		if c.Arrivals != nil {
			arrivals = describeArrivals(*c.Arrivals)
		}
		what := describePrompts(c.Prompts)
		if c.Sessions != nil {
			what += "; conversations of " + describeSessions(c.Sessions)
		}
		if c.Patience != nil {
			what += "; " + describePatience(c.Patience)
		}
		all = append(all, fact{"class " + c.Name, arrivals + "; " + what + "; limits: " + describeLimits(s.ClassSLO(c).Request)})
	}
	return all
}

// describeCommon says in words what arrivals the classes divide.
func describeCommon(s *workload.Scenario) string {
	var names []string
	for _, c := range s.Mix {
		if c.Arrivals == nil {
			names = append(names, fmt.Sprintf("%s %s", c.Name, figure.Short(c.Weight)))
		}
	}
	if len(names) == 0 {
		return "each class has its own"
	}
	return describeArrivals(s.Arrivals) + ", divided by weight: " + strings.Join(names, ", ")
}

// sentClasses puts what was asked of each class beside what was sent of it: the figures that tell most, and every one that
// differs.
func sentClasses(s *analyze.Summary) table {
	w := s.Workload
	if w == nil || len(w.Classes) == 0 {
		return table{}
	}
	t := table{columns: sentColumns(firstRound(w))}
	for i := range w.Classes {
		c := w.Classes[i].WorkloadAsSent
		if (c.Asked == nil) != (w.Asked == nil) { // no column for it, or an empty one
			c.Asked = nil
			if w.Asked != nil {
				c.Asked = &workload.Traffic{}
			}
		}
		b := sentBuilder{firstRound(&c)}
		g := group{title: w.Classes[i].Class, rows: telling("", b.arrivals(), "requests (n)", "mean rate", "CV of the gaps")}
		for _, l := range sentLengths {
			g.rows = append(g.rows, telling(strings.ToLower(l.title[:1])+l.title[1:]+", ", b.lengths(l.figure, l.counted, l.of, l.got), "mean")...)
		}
		g.rows = append(g.rows, telling("from a prefix cache, ", b.cache(), "expected", "reported")...)
		t.groups = append(t.groups, g)
	}
	return known(t)
}

// telling keeps the rows of these labels, and those with a mark; prefix stands before each label.
func telling(prefix string, rows []row, labels ...string) []row {
	var kept []row
	for _, r := range rows {
		keep := false
		for _, l := range labels {
			keep = keep || r.label == l
		}
		for _, c := range r.cells {
			keep = keep || strings.HasSuffix(c.text, differs)
		}
		if keep {
			r.label = prefix + r.label
			kept = append(kept, r)
		}
	}
	return kept
}
