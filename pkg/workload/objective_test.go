package workload

import (
	"encoding/json"
	"regexp"
	"testing"
)

func TestObjectives(t *testing.T) {
	cases := []struct {
		text string
		want Objective
	}{
		{"ttft p95 <= 800ms", Objective{Metric: "ttft", Stat: "p95", Op: "<=", Value: 0.8}},
		{"  tpot   p99.9<50ms ", Objective{Metric: "tpot", Stat: "p99.9", Op: "<", Value: 0.05}},
		{"queueing_delay mean <= 1m", Objective{Metric: "queueing_delay", Stat: "mean", Op: "<=", Value: 60}},
		{"e2e max<=1m30s", Objective{Metric: "e2e", Stat: "max", Op: "<=", Value: 90}},
		{"goodput >= 95%", Objective{Metric: "goodput", Op: ">=", Value: 0.95}},
		{"goodput>99.5 %", Objective{Metric: "goodput", Op: ">", Value: 0.995}},
		{"error_rate <= 0%", Objective{Metric: "error_rate", Op: "<=", Value: 0}},
		{"error_rate < 1%", Objective{Metric: "error_rate", Op: "<", Value: 0.01}},
		{"goodput_rate >= 240 / min", Objective{Metric: "goodput_rate", Op: ">=", Value: 4}},
	}
	for _, c := range cases {
		c.want.Text = c.text
		got, err := ParseObjective(c.text)
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v, want %+v", c.text, got, err, c.want)
		}
		if got.String() != c.text {
			t.Errorf("%q is written %q", c.text, got)
		}
		text, err := json.Marshal(got)
		var again Objective
		if err != nil || json.Unmarshal(text, &again) != nil || again != got {
			t.Errorf("%q is stored as %s and read as %+v", c.text, text, again)
		}
		got.Text = "" // as a program makes it
		if remade, err := ParseObjective(got.String()); err != nil || remade.Value != got.Value || remade.Stat != got.Stat || remade.Op != got.Op {
			t.Errorf("%+v is written %q and read as %+v, %v", got, got.String(), remade, err)
		}
	}
}

// TestObjectivesOfEveryMetric: every metric has its objectives, with each statistic.
func TestObjectivesOfEveryMetric(t *testing.T) {
	for _, m := range Metrics() {
		for _, stat := range objectiveStats {
			text := string(m) + " " + stat + " <= 1s"
			if o, err := ParseObjective(text); err != nil || o.Metric != string(m) || o.Stat != stat || o.Value != 1 {
				t.Errorf("%q: %+v, %v", text, o, err)
			}
		}
	}
}

// FuzzObjective: what is read is possible, is written as it was, and has the form that the schema knows.
func FuzzObjective(f *testing.F) {
	for _, text := range []string{"ttft p95 <= 800ms", "goodput>=95 %", "error_rate < 1%", "goodput_rate >= 5 / s", "ttft <= 1s", "goodput >= -0%", "itl p99.9 < 1e3s"} {
		f.Add(text)
	}
	form := regexp.MustCompile(objectivePattern())
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseObjective(text)
		if err != nil {
			checkUnitError(t, err)
			return
		}
		if !form.MatchString(text) {
			t.Errorf("the schema refuses %q", text)
		}
		if o.Text != text || o.String() != text || !(o.Value >= 0) || o.isShare() && o.Value > 1 {
			t.Errorf("%q: %+v", text, o)
		}
	})
}
