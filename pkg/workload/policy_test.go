package workload

import (
	"strings"
	"testing"
	"time"
)

// TestPolicy reads a policy, and says what is wrong with others.
func TestPolicy(t *testing.T) {
	p, err := ParsePolicy([]byte("gates:\n  - {figure: ttft p95, worse: 10%, at_least: 20ms}\n  - {figure: error_rate, worse: 0.5%}\nerror_budget: 1%\n"), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Gates) != 2 || p.Gates[0].Worse != 0.1 || p.Gates[0].AtLeast.D() != 20*time.Millisecond || p.Gates[1].Worse != 0.005 || !p.SLO || *p.ErrorBudget != 0.01 || p.Confidence != 0.95 {
		t.Errorf("%+v", p)
	}
	for text, want := range map[string]string{"": "none", "error_budget: 0%": "0%", "error_budget: 2%": "2%"} {
		p, err := ParsePolicy([]byte("gates: [{figure: error_rate, worse: 1%}]\n"+text), "p.yaml")
		got := "none"
		if err == nil && p.ErrorBudget != nil {
			got = p.ErrorBudget.String()
		}
		if err != nil || got != want {
			t.Errorf("%q: an error budget of %s, want %s (%v)", text, got, want, err)
		}
	}
	for text, want := range map[string][]string{
		"":                                       {"p.yaml", "gates"},
		"gates: []":                              {"p.yaml:1:1", "gates: an empty list"},
		"gates: [{figure: ttft p95}]":            {"gates[0].worse: missing", "10%"},
		"gates: [{figure: ttft p95, worse: 10}]": {"10 has no unit", "write 10%"},
		"gates: [{figure: ttft p95, worse: -1%}]":                 {"negative"},
		"gates: [{figure: ttft p95, worse: much}]":                {"is not a share"},
		"gates: [{figure: a, worse: 1%}, {figure: a, worse: 2%}]": {"gates[1].figure", "gated twice"},
		"gates: [{figure: a, worse: 1%}]\nconfidence: 100%":       {"p.yaml:2:", "out of range"},
		"gates: [{figure: a, worse: 1%, at_least: 5}]":            {"5 has no unit"},
		"gates: [{figur: a, worse: 1%}]":                          {"no such field", "figure"},
	} {
		_, err := ParsePolicy([]byte(text), "p.yaml")
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v, want %q", text, err, w)
			}
		}
	}
	if _, err := LoadPolicy("nothing.yaml"); err == nil {
		t.Error("a policy that is not there was read")
	}
}

// FuzzPolicy: whatever stands in a policy, it is read or refused with a place.
func FuzzPolicy(f *testing.F) {
	f.Add("gates: [{figure: ttft p95, worse: 10%, at_least: 20ms}]")
	f.Add("slo: false\ngates:\n- figure: error_rate\n  worse: 0.5%\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy([]byte(text), "p.yaml")
		switch {
		case err != nil && !strings.Contains(err.Error(), "p.yaml"):
			t.Errorf("%v", err)
		case err == nil && (len(p.Gates) == 0 || p.Confidence <= 0 || p.Confidence >= 1):
			t.Errorf("%+v", p)
		}
	})
}
