package workload

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestColdBlocks: with a cold cache the prompts of a trace share within a block of a run what its rows record and, but for
// the nonce, nothing more; with another block, approach or run they share nothing. What each could take from a cache is
// what any earlier prompt has in common with it, counted here from the texts alone.
func TestColdBlocks(t *testing.T) {
	for name, tt := range map[string]struct {
		trace   Trace
		measure int
	}{
		"excerpt":      {Trace{Path: "mooncake-conversation-first60.jsonl"}, 15},
		"in two parts": {Trace{Path: "mooncake-conversation-first60.jsonl", Superpose: 2}, 15},
	} {
		s, source := blockSource(t, "testdata/traces", tt.trace, cacheCold, tt.measure)
		source.SetRun("monday")
		var before [][]string
		all, cacheable := 0, 0
		for i, a := range s.Trace.Arrivals {
			req := source.Request(i, Nonce{Approach: "edge"})
			words := strings.Fields(req.Messages[0].Content)
			if len(words) != a.InputTokens || !req.CacheAllowed {
				t.Fatalf("%s: %d words for %d tokens", name, len(words), a.InputTokens)
			}
			shared := 0
			for _, w := range before {
				shared = max(shared, common(words, w))
			}
			before = append(before, words)
			// A word or two are the same by chance, and the first prompts of two copies have only the nonce in common.
			if req.Cacheable != source.Cacheable(i) || shared < req.Cacheable || shared > max(req.Cacheable, NonceWords)+2 {
				t.Errorf("%s, request %d: %d words in common with an earlier one, predicted %d", name, i, shared, req.Cacheable)
			}
			all, cacheable = all+len(words), cacheable+req.Cacheable
			for _, other := range []Nonce{{Approach: "edge", Block: 1}, {Approach: "self-hosted"}} {
				if n := common(words, strings.Fields(source.Request(i, other).Messages[0].Content)); n > 2 {
					t.Errorf("%s, request %d: %d words in common with %+v", name, i, n, other)
				}
			}
			source.SetRun("tuesday")
			if n := common(words, strings.Fields(source.Request(i, Nonce{Approach: "edge"}).Messages[0].Content)); n > 2 {
				t.Errorf("%s, request %d: %d words in common with another run", name, i, n)
			}
			source.SetRun("monday")
		}
		if got := source.Asked(s).CacheableShare; got == nil || *got != float64(cacheable)/float64(all) || *got < 0.01 {
			t.Errorf("%s: share %v, want %d of %d", name, got, cacheable, all)
		}
	}
}

// TestColdTexts: a system message and repeated rows are shared within a block, and with no other.
func TestColdTexts(t *testing.T) {
	withSystem := synthetic(cacheCold)
	withSystem.System = "You answer in one sentence."
	rows := datasetOf(t, `{"prompt": "What is new?"}`)
	rows.Cache = cacheCold
	for name, prompts := range map[string]Prompts{"system message": withSystem, "rows": rows} {
		src := sourceOf(t, prompts)
		first := func(run string, i int, n Nonce) Message {
			src.SetRun(run)
			return src.Request(i, n).Messages[0]
		}
		want := first("monday", 0, Nonce{Approach: "edge"})
		if n := len(strings.Fields(want.Content)); n <= NonceWords {
			t.Errorf("%s: %q", name, want.Content)
		}
		for i := range 5 {
			if got := first("monday", i, Nonce{Approach: "edge"}); got != want {
				t.Errorf("%s, request %d: %q, want %q", name, i, got.Content, want.Content)
			}
		}
		for _, other := range []Message{first("tuesday", 0, Nonce{Approach: "edge"}), first("monday", 0, Nonce{Approach: "edge", Block: 1}), first("monday", 0, Nonce{Approach: "large"})} {
			if common(strings.Fields(other.Content), strings.Fields(want.Content)) > 2 {
				t.Errorf("%s: %q and %q", name, other.Content, want.Content)
			}
		}
		if prompts.Predictable() {
			t.Errorf("%s: nobody has counted what they share", name)
		}
	}
	// What has nothing in common keeps a nonce of its own: cold is unique then.
	cold, unique := sourceOf(t, synthetic(cacheCold)), sourceOf(t, synthetic(""))
	for i := range 20 {
		if a, b := cold.Request(i, Nonce{Approach: "edge"}), unique.Request(i, Nonce{Approach: "edge"}); !reflect.DeepEqual(a.Messages, b.Messages) {
			t.Errorf("%+v, want %+v", a, b)
		}
	}
}

// TestCacheModesOfSharedTexts: cold is what shared texts are by default, warm what shared.warm makes of them.
func TestCacheModesOfSharedTexts(t *testing.T) {
	texts := func(shared, cache string) (all []Request) {
		src, sched, err := sharedSource(t, shared, cache)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sched.Times {
			req := src.Request(i, Nonce{Approach: "edge"})
			if !req.CacheAllowed {
				t.Fatal("a server is told not to hold what requests share")
			}
			all = append(all, req)
		}
		return all
	}
	const shared = "{groups: 12, tokens: {fixed: 50}, share: 0.2%s}"
	plain, warm := fmt.Sprintf(shared, ""), fmt.Sprintf(shared, ", warm: true")
	if !reflect.DeepEqual(texts(plain, "cold"), texts(plain, "unique")) || !reflect.DeepEqual(texts(plain, "warm"), texts(warm, "unique")) || reflect.DeepEqual(texts(plain, "warm"), texts(plain, "cold")) {
		t.Error("the modes are not those of the texts")
	}
	if _, _, err := sharedSource(t, "{groups: 5000, tokens: {fixed: 50}}", "warm"); err == nil || !strings.Contains(err.Error(), "prompts.cache: warm: the warm-up has") || !strings.Contains(err.Error(), "each of 5000 groups is to be sent once in it: lengthen phases.warmup") {
		t.Errorf("a warm-up that is too short: %v", err)
	}
}
