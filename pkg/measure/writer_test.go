package measure

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestABlockIndexIsUsedOnce: a second block of an index, whose rows could not be told from the first's, is refused and leaves
// the manifest as it was.
func TestABlockIndexIsUsedOnce(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "run"), &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []int{0, 2} { // a gap is no harm
		if err := w.beginBlock(BlockRecord{Index: index, Approach: "a", State: Running}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.beginBlock(BlockRecord{Index: 2, Approach: "b", State: Running}); err == nil || !strings.Contains(err.Error(), "has a block 2 already") {
		t.Errorf("%v", err)
	}
	if err := w.Close(Interrupted, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	if m, err := readManifest(w.Dir()); err != nil || len(m.Blocks) != 2 {
		t.Errorf("%d blocks, %v", len(m.Blocks), err)
	}
}
