package main

import (
	"testing"

	"github.com/infbench/infbench/pkg/measure"
)

// TestNextIndex: a run that is gone on with takes no index again, whatever blocks were skipped.
func TestNextIndex(t *testing.T) {
	for want, indices := range map[int][]int{0: nil, 1: {0}, 3: {0, 2}, 6: {5, 1}} {
		m := &measure.Manifest{}
		for _, index := range indices {
			m.Blocks = append(m.Blocks, measure.BlockRecord{Index: index})
		}
		if got := (&runJob{record: m}).nextIndex(); got != want {
			t.Errorf("after %v: %d, want %d", indices, got, want)
		}
	}
	if got := (&runJob{}).nextIndex(); got != 0 {
		t.Errorf("a new run begins with %d", got)
	}
}
