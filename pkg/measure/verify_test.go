package measure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestVerify: a record that nobody touched passes, also after its verdict was written; one that lacks a file, or has another,
// is named.
func TestVerify(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"": func(dir string) error { return SetVerdict(dir, "valid") },
		rowsFile + " is not what": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, rowsFile), []byte("x"), 0o644)
		},
		histFile + " is missing":      func(dir string) error { return os.Remove(filepath.Join(dir, histFile)) },
		timelineFile + " is not what": func(dir string) error { return os.Truncate(filepath.Join(dir, timelineFile), 3) },
	} {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.rows.write(sampleRow(1)); err != nil {
			t.Fatal(err)
		}
		if err := w.ticks.write(&Tick{Approach: "a"}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(Complete, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		rec, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if err := rec.Verify(); (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
