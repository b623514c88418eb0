package analyze

import (
	"testing"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// TestAccidentalHits: a chat template that all requests have in common is no hit by accident, whatever its share of short
// prompts, and the workload's own text from a cache is one, whatever its length.
func TestAccidentalHits(t *testing.T) {
	for name, tt := range map[string]struct {
		asked, cacheable, input, cached int
		want                            bool
	}{
		"nothing":                             {100, 0, 120, 0, false},
		"a template of short prompts":         {20, 0, 100, 80, false},
		"a template beyond short prompts":     {20, 0, 100, 64, false},
		"a template in 1.3 tokens a word":     {100, 0, 210, 80, false},
		"short prompts from a cache":          {40, 0, 60, 48, true},
		"short prompts in part":               {40, 0, 60, 32, true},
		"long prompts from a cache":           {2000, 0, 2700, 2600, true},
		"a quarter of long prompts":           {2000, 0, 2700, 700, true},
		"long prompts and a template":         {2000, 0, 2700, 112, false},
		"what is shared":                      {1000, 600, 1020, 600, false},
		"what is shared, in tokens":           {1000, 600, 1400, 840, false},
		"more than what is shared":            {1000, 600, 1020, 900, true},
		"counted with a tokenizer of its own": {1000, 0, 800, 0, false},
		"such, with a template":               {1000, 0, 800, 96, false},
	} {
		l := newSentLog(&measure.BlockRecord{Approach: "a", State: measure.Complete})
		for range 50 {
			l.add(&measure.Sample{Class: endpoint.OK, Sent: measure.At(1), AskedInput: tt.asked, Cacheable: tt.cacheable, InputTokens: &tt.input, CachedInput: &tt.cached})
		}
		sc := &workload.Scenario{Phases: workload.Phases{Measure: 1e9}}
		if tt.cacheable > 0 {
			sc.Prompts.Shared = &workload.Shared{}
		}
		b := l.sent(sc, 0)
		a := &audit{}
		a.cache(&b, sc)
		got := len(a.reasons) > 0 && a.reasons[0].Code == "cache_hits"
		if got != tt.want || got && a.reasons[0].Verdict != Suspect {
			t.Errorf("%s: %+v", name, a.reasons)
		}
	}
}
