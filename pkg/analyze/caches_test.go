package analyze_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/measure"
)

// nightly is a scenario that is run again and again on a server that stays up and forgets nothing.
const nightly = `
name: nightly
seed: 5
phases: {warmup: 10s, measure: 60s, drain: 60s}
arrivals: {rate: 3/s}
prompts:
  synthetic: {input: {uniform: {min: 20, max: 200}}, output: {fixed: 2}}
  %s
approaches:
  - name: one
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1us, decode_step: 1ms, prefix_cache_tokens: 10000000}
`

// TestNextRunFindsNothingOfThisOne: yesterday's run leaves its prompts in a server's cache. With a nonce of its own the
// next run finds none of them, and only what its own shared texts let it; with the same nonce it sends the very same
// prompts, finds all of them, and says so.
func TestNextRunFindsNothingOfThisOne(t *testing.T) {
	for name, prompts := range map[string]string{
		"unique": "cache: unique",
		"shared": "shared: {groups: 15, tokens: {fixed: 320}, share: 0.5}",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := stage{}
				defer st.stop()
				text := fmt.Sprintf(nightly, prompts)
				for _, nonce := range []string{"monday", "tuesday"} {
					an, rec := st.play(t, text, nonce, nil)
					for s := range rec.Rows() {
						if s.CachedInput == nil || *s.CachedInput != s.Cacheable {
							t.Fatalf("%s, request %d: cached %v, its own run explains %d", nonce, s.Index, s.CachedInput, s.Cacheable)
						}
					}
					if r := reasonOf(an, "cache_hits"); r != nil || rec.Manifest.RunNonce != nonce || an.Summary.Run.Nonce != nonce {
						t.Errorf("%s: %+v", nonce, r)
					}
				}
				an, rec := st.play(t, text, "monday", nil)
				if r := reasonOf(an, "cache_hits"); r == nil || severe(an) < 1 || r.Approach != "one" {
					t.Errorf("the same prompts again: %+v", r)
				}
				for s := range rec.Rows() {
					if s.Phase == measure.Measure && *s.CachedInput < s.AskedInput-16 {
						t.Fatalf("request %d of monday again: %d of %d cached", s.Index, *s.CachedInput, s.AskedInput)
					}
				}
			})
		})
	}
}
