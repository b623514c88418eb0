package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// sloTable is one row per objective: the scenario's, and then those of each traffic class.
func sloTable(a *analyze.Analysis) table {
	s := a.Summary
	t := table{}
	classes := 0
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
		classes = max(classes, len(p.Classes))
	}
	add := func(title string, of func(p *analyze.ApproachSummary) []analyze.ObjectiveResult) {
		if g := sloGroup(s, title, of); len(g.rows) > 0 {
			t.groups = append(t.groups, g)
		}
	}
	all := "SLO"
	if classes > 0 {
		all = "SLO of all requests"
	}
	add(all, func(p *analyze.ApproachSummary) []analyze.ObjectiveResult { return p.SLO })
	for k := range classes {
		of := func(p *analyze.ApproachSummary) []analyze.ObjectiveResult {
			if k < len(p.Classes) {
				return p.Classes[k].SLO
			}
			return nil
		}
		for _, p := range s.Approaches {
			if k < len(p.Classes) {
				add("SLO of "+p.Classes[k].Name, of)
				break
			}
		}
	}
	if len(t.groups) == 0 {
		return table{}
	}
	return t
}

func sloGroup(s *analyze.Summary, title string, of func(p *analyze.ApproachSummary) []analyze.ObjectiveResult) group {
	var objectives []string
	for i := range s.Approaches {
		for _, o := range of(&s.Approaches[i]) {
			if !slices.Contains(objectives, o.Objective) {
				objectives = append(objectives, o.Objective)
			}
		}
	}
	g := group{title: title}
	for _, text := range objectives {
		g.rows = append(g.rows, tableBuilder{s}.each(text, func(p *analyze.ApproachSummary) cell { return sloCell(of(p), text) }))
	}
	return g
}

func sloCell(results []analyze.ObjectiveResult, objective string) cell {
	for _, o := range results {
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

// standing is an approach's verdict over all objectives, those of its classes too: the worst of them.
func standing(p *analyze.ApproachSummary) string {
	if len(results(p)) == 0 {
		return ""
	}
	return p.Verdict()
}

// results are the judged objectives of an approach, those of a traffic class with its name before them.
func results(p *analyze.ApproachSummary) []analyze.ObjectiveResult {
	all := slices.Clone(p.SLO)
	for _, c := range p.Classes {
		for _, o := range c.SLO {
			o.Objective = c.Name + " " + o.Objective
			all = append(all, o)
		}
	}
	return all
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
			for _, o := range results(p) {
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
		for _, o := range results(&p) {
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
