package report

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// mixed makes a mix of a run: half of its requests are chat, four tenths completions at a quarter of the latencies, and a tenth
// a batch job that fails now and then.
func mixed(a *analyze.Analysis) *analyze.Analysis {
	kinds := []struct {
		name        string
		part, scale float64
		class       workload.TrafficClass
	}{
		{"chat", 0.5, 1, workload.TrafficClass{Weight: 5, SLO: &workload.ClassSLO{Request: workload.RequestLimits{TTFT: workload.Duration(time.Second)}}}},
		{"autocomplete", 0.4, 0.25, workload.TrafficClass{Weight: 4, SLO: &workload.ClassSLO{Request: workload.RequestLimits{E2E: workload.Duration(600 * time.Millisecond)}}}},
		{"batch", 0.1, 3, workload.TrafficClass{Arrivals: &workload.Arrivals{Preset: "steady", Rate: 0.4}}},
	}
	for _, k := range kinds {
		k.class.Name, k.class.Prompts = k.name, a.Scenario.Prompts
		a.Scenario.Mix = append(a.Scenario.Mix, k.class)
		c := analyze.ClassAsSent{Class: k.name, WorkloadAsSent: *a.Summary.Workload}
		c.Sent = slices.Clone(c.Sent)
		a.Summary.Workload.Classes = append(a.Summary.Workload.Classes, c)
	}
	a.Scenario.Prompts = workload.Prompts{}
	for i := range a.Summary.Approaches {
		p := &a.Summary.Approaches[i]
		for _, k := range kinds {
			n := int(float64(p.Attempts) * k.part)
			c := analyze.ClassSummary{Name: k.name, Attempts: n, OK: n, OfferedRate: p.OfferedRate * k.part, DeliveredRate: p.DeliveredRate * k.part,
				Metrics: map[workload.Metric]*analyze.Quantiles{}, Tokens: p.Tokens, Goodput: &analyze.Goodput{Ratio: math.Min(1, p.Goodput.Ratio/k.scale)}}
			if k.name == "batch" {
				c.OK, c.Errors = n-3, map[endpoint.Class]int{endpoint.TimeoutTotal: 3}
			}
			for m, q := range p.Metrics {
				c.Metrics[m] = scaled(q, k.scale)
			}
			if k.name != "batch" {
				o := analyze.ObjectiveResult{Objective: "ttft p95 <= 1s", Verdict: analyze.CannotTell, Why: "too few samples beyond the percentile; run longer"}
				if v := c.Metrics[workload.TTFT].P95; v != nil {
					if o.Value, o.Why, o.Verdict = v, "", analyze.Fail; *v <= 1 {
						o.Verdict = analyze.Pass
					}
				}
				c.SLO = append(c.SLO, o)
			}
			p.Classes = append(p.Classes, c)
		}
	}
	return a
}

func scaled(q *analyze.Quantiles, by float64) *analyze.Quantiles {
	out := *q
	for _, v := range []**float64{&out.Mean, &out.Min, &out.P50, &out.P90, &out.P95, &out.P99, &out.P999, &out.Max} {
		if *v != nil {
			*v = new(**v * by)
		}
	}
	return &out
}

// lastTwo leaves out the other approaches.
func lastTwo(a *analyze.Analysis) *analyze.Analysis {
	s := a.Summary
	s.Approaches, s.Workload.Sent, a.Series, a.Scenario.Approaches = s.Approaches[2:], s.Workload.Sent[2:], a.Series[2:], a.Scenario.Approaches[2:]
	return a
}

// TestClassesAreShown: every form has the classes of every approach side by side, their objectives in the verdicts, and what
// was sent of each; the scenario's description says what each class is.
func TestClassesAreShown(t *testing.T) {
	a := mixed(synthetic(0.5))
	var md, page bytes.Buffer
	if err := Markdown(&md, a); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, a, nil); err != nil {
		t.Fatal(err)
	}
	screen := screenOf(t, a, 100, false)
	for name, form := range map[string]struct{ text, heading, row string }{
		"Markdown": {md.String(), "## Traffic classes", "| | together | chat | autocomplete | batch |"},
		"HTML":     {page.String(), `<h2 id="classes">Traffic classes</h2>`, `<th scope="col">together</th><th scope="col">chat</th><th scope="col">autocomplete</th><th scope="col">batch</th>`},
		"terminal": {screen, "Traffic classes of hosted-large", "together         chat  autocomplete        batch"},
	} {
		if !strings.Contains(form.text, form.heading) || strings.Count(form.text, form.row) != 4 {
			t.Errorf("%s: no heading, or %d tables", name, strings.Count(form.text, form.row))
		}
		if !strings.Contains(form.text, "SLO of autocomplete") {
			t.Errorf("%s does not judge the objectives of a class", name)
		}
	}
	for _, want := range []string{"By traffic class", "55.6% of the common arrivals", "preset steady, base rate 0.400/s", "divided by weight: chat 5, autocomplete 4", "limits: E2E ≤ 600ms"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	var without bytes.Buffer
	if err := HTML(&without, synthetic(0.5), nil); err != nil || strings.Contains(strings.ToLower(without.String()), "traffic class") {
		t.Errorf("classes of a run without a mix (%v)", err)
	}
}

// TestStandingTakesClassesIn: an approach that fails for one class alone is told to fail, and for what.
func TestStandingTakesClassesIn(t *testing.T) {
	a := mixed(synthetic(1))
	p := &a.Summary.Approaches[1]
	for i := range p.SLO {
		p.SLO[i] = analyze.ObjectiveResult{Objective: p.SLO[i].Objective, Verdict: analyze.Pass}
	}
	p.Classes[0].SLO = nil
	p.Classes[1].SLO = []analyze.ObjectiveResult{{Objective: "e2e p90 <= 600ms", Verdict: analyze.Fail, Value: new(0.7)}}
	if got := standing(p); got != analyze.Fail {
		t.Errorf("standing %q", got)
	}
	if got := strings.Join(sloSentences(a.Summary), " "); !strings.Contains(got, "hosted-small (autocomplete e2e p90 <= 600ms)") {
		t.Errorf("%s", got)
	}
	p.SLO, p.Classes[1].SLO = nil, nil
	if got := standing(p); got != "" {
		t.Errorf("standing %q without an objective", got)
	}
}

// TestSentOfClassesShowsWhatDiffers: of each class the figures that tell most, and any other that is marked.
func TestSentOfClassesShowsWhatDiffers(t *testing.T) {
	a := mixed(synthetic(1))
	for i := range a.Summary.Workload.Classes[0].Sent {
		a.Summary.Workload.Classes[0].Sent[i].Differences = nil
	}
	table := sentClasses(a.Summary)
	if len(table.groups) != 3 || len(table.columns) != 5 || len(table.groups[0].rows) >= len(table.groups[1].rows) {
		t.Fatalf("%d groups, %d columns", len(table.groups), len(table.columns))
	}
	for _, g := range table.groups {
		for _, r := range g.rows {
			if len(r.cells) != len(table.columns) {
				t.Errorf("%s, %s: %d cells", g.title, r.label, len(r.cells))
			}
		}
	}
	a.Summary.Workload.Classes[2].Asked = nil // a record that lacks it
	for _, r := range sentClasses(a.Summary).groups[2].rows {
		if len(r.cells) != len(table.columns) {
			t.Errorf("%s: %d cells", r.label, len(r.cells))
		}
	}
}
