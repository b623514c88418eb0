package analyze

import (
	"strings"
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
		l := newSentLog(&measure.BlockRecord{Approach: "a", State: measure.Complete}, &workload.Scenario{})
		for range 50 {
			l.add(&measure.Sample{Class: endpoint.OK, Sent: measure.At(1), AskedInput: tt.asked, Cacheable: tt.cacheable, InputTokens: &tt.input, CachedInput: &tt.cached})
		}
		sc := &workload.Scenario{Phases: workload.Phases{Measure: 1e9}}
		if tt.cacheable > 0 {
			sc.Prompts.Shared = &workload.Shared{}
		}
		b := l.sent(sc.Phases, 0)
		a := &audit{}
		a.cache(&b, "a", &sc.Prompts, false)
		got := len(a.reasons) > 0 && a.reasons[0].Code == "cache_hits"
		if got != tt.want || got && a.reasons[0].Verdict != Suspect {
			t.Errorf("%s: %+v", name, a.reasons)
		}
	}
}

// TestCacheHitsOfAClass: prompts of a class that are meant to be unique, and are found in a cache, are told by class.
func TestCacheHitsOfAClass(t *testing.T) {
	sc := &workload.Scenario{Phases: workload.Phases{Measure: 1e9}, Mix: []workload.TrafficClass{{Name: "chat"}, {Name: "rag"}}}
	block := &measure.BlockRecord{Approach: "edge", State: measure.Complete}
	m := &measure.Manifest{Scenario: sc, Blocks: []measure.BlockRecord{*block}}
	l := newSentLog(block, sc)
	for i := range 100 {
		s := &measure.Sample{TrafficClass: "chat", Class: endpoint.OK, Sent: measure.At(1), AskedInput: 1000, InputTokens: new(1000), CachedInput: new(0)}
		if i%2 == 1 {
			s.TrafficClass, s.CachedInput = "rag", new(990)
		}
		l.add(s)
	}
	a := &audit{}
	a.sent(workloadAsSent(m, []*sentLog{l}, nil), sc)
	if len(a.reasons) != 1 || a.reasons[0].Code != "cache_hits" || a.reasons[0].Verdict != Suspect || !strings.Contains(a.reasons[0].Text, "edge, class rag: the server took 99%") {
		t.Errorf("%+v", a.reasons)
	}
}
