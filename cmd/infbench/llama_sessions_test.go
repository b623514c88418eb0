package main

import (
	"os"
	"testing"

	"github.com/infbench/infbench/pkg/measure"
)

// TestLlamaSessions holds what a real llama-server says of its cache against the conversations that it was sent
// (scripts/e2e-llama runs scenarios/llama-sessions.yaml): with every turn the cache holds at least all that the turn before
// had as its prompt, and at most that and the answer. Whether it holds the answer too is up to the chat template and the
// tokenizer, which may make other tokens of it than were generated.
func TestLlamaSessions(t *testing.T) {
	dir := os.Getenv("INFBENCH_E2E_SESSIONS")
	if dir == "" {
		t.Skip("run scripts/e2e-llama: it starts a real llama-server and sets INFBENCH_E2E_SESSIONS")
	}
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	last := map[int]*measure.Sample{} // of each conversation
	turns, kept := 0, 0
	var cached, context [6]int
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if !s.OK() || s.InputTokens == nil || s.CachedInput == nil || s.OutputTokens == nil {
			t.Fatalf("conversation %d, turn %d: %s %s, %+v", s.Index, s.Turn, s.Class, s.Error, s)
		}
		prev := last[s.Index]
		last[s.Index] = s
		if s.Turn == 1 {
			if *s.CachedInput > templateTokens {
				t.Errorf("conversation %d: %d tokens of its first turn came from a cache", s.Index, *s.CachedInput)
			}
			continue
		}
		turns++
		if s.Context != *prev.InputTokens+*prev.OutputTokens {
			t.Errorf("conversation %d, turn %d: a context of %d tokens after %d and %d", s.Index, s.Turn, s.Context, *prev.InputTokens, *prev.OutputTokens)
		}
		if *s.CachedInput >= *prev.InputTokens && *s.CachedInput <= s.Context {
			kept++
		} else {
			t.Logf("conversation %d, turn %d: %d tokens from the cache, the turn before had %d and its answer %d", s.Index, s.Turn, *s.CachedInput, *prev.InputTokens, *prev.OutputTokens)
		}
		cached[s.Turn], context[s.Turn] = cached[s.Turn]+*s.CachedInput, context[s.Turn]+s.Context
	}
	if turns < 20 || kept < turns*9/10 { // a conversation may lose its slot to another
		t.Errorf("the cache held %d of %d later turns' conversations", kept, turns)
	}
	t.Logf("the cache held the conversation so far in %d of %d later turns; tokens of turns 2 to 5 from the cache %v, of conversations so far %v", kept, turns, cached[2:], context[2:])
}
