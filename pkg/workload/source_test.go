package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// sourceOf makes the source of the prompts of a scenario that is otherwise small.
func sourceOf(t *testing.T, prompts Prompts) *Source {
	t.Helper()
	s := parse(t, small)
	s.Prompts = prompts
	src, err := NewSource(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func synthetic(cache string) Prompts {
	return Prompts{Cache: cache, Synthetic: &Synthetic{Input: &Lengths{Uniform: &Uniform{1, 60}}, Output: &Lengths{Fixed: pointer(5)}}}
}

func textOf(req Request) string {
	var all []string
	for _, m := range req.Messages {
		all = append(all, m.Role+": "+m.Content)
	}
	return strings.Join(all, "\n")
}

func TestWords(t *testing.T) {
	words := Words()
	if len(words) != 2048 {
		t.Fatalf("%d words: 11 bits choose one", len(words))
	}
	seen := map[string]bool{}
	for _, w := range words {
		if seen[w] || len(w) < 3 || len(w) > 8 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q: twice, too short, too long or not in lower case", w)
		}
		seen[w] = true
	}
}

// TestSourceAsksForWords: a prompt has as many words as tokens were asked for, the nonce included.
func TestSourceAsksForWords(t *testing.T) {
	for _, cache := range []string{"unique", "allowed"} {
		src := sourceOf(t, synthetic(cache))
		for i := range 500 {
			req := src.Request(i, Nonce{Approach: "edge"})
			input, output := src.Lengths(i)
			if len(req.Messages) != 1 || req.Messages[0].Role != "user" || req.Index != i || req.InputTokens != input || req.MaxTokens != output {
				t.Fatalf("%+v", req)
			}
			text := req.Messages[0].Content
			if got := len(strings.Fields(text)); got != input || strings.Join(strings.Fields(text), " ") != text {
				t.Fatalf("%d words for %d tokens: %q", got, input, text)
			}
		}
	}
}

// TestSourceIsPure: a request depends on the seed, its index and the nonce, not on what was made before or beside it.
func TestSourceIsPure(t *testing.T) {
	src := sourceOf(t, synthetic(""))
	want := make([]Request, 100)
	for i := range want {
		want[i] = sourceOf(t, synthetic("")).Request(i, Nonce{"edge", 1})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := len(want) - 1; i >= 0; i-- {
				if got := src.Request(i, Nonce{"edge", 1}); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("request %d: %+v, then %+v", i, want[i], got)
				}
			}
		})
	}
	wg.Wait()
	other := parse(t, small, OverrideSeed("2"))
	other.Prompts = synthetic("")
	src, err := NewSource(other, nil)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(src.Request(0, Nonce{"edge", 1}), want[0]) {
		t.Error("another seed gives the same request")
	}
}

// TestUniquePromptsShareNoPrefix: over indices, approaches and blocks no two prompts begin with the same three words.
// By chance two of these 800 do with probability 800^2/2 / 2048^3 < 0.0001.
func TestUniquePromptsShareNoPrefix(t *testing.T) {
	long := Prompts{Synthetic: &Synthetic{Input: &Lengths{Fixed: pointer(40)}, Output: &Lengths{Fixed: pointer(5)}}}
	withSystem := long
	withSystem.System = "You answer in one sentence."
	for name, prompts := range map[string]Prompts{"plain": long, "after a system message": withSystem, "rows of a dataset": datasetOf(t, `{"prompt": "What is new?"}`)} {
		t.Run(name, func(t *testing.T) {
			src := sourceOf(t, prompts)
			seen := map[string]string{}
			for _, approach := range []string{"self-hosted", "edge"} {
				for block := range 4 {
					for i := range 100 {
						req := src.Request(i, Nonce{approach, block})
						prefix := strings.Join(strings.Fields(req.Messages[0].Content)[:3], " ")
						at := fmt.Sprintf("%s, block %d, request %d", approach, block, i)
						if before, ok := seen[prefix]; ok {
							t.Errorf("%s and %s begin with %q", before, at, prefix)
						}
						seen[prefix] = at
					}
				}
			}
		})
	}
}

// TestRunNonce: two runs of one scenario begin their prompts with other words, of which there are as many, and go on with
// the same; a run with the nonce of another is that run again; without a nonce of the run, nothing depends on it.
func TestRunNonce(t *testing.T) {
	fixed := &Synthetic{Input: &Lengths{Fixed: pointer(40)}, Output: &Lengths{Fixed: pointer(5)}}
	for name, prompts := range map[string]Prompts{
		"plain": {Synthetic: fixed}, "after a system message": {Synthetic: fixed, System: "Be brief."},
		"shared": {Synthetic: fixed, Shared: &Shared{Groups: 3, Tokens: &Lengths{Fixed: pointer(30)}}}, "rows": datasetOf(t, `{"prompt": "What is new on the third floor?"}`),
	} {
		words := func(run string, i int) []string {
			src := sourceOf(t, prompts)
			src.SetRun(run)
			return strings.Fields(src.Request(i, Nonce{Approach: "edge"}).Messages[0].Content)
		}
		starts := map[string]bool{}
		for i := range 20 {
			monday, tuesday := words("monday", i), words("tuesday", i)
			if !reflect.DeepEqual(monday[NonceWords:], tuesday[NonceWords:]) || !reflect.DeepEqual(monday, words("monday", i)) {
				t.Fatalf("%s: %q and %q", name, monday, tuesday)
			}
			for _, w := range [][]string{monday, tuesday, words("", i)} {
				starts[strings.Join(w[:3], " ")] = true
			}
		}
		if want := map[bool]int{true: 9, false: 60}[prompts.Shared != nil]; len(starts) > want || len(starts) < want-3 {
			t.Errorf("%s: %d beginnings, want %d", name, len(starts), want)
		}
	}
	allowed := sourceOf(t, synthetic("allowed"))
	before := allowed.Request(0, Nonce{})
	allowed.SetRun("monday")
	if !reflect.DeepEqual(before, allowed.Request(0, Nonce{})) {
		t.Error("a prompt without a nonce depends on the run")
	}
}

// TestUniquePromptsShareTheRest: approaches and blocks get the same text behind the nonce: common random numbers.
func TestUniquePromptsShareTheRest(t *testing.T) {
	src := sourceOf(t, Prompts{Synthetic: &Synthetic{Pairs: [][2]int{{40, 5}}}})
	rest := func(n Nonce) string {
		return strings.Join(strings.Fields(src.Request(3, n).Messages[0].Content)[NonceWords:], " ")
	}
	want := rest(Nonce{"edge", 0})
	for _, n := range []Nonce{{"edge", 1}, {"self-hosted", 0}} {
		if got := rest(n); got != want {
			t.Errorf("%+v: %q, want %q", n, got, want)
		}
	}
}

// TestAllowedCacheSendsTheSame: without a nonce all approaches and blocks get the very same text.
func TestAllowedCacheSendsTheSame(t *testing.T) {
	src := sourceOf(t, synthetic("allowed"))
	for i := range 50 {
		want := src.Request(i, Nonce{"edge", 0})
		if !want.CacheAllowed {
			t.Error("the request does not know that a cache may answer it")
		}
		for _, n := range []Nonce{{"edge", 1}, {"self-hosted", 0}} {
			if got := src.Request(i, n); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %+v, want %+v", n, got, want)
			}
		}
	}
	if textOf(src.Request(0, Nonce{})) == textOf(src.Request(1, Nonce{})) {
		t.Error("two requests have the same prompt")
	}
}

// TestSystemMessage: it comes first, after the nonce if there is one.
func TestSystemMessage(t *testing.T) {
	const system = "You answer in one sentence."
	prompts := synthetic("allowed")
	prompts.System = system
	req := sourceOf(t, prompts).Request(0, Nonce{"edge", 0})
	if len(req.Messages) != 2 || req.Messages[0] != (Message{"system", system}) || req.Messages[1].Role != "user" {
		t.Errorf("%+v", req.Messages)
	}
	prompts.Cache = "unique"
	req = sourceOf(t, prompts).Request(0, Nonce{"edge", 0})
	first := req.Messages[0].Content
	if len(strings.Fields(first)) != NonceWords+5 || !strings.HasSuffix(first, " "+system) {
		t.Errorf("%q", first)
	}
	if got := len(strings.Fields(req.Messages[1].Content)); got != req.InputTokens {
		t.Errorf("%d words for %d tokens", got, req.InputTokens)
	}
}

// TestPairsAreDrawnTogether: input and output of one pair stay together, and each pair has its share.
func TestPairsAreDrawnTogether(t *testing.T) {
	pairs := [][2]int{{10, 1}, {20, 2}, {30, 3}}
	src := sourceOf(t, Prompts{Synthetic: &Synthetic{Pairs: pairs}})
	count := map[[2]int]int{}
	const n = 3000
	for i := range n {
		input, output := src.Lengths(i)
		count[[2]int{input, output}]++
	}
	for _, p := range pairs {
		// Four standard deviations of a binomial count: sqrt(3000 2/9) = 26.
		if got := count[p]; got < n/3-104 || got > n/3+104 {
			t.Errorf("pair %v %d times of %d", p, got, n)
		}
	}
	if len(count) != len(pairs) {
		t.Errorf("drawn: %v", count)
	}
}

// datasetOf writes a dataset and names it.
func datasetOf(t *testing.T, rows ...string) Prompts {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prompts.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(rows, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return Prompts{Dataset: &Dataset{Path: file}}
}

// TestDatasetOrder: every row once in an order that the seed decides, and then again in the same order.
func TestDatasetOrder(t *testing.T) {
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf(`{"prompt": "row %d"}`, i))
	}
	prompts := datasetOf(t, rows...)
	prompts.Cache = "allowed"
	order := func(seed uint64) []string {
		s := parse(t, small)
		s.Seed, s.Prompts = seed, prompts
		src, err := NewSource(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := range 3 * len(rows) {
			all = append(all, src.Request(i, Nonce{"edge", i}).Messages[0].Content)
		}
		return all
	}
	got := order(1)
	for round := range 3 {
		seen := map[string]bool{}
		for i, text := range got[round*20 : round*20+20] {
			seen[text] = true
			if text != got[i] {
				t.Errorf("round %d, row %d: %q, first %q", round, i, text, got[i])
			}
		}
		if len(seen) != 20 {
			t.Errorf("round %d has %d rows", round, len(seen))
		}
	}
	if reflect.DeepEqual(got[:2], []string{"row 0", "row 1"}) {
		t.Error("not shuffled")
	}
	if reflect.DeepEqual(got, order(2)) {
		t.Error("another seed gives the same order")
	}
	if !reflect.DeepEqual(got, order(1)) {
		t.Error("the same seed gives another order")
	}
}

// TestDatasetRequests: the rows' own messages and lengths are what is sent, and the source keeps them as they are.
func TestDatasetRequests(t *testing.T) {
	prompts := datasetOf(t, `{"messages": [{"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Well."}, {"role": "user", "content": "Good."}], "max_tokens": 7}`)
	prompts.Dataset.Output = &Lengths{Fixed: pointer(99)}
	src := sourceOf(t, prompts)
	for i := range 2 {
		req := src.Request(i, Nonce{"edge", 0})
		input, output := src.Lengths(i)
		if req.MaxTokens != 7 || output != 7 || req.InputTokens != input || input != 5+NonceWords || len(req.Messages) != 3 {
			t.Errorf("%d tokens for %+v", input, req)
		}
		first, rest, _ := strings.Cut(req.Messages[0].Content, "\n")
		if len(strings.Fields(first)) != NonceWords || rest != "How are you?" || req.Messages[1] != (Message{"assistant", "Well."}) {
			t.Errorf("%+v", req.Messages)
		}
	}
	prompts = datasetOf(t, `{"prompt": "Hello."}`)
	prompts.Cache, prompts.System = "allowed", "Be brief."
	src = sourceOf(t, prompts)
	if req := src.Request(0, Nonce{"edge", 0}); textOf(req) != "system: Be brief.\nuser: Hello." || req.MaxTokens != 0 || req.InputTokens != 1 {
		t.Errorf("%+v", req)
	}
	prompts.Dataset.Output = &Lengths{Fixed: pointer(99)}
	if _, output := sourceOf(t, prompts).Lengths(0); output != 99 {
		t.Errorf("output %d, want that of the scenario", output)
	}
}

// TestTraceLengths: the lengths of the very requests of the trace, cut to the limits, and counted.
func TestTraceLengths(t *testing.T) {
	s := parse(t, small)
	s.Prompts = Prompts{Trace: &TraceLengths{MaxInput: 100, MaxOutput: 20}}
	sched := &Schedule{Trace: &Replay{Arrivals: replayedLengths([2]int{50, 10}, [2]int{500, 10}, [2]int{50, 30}, [2]int{500, 30}, [2]int{100, 20})}}
	lengths := func() (all [][2]int, clamped int) {
		src, err := NewSource(s, sched)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sched.Trace.Arrivals {
			req := src.Request(i, Nonce{"edge", 0})
			if got := len(strings.Fields(req.Messages[0].Content)); got != req.InputTokens {
				t.Errorf("%d words for %d tokens", got, req.InputTokens)
			}
			all = append(all, [2]int{req.InputTokens, req.MaxTokens})
		}
		return all, src.Clamped()
	}
	got, clamped := lengths()
	if want := [][2]int{{50, 10}, {100, 10}, {50, 20}, {100, 20}, {100, 20}}; !reflect.DeepEqual(got, want) || clamped != 3 {
		t.Errorf("%v with %d clamped, want %v with 3", got, clamped, want)
	}
	s.Prompts.Trace = &TraceLengths{}
	if got, clamped = lengths(); got[3] != [2]int{500, 30} || clamped != 0 {
		t.Errorf("without limits: %v with %d clamped", got, clamped)
	}
}

func TestNewSourceErrors(t *testing.T) {
	s := parse(t, small)
	cases := map[string]struct {
		prompts Prompts
		want    string
	}{
		"nothing":             {Prompts{}, "prompts: give one of synthetic, dataset and trace"},
		"trace without one":   {Prompts{Trace: &TraceLengths{}}, "arrivals.shape.trace is missing"},
		"no such dataset":     {Prompts{Dataset: &Dataset{Path: "absent.jsonl"}}, "prompts.dataset: open " + filepath.Join("folder", "absent.jsonl")},
		"a dataset of blanks": {datasetOf(t, "", "  ", ""), "prompts.jsonl: the dataset has no rows"},
	}
	s.Dir = "folder"
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s.Prompts = c.prompts
			if _, err := NewSource(s, &Schedule{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// replayedLengths are arrivals of a trace of these (input, output) lengths.
func replayedLengths(pairs ...[2]int) []Replayed {
	var all []Replayed
	for i, p := range pairs {
		all = append(all, Replayed{Row: i, InputTokens: p[0], OutputTokens: p[1]})
	}
	return all
}
