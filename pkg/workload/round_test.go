package workload

import (
	"slices"
	"testing"
)

// TestRounds: every round has arrivals and prompts of its own, the first those of the scenario; the order of approaches is
// drawn for each, and every order comes.
func TestRounds(t *testing.T) {
	s := parse(t, small, OverrideBlocks("40"), OverrideSet("approaches=[{name: a, simulate: {profile: edge}}, {name: b, simulate: {profile: edge}}, {name: c, simulate: {profile: edge}}]"))
	if s.Rounds() != 40 {
		t.Fatalf("%d rounds", s.Rounds())
	}
	hashes, texts, orders := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range s.Rounds() {
		one := s.Round(i)
		if (one.Seed == s.Seed) != (i == 0) || one.Seed >= 1<<53 {
			t.Errorf("round %d has the seed %d", i, one.Seed)
		}
		sched, err := NewSchedule(one)
		if err != nil {
			t.Fatal(err)
		}
		src, err := NewSource(one, sched)
		if err != nil {
			t.Fatal(err)
		}
		hashes[sched.SHA256()] = true
		texts[src.Request(0, Nonce{}).Messages[0].Content] = true
		order := s.Order(i)
		if !slices.Equal(order, s.Order(i)) {
			t.Error("an order is not the same twice")
		}
		name := ""
		for _, k := range order {
			name += s.Approaches[k].Name
		}
		orders[name] = true
	}
	if len(hashes) != 40 || len(texts) != 40 || len(orders) != 6 {
		t.Errorf("%d schedules, %d texts, orders %v", len(hashes), len(texts), orders)
	}
	s.Blocks = 0
	if s.Rounds() != 1 || !slices.Equal(s.Order(0), []int{0, 1, 2}) {
		t.Errorf("a run without rounds has %d, in the order %v", s.Rounds(), s.Order(0))
	}
}
