package workload

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"testing"
)

// sharedSource is a schedule of about 2000 requests whose prompts share texts.
func sharedSource(t *testing.T, shared, cache string, more ...Override) (*Source, *Schedule, error) {
	t.Helper()
	s := parse(t, small, append([]Override{OverrideSet("phases={warmup: 20s, measure: 180s}"), OverrideSet("arrivals={rate: 10/s}"),
		OverrideSet("prompts={synthetic: {input: {uniform: {min: 50, max: 150}}, output: {fixed: 5}}, cache: " + cache + ", shared: " + shared + "}")}, more...)...)
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	return src, sched, err
}

// TestSharedTextsAreThoseOfTheGroup: requests of one group begin with the same words, as many as its length, and with
// nothing of another group's; the own text behind it has the asked length.
func TestSharedTextsAreThoseOfTheGroup(t *testing.T) {
	for _, cache := range []string{"unique", "allowed"} {
		src, sched, err := sharedSource(t, "{groups: 12, zipf: 0.8, tokens: {uniform: {min: 100, max: 400}}, share: 0.5}", cache)
		if err != nil {
			t.Fatal(err)
		}
		texts, alone := map[int]string{}, 0
		for i := range sched.Times {
			req := src.Request(i, Nonce{"edge", 1})
			words := strings.Fields(req.Messages[0].Content)
			if input, _ := src.Lengths(i); len(req.Messages) != 1 || len(words) != input || req.InputTokens != input {
				t.Fatalf("request %d: %d words, %d tokens asked for", i, len(words), req.InputTokens)
			}
			g, ok := src.shared.group(i)
			if !ok {
				alone++
				if req.Cacheable != 0 || src.SharedTokens(i) != 0 {
					t.Errorf("request %d stands alone and could cache %d", i, req.Cacheable)
				}
				continue
			}
			n := src.shared.lengths[g]
			text := strings.Join(words[:n], " ")
			switch before, seen := texts[g]; {
			case !seen && req.Cacheable != 0, seen && (before != text || req.Cacheable != n || src.Cacheable(i) != n):
				t.Fatalf("request %d of group %d: %d tokens cacheable, length %d, same text %t", i, g, req.Cacheable, n, before == text)
			}
			texts[g] = text
		}
		if len(texts) != 12 || alone == 0 {
			t.Errorf("%d groups, %d requests alone", len(texts), alone)
		}
		starts := map[string]bool{}
		for _, text := range texts {
			starts[strings.Join(strings.Fields(text)[:3], " ")] = true
		}
		if len(starts) != 12 {
			t.Errorf("%d beginnings of 12 texts", len(starts))
		}
	}
}

// TestSharedNonce: no approach and no block finds another's text in a cache, unless that is allowed; behind the nonce
// they are the same.
func TestSharedNonce(t *testing.T) {
	unique, _, err := sharedSource(t, "{groups: 3, tokens: {fixed: 50}}", "unique")
	if err != nil {
		t.Fatal(err)
	}
	allowed, _, err := sharedSource(t, "{groups: 3, tokens: {fixed: 50}}", "allowed")
	if err != nil {
		t.Fatal(err)
	}
	words := func(s *Source, n Nonce) []string { return strings.Fields(s.Request(7, n).Messages[0].Content) }
	starts := map[string]bool{}
	var rest string
	for _, n := range []Nonce{{"edge", 0}, {"edge", 1}, {"self-hosted", 0}} {
		w := words(unique, n)
		starts[strings.Join(w[:2], " ")] = true
		if r := strings.Join(w[NonceWords:], " "); rest != "" && r != rest {
			t.Errorf("%v: %q, want %q", n, r, rest)
		} else {
			rest = r
		}
		if got, want := strings.Join(words(allowed, n), " "), strings.Join(words(allowed, Nonce{}), " "); got != want {
			t.Errorf("allowed, %v: another text", n)
		}
	}
	if len(starts) != 3 {
		t.Errorf("arms begin alike: %v", starts)
	}
}

// TestSharedShareIsReached: the share of the prompt tokens that can come from a cache is the one asked for, to within
// what one request changes, counted here from the prompts' own texts.
func TestSharedShareIsReached(t *testing.T) {
	for _, want := range []float64{0.1, 0.4, 0.7} {
		for _, warm := range []bool{false, true} {
			src, sched, err := sharedSource(t, fmt.Sprintf("{groups: 30, tokens: {lognormal: {median: 600, sigma: 0.4}}, share: %g, warm: %t}", want, warm), "unique")
			if err != nil {
				t.Fatal(err)
			}
			seen, cached, all := map[string]bool{}, 0, 0
			for i, at := range sched.Times {
				words := strings.Fields(src.Request(i, Nonce{"edge", 0}).Messages[0].Content)
				n := src.SharedTokens(i)
				text := strings.Join(words[:n], " ")
				if at >= sched.Phases.Warmup.D() {
					all += len(words)
					if seen[text] {
						cached += n
					}
				}
				seen[text] = true
			}
			got := float64(cached) / float64(all)
			if asked := src.Asked(sched).CacheableShare; math.Abs(got-want) > 0.005 || asked == nil || *asked != got {
				t.Errorf("share %g, warm %t: %.4f of the tokens, asked %v", want, warm, got, asked)
			}
		}
	}
}

// TestSharedPopularity: the k-th group has a part proportional to 1/k^s of the requests.
func TestSharedPopularity(t *testing.T) {
	for _, zipf := range []float64{0, 1, 2} {
		src, sched, err := sharedSource(t, fmt.Sprintf("{groups: 5, zipf: %g, tokens: {fixed: 50}}", zipf), "unique")
		if err != nil {
			t.Fatal(err)
		}
		count, sum := make([]float64, 5), 0.0
		for i := range sched.Times {
			g, _ := src.shared.group(i)
			count[g]++
		}
		for k := range 5 {
			sum += math.Pow(float64(k+1), -zipf)
		}
		n := float64(len(sched.Times))
		for k, c := range count {
			p := math.Pow(float64(k+1), -zipf) / sum
			if math.Abs(c-n*p) > 4*math.Sqrt(n*p*(1-p)) {
				t.Errorf("zipf %g: group %d has %g of %g requests, want %.0f", zipf, k, c, n, n*p)
			}
		}
	}
}

// TestSharedWarm: the warm-up sends each text once first, so that no request of the measure phase is a group's first.
func TestSharedWarm(t *testing.T) {
	src, sched, err := sharedSource(t, "{groups: 100, zipf: 2, tokens: {fixed: 50}, warm: true}", "unique")
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range sched.Times {
		if g, ok := src.shared.group(i); i < 100 && (g != i || !ok) {
			t.Errorf("request %d is of group %d", i, g)
		}
		if at >= sched.Phases.Warmup.D() && src.Cacheable(i) != 50 {
			t.Errorf("request %d of the measure phase computes its text", i)
		}
	}
}

// TestGoldenSharedPrompts holds the digest of prompts that share texts against a file, which is the same on every machine:
// scripts/test-portable runs this test on others.
func TestGoldenSharedPrompts(t *testing.T) {
	var got strings.Builder
	for _, shared := range []string{"{groups: 12, zipf: 0.8, tokens: {lognormal: {median: 300, sigma: 0.7}}, share: 0.5}", "{groups: 40, tokens: {fixed: 100}, warm: true}"} {
		src, sched, err := sharedSource(t, shared, "unique")
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		for i := range sched.Times {
			req := src.Request(i, Nonce{"edge", 1})
			fmt.Fprintln(h, req.Cacheable, req.Messages[0].Content)
		}
		fmt.Fprintf(&got, "%x  %s\n", h.Sum(nil), shared)
	}
	golden(t, "testdata/shared.sha256", got.String())
}

func TestSharedErrors(t *testing.T) {
	for shared, want := range map[string]string{
		"{groups: 2, tokens: {fixed: 50}, share: 0.9}":    "prompts.shared.share: 0.9 cannot be reached",
		"{groups: 5000, tokens: {fixed: 50}, warm: true}": "each of 5000 groups is to be sent once",
	} {
		if _, _, err := sharedSource(t, shared, "unique"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", shared, err)
		}
	}
	s := parse(t, small)
	s.Prompts.Shared = &Shared{}
	if _, err := NewSource(s, nil); err == nil || !strings.Contains(err.Error(), "give groups and tokens") {
		t.Errorf("made by hand: %v", err)
	}
}

// TestSharedInAClosedLoop: nobody knows how many requests come, and each knows what came before it.
func TestSharedInAClosedLoop(t *testing.T) {
	s := parse(t, small)
	s.Prompts = synthetic("")
	s.Prompts.Shared = &Shared{Groups: 4, Zipf: 1, Tokens: &Lengths{Fixed: pointer(64)}, Share: 0.5}
	src, err := NewSource(s, &Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	all, cacheable := 0, 0
	for i := range 5000 {
		in, _ := src.Lengths(i)
		all, cacheable = all+in, cacheable+src.Cacheable(i)
	}
	if got := float64(cacheable) / float64(all); math.Abs(got-0.5) > 0.02 {
		t.Errorf("share %.3f", got)
	}
}

// BenchmarkSharedSource is the plan of a million requests that share texts.
func BenchmarkSharedSource(b *testing.B) {
	s := &Scenario{Seed: 1, Phases: Phases{Measure: sec(10_000)}, Arrivals: Arrivals{Rate: 100}, Prompts: synthetic("")}
	s.Prompts.Shared = &Shared{Groups: 1000, Zipf: 1, Tokens: &Lengths{Fixed: pointer(640)}, Share: 0.6}
	sched, err := NewSchedule(s)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := NewSource(s, sched); err != nil {
			b.Fatal(err)
		}
	}
}
