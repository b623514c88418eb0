package workload

import (
	"slices"
	"strings"
	"testing"
)

const lightScenario = `
name: light
phases: {measure: 60s, light_load: {requests: 24}}
arrivals: {rate: 5/s}
prompts:
  %
approaches: [{name: one, simulate: {profile: edge}}]
`

func lightOf(t *testing.T, prompts string, n int, salt string, nonce Nonce) (*Scenario, *Source, *Schedule, []Request) {
	t.Helper()
	s, err := Parse([]byte(strings.Replace(lightScenario, "%", prompts, 1)), "light.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	source, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	requests, err := source.LightLoad(sched, n, salt, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return s, source, sched, requests
}

// TestLightLoadPrompts: eight lengths, three of each, from half of the shortest to the longest prompt, in an order that is not
// theirs; every prompt begins with a nonce of its own that no other salt, block or approach gives.
func TestLightLoadPrompts(t *testing.T) {
	prompts := "synthetic: {input: {uniform: {min: 100, max: 3000}}, output: {fixed: 50}}\n  cache: allowed"
	one := Nonce{Approach: "one"}
	_, _, _, requests := lightOf(t, prompts, 24, "a", one)
	lengths, begins := map[int]int{}, map[string]bool{}
	var order []int
	for i, r := range requests {
		if r.Index != i || r.MaxTokens != 1 || len(r.Messages) != 1 {
			t.Fatalf("request %d: %+v", i, r)
		}
		words := strings.Fields(r.Messages[0].Content)
		if len(words) != r.InputTokens {
			t.Errorf("request %d: %d words, said to be %d", i, len(words), r.InputTokens)
		}
		lengths[r.InputTokens]++
		order = append(order, r.InputTokens)
		begins[strings.Join(words[:NonceWords], " ")] = true
	}
	sorted := slices.Sorted(slices.Values(order))
	if len(lengths) != 8 || lengths[sorted[0]] != 3 || sorted[0] > 60 || sorted[23] < 2900 || sorted[23] > 3000 {
		t.Errorf("lengths %v", lengths)
	}
	if slices.Equal(order, sorted) || len(begins) != 24 {
		t.Errorf("order %v, %d beginnings", order, len(begins))
	}
	for _, other := range []struct {
		salt  string
		nonce Nonce
	}{{"b", one}, {"a", Nonce{Approach: "one", Block: 1}}, {"a", Nonce{Approach: "two"}}} {
		_, _, _, requests := lightOf(t, prompts, 24, other.salt, other.nonce)
		for _, r := range requests {
			if begins[strings.Join(strings.Fields(r.Messages[0].Content)[:NonceWords], " ")] {
				t.Fatalf("%+v has a nonce again", other)
			}
		}
	}
	_, _, _, again := lightOf(t, prompts, 24, "a", one)
	for i := range again {
		if again[i].Messages[0] != requests[i].Messages[0] {
			t.Fatalf("request %d is another with the same salt", i)
		}
	}
}

// TestLightLoadReach: where a cache holds most of every prompt, the lengths go down to what it leaves to compute.
func TestLightLoadReach(t *testing.T) {
	_, _, _, requests := lightOf(t, "synthetic: {input: {fixed: 50}, output: {fixed: 5}}\n  shared: {groups: 2, tokens: {fixed: 2000}}", 16, "a", Nonce{})
	least, most := requests[0].InputTokens, 0
	for _, r := range requests {
		least, most = min(least, r.InputTokens), max(most, r.InputTokens)
	}
	if least > 60 || most < 2000 {
		t.Errorf("%d to %d tokens", least, most)
	}
}

// TestLightLoadSystem: the nonce stands before a system message that requests share.
func TestLightLoadSystem(t *testing.T) {
	_, _, _, requests := lightOf(t, "synthetic: {input: {fixed: 50}, output: {fixed: 5}}\n  system: be brief", 16, "a", Nonce{})
	for _, r := range requests {
		if len(r.Messages) != 2 || r.Messages[0].Role != "system" || strings.HasPrefix(r.Messages[0].Content, "be brief") || !strings.HasSuffix(r.Messages[0].Content, "be brief") {
			t.Fatalf("%+v", r.Messages)
		}
	}
}

// TestLightLoadOfMix: the lengths are those of all classes.
func TestLightLoadOfMix(t *testing.T) {
	s, err := Parse([]byte(`
name: light
phases: {measure: 60s, light_load: {requests: 8}}
arrivals: {rate: 5/s}
mix:
  - {name: short, weight: 1, prompts: {synthetic: {input: {fixed: 40}, output: {fixed: 5}}}}
  - {name: long, weight: 1, prompts: {synthetic: {input: {fixed: 4000}, output: {fixed: 5}}}}
approaches: [{name: one, simulate: {profile: edge}}]
`), "mix.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	source, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	requests, err := source.LightLoad(sched, 8, "a", Nonce{})
	if err != nil {
		t.Fatal(err)
	}
	var lengths []int
	for _, r := range requests {
		lengths = append(lengths, r.InputTokens)
	}
	slices.Sort(lengths)
	if lengths[0] != 20 || lengths[7] != 4000 {
		t.Errorf("lengths %v", lengths)
	}
}

// TestLightLoadIsNoWorkload: what is measured before a block makes it no other workload, but another scenario.
func TestLightLoadIsNoWorkload(t *testing.T) {
	with, _, _, _ := lightOf(t, "synthetic: {input: {fixed: 50}, output: {fixed: 5}}", 8, "", Nonce{})
	without := *with
	without.Phases.LightLoad = nil
	if with.WorkloadDigest() != without.WorkloadDigest() || with.Digest() == without.Digest() {
		t.Error("digests")
	}
}
