//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package measure

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestOneWriter: while a run is written nobody goes on with it or lets it grow, and its record stays as it is; afterwards
// anybody may.
func TestOneWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	openers := map[string]func() (*Writer, error){
		"resume": func() (*Writer, error) { return Resume(dir) },
		"extend": func() (*Writer, error) { return Extend(dir, 2, time.Now()) },
	}
	must(w.beginBlock(BlockRecord{Approach: "a", State: Running}))
	must(w.rows.write(sampleRow(0)))
	must(w.rows.flush())
	live := func() (text []byte) {
		for _, name := range []string{"manifest.json", rowsFile, histFile, timelineFile} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			must(err)
			text = append(text, b...)
		}
		return text
	}
	before := live()
	for name, open := range openers {
		if _, err := open(); !errors.Is(err, ErrInUse) {
			t.Errorf("%s of a live run: %v", name, err)
		}
	}
	if !bytes.Equal(before, live()) {
		t.Error("a writer that was refused has changed the record")
	}
	if !InUse(dir) {
		t.Error("a live run is not in use")
	}
	must(w.rows.write(sampleRow(1))) // the live writer's files are still those of the record
	must(w.endBlock(BlockRecord{Approach: "a", State: Complete, Attempts: 2}))
	must(w.Close(Complete, "", time.Now()))
	if InUse(dir) {
		t.Error("a run that has ended is in use")
	}
	for _, name := range []string{"resume", "extend"} {
		again, err := openers[name]()
		must(err)
		if !InUse(dir) {
			t.Errorf("%s: not in use", name)
		}
		must(again.Close(Complete, "", time.Now()))
	}
	rows := 0
	for _, err := range (&Record{Dir: dir}).Rows() {
		must(err)
		rows++
	}
	if rows != 2 {
		t.Errorf("%d rows", rows)
	}
	must(os.WriteFile(filepath.Join(dir, timelineFile), []byte("other\n"), 0o600))
	if _, err := Resume(dir); err == nil || InUse(dir) {
		t.Errorf("a failed resume (%v) keeps the lock", err)
	}
}
