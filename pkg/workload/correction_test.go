package workload

import (
	"math"
	"strings"
	"testing"
)

func contents(req Request) string {
	var all []string
	for _, m := range req.Messages {
		all = append(all, m.Content)
	}
	return strings.Join(all, " ")
}

// TestCorrectedPrompts: a target that counts by a line counts what was asked, to the rounding of one of our tokens, and
// the words are those of the uncorrected prompt up to where the shorter ends.
func TestCorrectedPrompts(t *testing.T) {
	for name, prompts := range map[string]Prompts{
		"words":  {Synthetic: &Synthetic{Input: &Lengths{Uniform: &Uniform{40, 1000}}, Output: &Lengths{Fixed: pointer(3)}}},
		"o200k":  {Tokenizer: "o200k_base", Synthetic: &Synthetic{Input: &Lengths{Uniform: &Uniform{40, 1000}}, Output: &Lengths{Fixed: pointer(3)}}},
		"system": {Calibrate: "usage", System: "You answer briefly.", Synthetic: &Synthetic{Input: &Lengths{Uniform: &Uniform{60, 1000}}, Output: &Lengths{Fixed: pointer(3)}}},
		"shared": {Tokenizer: "cl100k_base", Synthetic: &Synthetic{Input: &Lengths{Uniform: &Uniform{40, 300}}, Output: &Lengths{Fixed: pointer(3)}},
			Shared: &Shared{Groups: 4, Tokens: &Lengths{Uniform: &Uniform{100, 900}}}},
	} {
		t.Run(name, func(t *testing.T) {
			src := sourceOf(t, prompts)
			for _, c := range []Correction{{Overhead: 7, Ratio: 1.3}, {Overhead: 25, Ratio: 0.8}, {Overhead: 0, Ratio: 1}} {
				corrected := src.Corrected(c)
				for i := range 40 {
					plain, req := src.Request(i, Nonce{"edge", 0}), corrected.Request(i, Nonce{"edge", 0})
					ours, err := src.countAll(req.Messages)
					if err != nil {
						t.Fatal(err)
					}
					counted := c.Overhead + c.Ratio*float64(ours)
					if math.Abs(counted-float64(plain.InputTokens)) > c.Ratio/2+1e-9 {
						t.Fatalf("request %d: the target counts %.1f for %d of ours, asked for %d", i, counted, ours, plain.InputTokens)
					}
					if req.InputTokens != plain.InputTokens || req.MaxTokens != plain.MaxTokens || req.Cacheable != plain.Cacheable {
						t.Fatalf("%+v, uncorrected %+v", req, plain)
					}
					short, long := contents(req), contents(plain)
					if len(short) > len(long) {
						short, long = long, short
					}
					if name != "shared" && !strings.HasPrefix(long, short) {
						t.Fatalf("request %d: %q does not begin with %q", i, long, short)
					}
				}
			}
		})
	}
}

// TestCorrectedPromptsStayShared: requests of a group begin with the same text after a correction too, and that text is as
// long as the target is to count it.
func TestCorrectedPromptsStayShared(t *testing.T) {
	src := sourceOf(t, Prompts{Synthetic: &Synthetic{Input: &Lengths{Fixed: pointer(50)}, Output: &Lengths{Fixed: pointer(3)}},
		Shared: &Shared{Groups: 2, Tokens: &Lengths{Fixed: pointer(260)}}}).Corrected(Correction{Overhead: 10, Ratio: 1.3})
	first := map[int]string{}
	for i := range 50 {
		g, _ := src.shared.group(i)
		text := strings.Fields(contents(src.Request(i, Nonce{"edge", 0})))
		shared := strings.Join(text[:200], " ")
		if before, ok := first[g]; ok && before != shared {
			t.Errorf("request %d does not begin with the text of group %d", i, g)
		}
		first[g] = shared
		if next := strings.Join(text[:201], " "); i > 0 && strings.HasPrefix(contents(src.Request(0, Nonce{"edge", 0})), next) {
			t.Errorf("request %d shares more than its text", i)
		}
	}
	if len(first) != 2 {
		t.Errorf("%d groups", len(first))
	}
}

// TestCorrectedBlocks: the blocks of a trace keep their places: requests with the same leading ids begin alike.
func TestCorrectedBlocks(t *testing.T) {
	dir := clients(t, map[string]string{"m.jsonl": mooncake})
	_, source := blockSource(t, dir, Trace{Path: "m.jsonl"}, "allowed", 10)
	source = source.Corrected(Correction{Overhead: 10, Ratio: 1.3})
	a, b := strings.Fields(contents(source.Request(0, Nonce{}))), strings.Fields(contents(source.Request(1, Nonce{})))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if want := int(math.Round(1024 / 1.3)); same != want {
		t.Errorf("%d words in common, want %d", same, want)
	}
	if want := int(math.Round((1400 - 10) / 1.3)); len(a) != want {
		t.Errorf("%d words, want %d", len(a), want)
	}
}

// TestCorrectionOfTheShortest: what is shorter than a template alone is sent as one token, and never as none.
func TestCorrectionOfTheShortest(t *testing.T) {
	src := sourceOf(t, Prompts{Cache: "allowed", Synthetic: &Synthetic{Pairs: [][2]int{{3, 1}}}})
	c := Correction{Overhead: 30, Ratio: 1.5}
	if got := contents(src.Corrected(c).Request(0, Nonce{})); len(strings.Fields(got)) != 1 {
		t.Errorf("%q", got)
	}
	if c.Least() != 32 {
		t.Errorf("at least %d tokens", c.Least())
	}
}

// TestCalibrationLengths: they lie where the scenario's own prompts do, and there are always two to draw a line through.
func TestCalibrationLengths(t *testing.T) {
	for _, c := range []struct{ low, high, wantLow, wantHigh, n int }{{100, 6400, 50, 6400, 8}, {500, 500, 250, 500, 8}, {1, 1, 1, 2, 2}} {
		src := sourceOf(t, Prompts{Synthetic: &Synthetic{Pairs: [][2]int{{c.low, 3}, {c.high, 3}}}})
		got := src.CalibrationLengths(nil, 8)
		if len(got) != c.n || got[0] != c.wantLow || got[len(got)-1] != c.wantHigh {
			t.Errorf("%d to %d: %v", c.low, c.high, got)
		}
	}
}

// TestCalibrationPromptsAreApart: none begins as a request of the schedule does, nor as another of them.
func TestCalibrationPromptsAreApart(t *testing.T) {
	for _, cache := range []string{"unique", "allowed"} {
		src := sourceOf(t, synthetic(cache))
		seen := map[string]bool{}
		for i := range 200 {
			seen[strings.Join(strings.Fields(contents(src.Request(i, Nonce{"edge", 0})) + " a b c")[:3], " ")] = true
		}
		for k := range 32 {
			req, err := src.Calibration(k, 40, Nonce{"edge", 0})
			if err != nil || req.InputTokens != 40 || req.CacheAllowed != (cache == "allowed") {
				t.Fatalf("%+v, %v", req, err)
			}
			begin := strings.Join(strings.Fields(contents(req))[:3], " ")
			if seen[begin] {
				t.Errorf("calibration %d begins with %q, as another prompt", k, begin)
			}
			seen[begin] = true
		}
	}
}
