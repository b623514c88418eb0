package analyze_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
)

// sharedScenario has two approaches on one server, one after the other. The lengths of the shared texts are whole blocks
// of the simulated cache (16 tokens), so that what is predicted can be compared to the token.
const sharedScenario = `
name: shared
seed: 5
phases: {warmup: %s, measure: 60s, drain: 60s}
arrivals: {rate: 3/s}
prompts:
  synthetic: {input: {uniform: {min: 20, max: 200}}, output: {fixed: 2}}
  shared: {groups: 15, zipf: 0.9, tokens: {empirical: [160, 320, 480]}, %s}
  cache: %s
approaches:
  - name: one
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1us, decode_step: 1ms%s}
  - name: two
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1us, decode_step: 1ms%[4]s}
`

// TestCachedIsWhatWasPredicted: a server with a large prefix cache reports of each request what the scenario predicts for
// it, to the token, cold and warm. The second approach, on the same server, finds nothing of the first: it has a nonce of
// its own.
func TestCachedIsWhatWasPredicted(t *testing.T) {
	for name, tt := range map[string]struct{ warmup, shared, cache string }{
		"cold":                  {"0s", "share: 0.5", "unique"},
		"cold, by name":         {"0s", "share: 0.5", "cold"},
		"every request":         {"5s", "zipf: 0", "unique"},
		"warm":                  {"20s", "share: 0.6, warm: true", "unique"},
		"warm, by name":         {"20s", "share: 0.6", "warm"},
		"a little, from a time": {"10s", "share: 0.1", "unique"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := fmt.Sprintf(sharedScenario, tt.warmup, tt.shared, tt.cache, ", prefix_cache_tokens: 10000000")
				if tt.shared == "zipf: 0" {
					text = strings.Replace(text, "zipf: 0.9, ", "", 1)
				}
				an, rec := play(t, text, nil)
				for s := range rec.Rows() {
					if s.CachedInput == nil || *s.CachedInput != s.Cacheable {
						t.Errorf("%s, request %d: cached %v, predicted %d of %d", s.Approach, s.Index, s.CachedInput, s.Cacheable, s.AskedInput)
					}
				}
				w := an.Summary.Workload
				for _, b := range w.Sent {
					if *b.CacheableShare != *w.Asked.CacheableShare || math.Abs(*b.CachedShare-*b.CacheableShare) > 1e-12 {
						t.Errorf("%s: cached %v, predicted %v, asked %v", b.Approach, *b.CachedShare, *b.CacheableShare, *w.Asked.CacheableShare)
					}
				}
				for _, code := range []string{"cache_hits", "prefix_share", "workload_as_sent"} {
					if r := reasonOf(an, code); r != nil {
						t.Error(r.Text)
					}
				}
			})
		})
	}
}

// TestCacheThatIsNotAsPredicted: a server without a cache, and one that is warm from another approach's identical prompts,
// are told apart from the one that was meant.
func TestCacheThatIsNotAsPredicted(t *testing.T) {
	for name, tt := range map[string]struct{ cache, server, code, verdict, text string }{
		"no prefix cache":        {"unique", "", "prefix_share", analyze.Valid, "an unlimited one would take 50%: it has no prefix cache;"},
		"a small one":            {"unique", ", prefix_cache_tokens: 640", "prefix_share", analyze.Valid, "its cache is small, or keeps whole blocks only;"},
		"warm from the approach": {"allowed", ", prefix_cache_tokens: 10000000", "cache_hits", analyze.Valid, "two: the server took"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, _ := play(t, fmt.Sprintf(sharedScenario, "0s", "share: 0.5", tt.cache, tt.server), nil)
				r := reasonOf(an, tt.code)
				if r == nil || r.Verdict != tt.verdict || !strings.Contains(r.Text, tt.text) {
					t.Errorf("%+v, want %s", r, tt.code)
				}
			})
		})
	}
}
