package workload

import (
	"slices"
	"testing"
)

// TestWithBlocks: rounds that a scenario had before it grew are the same in seed, arrivals and order; the digest knows of it, and
// that of the workload does not.
func TestWithBlocks(t *testing.T) {
	s := parse(t, small, OverrideBlocks("4"))
	grown := s.WithBlocks(8)
	if grown.Rounds() != 8 || s.Rounds() != 4 || grown.Digest() == s.Digest() || grown.WorkloadDigest() != s.WorkloadDigest() || grown.WithBlocks(4).Digest() != s.Digest() {
		t.Fatalf("%d rounds of %d", grown.Rounds(), s.Rounds())
	}
	for round := range 4 {
		before, err := NewSchedule(s.Round(round))
		if err != nil {
			t.Fatal(err)
		}
		after, err := NewSchedule(grown.Round(round))
		if err != nil {
			t.Fatal(err)
		}
		if before.SHA256() != after.SHA256() || !slices.Equal(s.Order(round), grown.Order(round)) {
			t.Errorf("round %d changes", round)
		}
	}
}
