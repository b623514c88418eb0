package measure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestExtend: a run that grows keeps its rows and rounds, says from where to where, and is refused where it would not grow or
// where its files are not its own.
func TestExtend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	s := &workload.Scenario{Name: "s", Seed: 3, Approaches: []workload.Approach{{Name: "a"}}}
	w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: s, Digest: s.Digest(), Schedule: ScheduleRecord{SHA256: "abc", Arrivals: 7, Rate: 2}})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.beginBlock(BlockRecord{Approach: "a", State: Running}))
	must(w.rows.write(sampleRow(1)))
	must(w.endBlock(BlockRecord{Approach: "a", State: Complete, Attempts: 1}))
	must(w.Close(Complete, "", time.Now()))
	before, err := readManifest(dir)
	must(err)

	for _, blocks := range []int{0, 1} {
		if _, err := Extend(dir, blocks, time.Now()); err == nil || !strings.Contains(err.Error(), "has 1 rounds of blocks") {
			t.Errorf("to %d: %v", blocks, err)
		}
	}
	w, err = Extend(dir, 2, time.Now())
	must(err)
	m, err := readManifest(dir) // as a crash would leave it now
	must(err)
	if m.Scenario.Rounds() != 2 || m.Digest == before.Digest || m.Digest != s.WithBlocks(2).Digest() || len(m.Extended) != 1 || m.Extended[0].From != 1 || m.Extended[0].To != 2 ||
		len(m.Rounds) != 1 || m.Rounds[0].SHA256 != "abc" || m.Rounds[0].Arrivals != 7 || m.Rounds[0].Seed != 3 || len(m.Blocks) != 1 || m.Blocks[0].State != Complete {
		t.Fatalf("%+v", m)
	}
	must(w.Close(Interrupted, "stopped", time.Now()))
	rec, err := Open(dir)
	must(err)
	must(rec.Verify())
	rows := 0
	for _, err := range rec.Rows() {
		must(err)
		rows++
	}
	if rows != 1 {
		t.Errorf("%d rows", rows)
	}
	must(os.WriteFile(filepath.Join(dir, timelineFile), []byte("other\n"), 0o600))
	for _, open := range []func() (*Writer, error){func() (*Writer, error) { return Resume(dir) }, func() (*Writer, error) { return Extend(dir, 3, time.Now()) }} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), "is not what the run has written") {
			t.Errorf("a record that was changed is gone on with: %v", err)
		}
	}
}
