package workload

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/infbench/infbench/internal/stat"
)

func tokenizerFor(t testing.TB, name string) *tokenizer {
	t.Helper()
	tk, err := tokenizerOf(name)
	if err != nil || tk == nil {
		t.Fatalf("%s: %v, %v", name, tk, err)
	}
	return tk
}

// TestTokenizersOfOthers holds the encodings against what OpenAI has published: the cookbook's "How to count tokens with
// tiktoken" and tiktoken's own tests.
func TestTokenizersOfOthers(t *testing.T) {
	for _, c := range []struct {
		encoding, text string
		want           []uint
	}{
		{"cl100k_base", "tiktoken is great!", []uint{83, 1609, 5963, 374, 2294, 0}},
		{"o200k_base", "tiktoken is great!", []uint{83, 8251, 2488, 382, 2212, 0}},
		{"r50k_base", "antidisestablishmentarianism", []uint{415, 29207, 44390, 3699, 1042}},
		{"p50k_base", "antidisestablishmentarianism", []uint{415, 29207, 44390, 3699, 1042}},
		{"cl100k_base", "antidisestablishmentarianism", []uint{519, 85342, 34500, 479, 8997, 2191}},
		{"o200k_base", "antidisestablishmentarianism", []uint{493, 129901, 376, 160388, 21203, 2367}},
		{"r50k_base", "2 + 2 = 4", []uint{17, 1343, 362, 796, 604}},
		{"p50k_base", "2 + 2 = 4", []uint{17, 1343, 362, 796, 604}},
		{"cl100k_base", "2 + 2 = 4", []uint{17, 489, 220, 17, 284, 220, 19}},
		{"o200k_base", "2 + 2 = 4", []uint{17, 659, 220, 17, 314, 220, 19}},
		{"cl100k_base", "お誕生日おめでとう", []uint{33334, 45918, 243, 21990, 9080, 33334, 62004, 16556, 78699}},
		{"o200k_base", "お誕生日おめでとう", []uint{8930, 9697, 243, 128225, 8930, 17693, 4344, 48669}},
		{"r50k_base", "お誕生日おめでとう", []uint{2515, 232, 45739, 243, 37955, 33768, 98, 2515, 232, 1792, 223, 30640, 30201, 29557}},
		{"r50k_base", "hello world", []uint{31373, 995}},
		{"p50k_base", "hello world", []uint{31373, 995}},
		{"cl100k_base", "hello world", []uint{15339, 1917}},
		{"r50k_base", "00000000000000000", []uint{8269, 10535, 830}},
		{"cl100k_base", "rer", []uint{38149}},
		{"cl100k_base", "'rer", []uint{2351, 81}},
		{"cl100k_base", "today\n ", []uint{31213, 198, 220}},
		{"cl100k_base", "today\n \n", []uint{31213, 27907}},
		{"cl100k_base", "today\n  \n", []uint{31213, 14211}},
		{"cl100k_base", " \u00850", []uint{220, 126, 227, 15}},
		{"cl100k_base", "👍", []uint{9468, 239, 235}},
		{"r50k_base", "", nil},
	} {
		tk := tokenizerFor(t, c.encoding)
		got, _, err := tk.codec.Encode(c.text)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %q: %v, want %v (%v)", c.encoding, c.text, got, c.want, err)
		}
		if n, err := tk.count(c.text); err != nil || n != len(c.want) {
			t.Errorf("%s of %q: %d tokens, want %d (%v)", c.encoding, c.text, n, len(c.want), err)
		}
	}
}

// TestLongRuns: a text without a blank is cut where it must be and between characters, and counts as much as its parts.
func TestLongRuns(t *testing.T) {
	tk := tokenizerFor(t, "cl100k_base")
	text := strings.Repeat("語", 2*longestRun/3) // three bytes each
	n, err := tk.count(text)
	first, _ := tk.count(text[:longestRun+1])
	rest, _ := tk.count(text[longestRun+1:])
	if err != nil || n != first+rest || cut(text) != longestRun+1 {
		t.Errorf("%d tokens, of its parts %d and %d, cut at %d (%v)", n, first, rest, cut(text), err)
	}
	for _, text := range []string{"", "a b", strings.Repeat("word ", longestRun), strings.Repeat("x", longestRun)} {
		if cut(text) != len(text) {
			t.Errorf("%d bytes are cut at %d", len(text), cut(text))
		}
	}
}

// TestTokenizerNames: what the schema offers is what there is.
func TestTokenizerNames(t *testing.T) {
	field, _ := reflect.TypeFor[Prompts]().FieldByName("Tokenizer")
	for name := range tokenizers {
		if !strings.Contains(field.Tag.Get("jsonschema"), "enum="+name) {
			t.Errorf("%s is not in the schema", name)
		}
	}
	if got, want := strings.Count(field.Tag.Get("jsonschema"), "enum="), len(tokenizers)+1; got != want {
		t.Errorf("the schema offers %d, want %d", got, want)
	}
	for _, name := range []string{"", "words"} {
		if tk, err := tokenizerOf(name); tk != nil || err != nil {
			t.Errorf("%q: %v, %v", name, tk, err)
		}
	}
	if _, err := tokenizerOf("gpt2"); err == nil || !strings.Contains(err.Error(), "o200k_base") {
		t.Errorf("gpt2: %v", err)
	}
}

// whole encodes each message of a request from its first byte to its last.
func whole(t testing.TB, tk *tokenizer, req *Request) int {
	n := 0
	for _, m := range req.Messages {
		ids, _, err := tk.codec.Encode(m.Content)
		if err != nil {
			t.Fatal(err)
		}
		n += len(ids)
	}
	return n
}

// TestTokensAreExact: a prompt encoded as a whole has exactly the asked tokens, whatever it is made of: nonce, shared
// text, system message, blocks of a trace, rows of a dataset; however long, for every encoding, seed and nonce.
func TestTokensAreExact(t *testing.T) {
	rows := datasetOf(t, `{"prompt": "What's new?  3,141 things:\n\n- é…"}`+"\n"+`{"messages": [{"role": "system", "content": "你好 <|endoftext|>"}, {"role": "user", "content": "\n\tdef f(x):\n\t\treturn x+12345"}]}`)
	dir := clients(t, map[string]string{"m.jsonl": mooncake})
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"o200k_base", "cl100k_base", "p50k_base", "r50k_base"}).Draw(rt, "encoding")
		kind := rapid.SampledFrom([]string{"plain", "shared", "system", "blocks", "dataset"}).Draw(rt, "kind")
		cache := rapid.SampledFrom([]string{"unique", "allowed"}).Draw(rt, "cache")
		seed := rapid.Uint64Range(1, 1<<40).Draw(rt, "seed")
		length := rapid.IntRange(1, 700).Draw(rt, "length")
		sc := parse(t, small, OverrideSeed(fmt.Sprint(seed)))
		sc.Prompts = Prompts{Cache: cache, Tokenizer: name}
		var sched *Schedule
		switch kind {
		case "dataset":
			sc.Prompts.Dataset = rows.Dataset
		case "blocks":
			sc.Dir, sc.Arrivals = dir, Arrivals{Shape: &Shape{Trace: &Trace{Path: "m.jsonl"}}}
			sc.Phases, sc.Prompts.Trace = Phases{Measure: sec(10)}, &TraceLengths{}
			var err error
			if sched, err = NewSchedule(sc); err != nil {
				rt.Fatal(err)
			}
		default:
			sc.Prompts.Synthetic = &Synthetic{Pairs: [][2]int{{length, 3}}}
		}
		if kind == "shared" {
			sc.Prompts.Shared = &Shared{Groups: 3, Zipf: 1, Tokens: &Lengths{Uniform: &Uniform{1, 90}}}
		}
		if kind == "system" {
			sc.Prompts.System = rapid.SampledFrom([]string{"You answer briefly.", "  42 's\n\n", "«Réponds»"}).Draw(rt, "system")
		}
		src, err := NewSource(sc, sched)
		if err != nil {
			rt.Fatal(err)
		}
		last := 30
		if sched != nil {
			last = len(sched.Times) - 1
		}
		index := rapid.IntRange(0, last).Draw(rt, "index")
		req := src.Request(index, Nonce{Approach: "edge", Block: rapid.IntRange(0, 9).Draw(rt, "block")})
		if got := whole(t, src.tokenizer, &req); got != req.InputTokens {
			rt.Fatalf("%d tokens, asked for %d: %+v", got, req.InputTokens, req.Messages)
		}
		if kind == "plain" && req.InputTokens != length {
			rt.Fatalf("asked for %d, want %d", req.InputTokens, length)
		}
		calibration, err := src.Calibration(index, length, Nonce{Approach: "edge"})
		if err != nil {
			rt.Fatal(err)
		}
		if got := whole(t, src.tokenizer, &calibration); got != calibration.InputTokens || kind != "system" && got != length {
			rt.Fatalf("calibration: %d tokens, %d wanted, %d said", got, length, calibration.InputTokens)
		}
	})
}

// TestTokenTextIsOfTheSameWords: with a tokenizer text is made of the words of the list that are one token, drawn from
// the same numbers; none of them is preferred.
func TestTokenTextIsOfTheSameWords(t *testing.T) {
	tk := tokenizerFor(t, "o200k_base")
	var b strings.Builder
	const n = 400_000
	tk.appendTokens(&b, stat.Keyed(1, "text", 0), n)
	seen := map[string]int{}
	for w := range strings.FieldsSeq(b.String()) {
		seen[w]++
	}
	var sum float64
	for i, w := range Words() {
		if !tk.whole[i] {
			if seen[w] > 0 {
				t.Errorf("%q is not one token", w)
			}
			continue
		}
		mean := float64(n) / float64(tk.words)
		sum += (float64(seen[w]) - mean) * (float64(seen[w]) - mean) / mean
	}
	// Chi-square with so many degrees of freedom: five standard deviations.
	if df := float64(tk.words - 1); sum > df+5*math.Sqrt(2*df) {
		t.Errorf("chi-square %.0f for %.0f degrees of freedom", sum, df)
	}
	t.Logf("%d of %d words", tk.words, len(Words()))
}

// BenchmarkBuild1000Tokens: what a prompt costs to build, and what it would cost to encode it beside that.
func BenchmarkBuild1000Tokens(b *testing.B) {
	for _, name := range []string{"words", "o200k_base"} {
		sc := parse(b, small)
		sc.Prompts = Prompts{Tokenizer: name, Synthetic: &Synthetic{Pairs: [][2]int{{1000, 3}}}}
		src, err := NewSource(sc, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				_ = src.Request(i, Nonce{Approach: "edge"})
			}
		})
	}
	tk := tokenizerFor(b, "o200k_base")
	var text strings.Builder
	tk.appendTokens(&text, stat.Keyed(1, "text", 0), 1000)
	b.Run("encoding the whole", func(b *testing.B) {
		for b.Loop() {
			_, _ = tk.count(text.String())
		}
	})
}

// TestGoldenTokenPrompts holds the digest of prompts that are built to a number of tokens, and of some that were corrected,
// against a file, which is the same on every machine: scripts/test-portable runs this test on others.
func TestGoldenTokenPrompts(t *testing.T) {
	var got strings.Builder
	for _, name := range []string{"o200k_base", "cl100k_base", "p50k_base", "r50k_base"} {
		prompts := synthetic("unique")
		prompts.Tokenizer = name
		src := sourceOf(t, prompts)
		for _, s := range []*Source{src, src.Corrected(Correction{Overhead: 6.24, Ratio: 1.3005})} {
			h := sha256.New()
			for i := range 200 {
				fmt.Fprintln(h, contents(s.Request(i, Nonce{"edge", 1})))
			}
			for _, n := range s.CalibrationLengths(nil, 8) {
				fmt.Fprintln(h, n)
			}
			fmt.Fprintf(&got, "%x  %s\n", h.Sum(nil), name)
		}
	}
	golden(t, "testdata/tokens.sha256", got.String())
}

// TestRowsAreCountedOnce: rows are counted when they are asked for, by many at once, and always as they are sent.
func TestRowsAreCountedOnce(t *testing.T) {
	prompts := datasetOf(t, `{"prompt": "What's new?"}`, `{"prompt": "3,141 things"}`, `{"prompt": "お誕生日おめでとう"}`)
	prompts.Tokenizer = "cl100k_base"
	src := sourceOf(t, prompts)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 9 {
				req := src.Request(i, Nonce{"edge", i})
				if input, _ := src.Lengths(i); input != whole(t, src.tokenizer, &req) || input != req.InputTokens {
					t.Errorf("row %d: %d tokens, asked for %d: %q", i, input, req.InputTokens, req.Messages[0].Content)
				}
			}
		})
	}
	wg.Wait()
	// By hand: 8 of the nonce, the line end, and the cookbook's nine.
	for i := range 3 {
		if req := src.Request(i, Nonce{}); strings.Contains(req.Messages[0].Content, "誕") && req.InputTokens != NonceWords+1+9 {
			t.Errorf("%d tokens of %q", req.InputTokens, req.Messages[0].Content)
		}
	}
}

// TestDocumentedLengths: the example of docs/lengths.md is one that a scenario can have.
func TestDocumentedLengths(t *testing.T) {
	doc, err := os.ReadFile("../../docs/lengths.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(small, "prompts:")
	_, tail, _ := strings.Cut(rest, "approaches:")
	examples := fenced.FindAllSubmatch(doc, -1)
	if len(examples) != 1 {
		t.Fatalf("%d examples", len(examples))
	}
	s := parse(t, head+string(examples[0][1])+"approaches:"+tail)
	if s.Prompts.Tokenizer != "o200k_base" || !s.Prompts.Calibrates() {
		t.Errorf("%+v", s.Prompts)
	}
}
