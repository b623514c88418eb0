package measure

import "testing"

// A round and an approach are told apart also where their texts run together alike.
func TestWentThrough(t *testing.T) {
	m := &Manifest{Blocks: []BlockRecord{{Round: 1, Approach: "2x", State: Complete}, {Round: 3, Approach: "a", State: Failed}}}
	for _, c := range []struct {
		round    int
		approach string
		want     bool
	}{{1, "2x", true}, {12, "x", false}, {1, "x", false}, {3, "a", false}} {
		if got := m.WentThrough(c.round, c.approach); got != c.want {
			t.Errorf("round %d of %s: %v", c.round, c.approach, got)
		}
	}
}
