package workload

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mooncake is a trace whose rows share blocks: 0 by all, 1 by two.
const mooncake = `{"timestamp": 0, "input_length": 1400, "output_length": 5, "hash_ids": [0, 1, 2]}
{"timestamp": 100, "input_length": 1500, "output_length": 5, "hash_ids": [0, 1, 3]}
{"timestamp": 200, "input_length": 600, "output_length": 5, "hash_ids": [0, 4]}
{"timestamp": 300, "input_length": 600, "output_length": 5, "hash_ids": [0]}
{"timestamp": 10000, "input_length": 600, "output_length": 5, "hash_ids": [0, 4]}
`

func blockSource(t *testing.T, dir string, trace Trace, cache string, measure int) (*Schedule, *Source) {
	t.Helper()
	scenario := &Scenario{Seed: 1, Dir: dir, Phases: Phases{Measure: sec(measure)}, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}},
		Prompts: Prompts{Trace: &TraceLengths{}, Cache: cache}}
	s, err := NewSchedule(scenario)
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	source, err := NewSource(scenario, s)
	if err != nil {
		t.Fatal(err)
	}
	return s, source
}

// TestBlockPrompts: prompts share exactly the words of the leading blocks that their rows share, and only in one copy of the
// trace.
func TestBlockPrompts(t *testing.T) {
	dir := clients(t, map[string]string{"m.jsonl": mooncake})
	s, source := blockSource(t, dir, Trace{Path: "m.jsonl", Superpose: 2}, "allowed", 10)
	if s.Trace.Dropped[DropBlocks] != 1 || s.Trace.Used != 3 { // 600 tokens in one block
		t.Fatalf("dropped %v", s.Trace.Dropped)
	}
	want := map[[2]int]int{{0, 1}: 1024, {0, 2}: 512, {1, 2}: 512}
	for i, a := range s.Trace.Arrivals {
		x := strings.Fields(source.Request(i, Nonce{}).Messages[0].Content)
		if len(x) != a.InputTokens {
			t.Errorf("%d words for %d tokens", len(x), a.InputTokens)
		}
		for j, b := range s.Trace.Arrivals {
			if j == i {
				continue
			}
			shared := common(x, strings.Fields(source.Request(j, Nonce{Approach: "other"}).Messages[0].Content))
			expected := want[[2]int{min(a.Row, b.Row), max(a.Row, b.Row)}]
			if a.Copy != b.Copy {
				expected = 0
			}
			if shared < expected || shared > expected+2 { // a word or two can be the same by chance
				t.Errorf("rows %d and %d of copies %d and %d share %d words, want %d", a.Row, b.Row, a.Copy, b.Copy, shared, expected)
			}
		}
	}
	_, unique := blockSource(t, dir, Trace{Path: "m.jsonl"}, "", 10)
	if n := common(strings.Fields(unique.Request(0, Nonce{}).Messages[0].Content), strings.Fields(unique.Request(1, Nonce{}).Messages[0].Content)); n > 2 {
		t.Errorf("unique prompts share %d words", n)
	}
}

// common is how many leading words are the same.
func common(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// TestBlockPromptsHit: a cache of whole blocks of text that forgets nothing finds in the prompts of the excerpt the share that
// its ids promise.
func TestBlockPromptsHit(t *testing.T) {
	dir := filepath.Join(sharedTraces(t), "mooncake-fast25")
	const file = "synthetic_trace.jsonl"
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		t.Skip(err)
	}
	s, source := blockSource(t, dir, Trace{Path: file}, "allowed", 300)
	seen := map[string]bool{}
	hits, asks := 0, 0
	var ids prefixCache
	for i, a := range s.Trace.Arrivals {
		ids.add(a.Blocks)
		words := strings.Fields(source.Request(i, Nonce{}).Messages[0].Content)
		leading := true
		for from := 0; from < len(words); from += 512 {
			// The words up to the end of a block stand for it, the last one by as many as there are.
			block := strings.Join(words[from:min(from+512, len(words))], " ")
			asks++
			if leading = leading && seen[block]; leading {
				hits++
			}
			seen[block] = true
		}
	}
	if got, want := float64(hits)/float64(asks), *ids.hit(); math.Abs(got-want) > 0.02 || want < 0.1 {
		t.Errorf("%.3f of the blocks of text are found, by their ids %.3f", got, want)
	}
}
