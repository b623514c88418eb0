package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// sloTable is one row per objective.
func sloTable(a *analyze.Analysis) table {
	s := a.Summary
	t := table{}
	var objectives []string
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
		for _, o := range p.SLO {
			if !slices.Contains(objectives, o.Objective) {
				objectives = append(objectives, o.Objective)
			}
		}
	}
	if len(objectives) == 0 {
		return table{}
	}
	g := group{title: "SLO"}
	for _, text := range objectives {
		g.rows = append(g.rows, tableBuilder{s}.each(text, func(p *analyze.ApproachSummary) cell { return sloCell(p, text) }))
	}
	t.groups = []group{g}
	return t
}

func sloCell(p *analyze.ApproachSummary, objective string) cell {
	for _, o := range p.SLO {
		if o.Objective != objective {
			continue
		}
		c := cell{text: o.Verdict, tone: verdictTone(o.Verdict), why: o.Why}
		if o.Value != nil && o.Verdict != analyze.CannotTell {
			c.text += " " + objectiveValue(objective, *o.Value)
		}
		return c
	}
	return text(absent)
}

func verdictTone(v string) tone {
	switch v {
	case analyze.Pass:
		return good
	case analyze.Fail:
		return bad
	}
	return unsure
}

// objectiveValue writes a value in the unit of its objective, whose text starts with the metric.
func objectiveValue(objective string, v float64) string {
	metric, _, _ := strings.Cut(objective, " ")
	switch strings.TrimRight(metric, "<>=") {
	case "goodput", "error_rate":
		return percent(v)
	case "goodput_rate":
		return perSecond(v)
	}
	return Seconds(v)
}

// standing is an approach's verdict over all objectives: the worst of them.
func standing(p *analyze.ApproachSummary) string {
	if len(p.SLO) == 0 {
		return ""
	}
	worst := analyze.Pass
	for _, o := range p.SLO {
		switch {
		case o.Verdict == analyze.Fail:
			return analyze.Fail
		case o.Verdict != analyze.Pass:
			worst = analyze.CannotTell
		}
	}
	return worst
}

// sloSentences say which approaches hold every objective.
func sloSentences(s *analyze.Summary) []string {
	by := map[string][]string{}
	judged := 0
	for i := range s.Approaches {
		p := &s.Approaches[i]
		v := standing(p)
		if v == "" {
			continue
		}
		judged++
		name := p.Name
		if v == analyze.Fail {
			var failed []string
			for _, o := range p.SLO {
				if o.Verdict == analyze.Fail {
					failed = append(failed, o.Objective)
				}
			}
			name += " (" + strings.Join(failed, "; ") + ")"
		}
		by[v] = append(by[v], name)
	}
	if judged == 0 {
		return []string{"No SLO objectives were set, so no approach was judged."}
	}
	var out []string
	switch n := len(by[analyze.Pass]); n {
	case 0:
		out = append(out, "No approach is shown to hold every SLO objective.")
	default:
		out = append(out, fmt.Sprintf("%d of %d approaches hold every SLO objective: %s.", n, judged, strings.Join(by[analyze.Pass], ", ")))
	}
	if l := by[analyze.Fail]; len(l) > 0 {
		out = append(out, "Fails: "+strings.Join(l, ", ")+".")
	}
	if l := by[analyze.CannotTell]; len(l) > 0 {
		out = append(out, "Cannot tell: "+strings.Join(l, ", ")+".")
	}
	return out
}

// judgement is one explanation, and the approaches that it holds for.
type judgement struct {
	objective, verdict, why string
	names                   []string
}

func judgements(s *analyze.Summary) []judgement {
	var list []judgement
	for _, p := range s.Approaches {
		for _, o := range p.SLO {
			if o.Why == "" {
				continue
			}
			i := slices.IndexFunc(list, func(j judgement) bool {
				return j.objective == o.Objective && j.verdict == o.Verdict && j.why == o.Why
			})
			if i < 0 {
				i = len(list)
				list = append(list, judgement{objective: o.Objective, verdict: o.Verdict, why: o.Why})
			}
			list[i].names = append(list[i].names, p.Name)
		}
	}
	return list
}
