package measure

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// TestResume: wherever a crash has torn the files, a run that is gone on with keeps every row that was flushed, and what is
// appended is read behind it.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "run"), &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const flushed = 50
	must(w.beginBlock(BlockRecord{Index: 0, Approach: "a", State: Running}))
	for i := range flushed {
		must(w.rows.write(sampleRow(i)))
		must(w.ticks.write(&Tick{Approach: "a", Offered: int64(i)}))
	}
	must(w.rows.flush())
	safe, err := os.Stat(filepath.Join(w.Dir(), rowsFile))
	must(err)
	for i := range 5 {
		must(w.rows.write(sampleRow(flushed + i)))
	}
	must(w.closeFiles())
	files := map[string][]byte{}
	for _, name := range []string{"manifest.json", rowsFile, histFile, timelineFile} {
		files[name], err = os.ReadFile(filepath.Join(w.Dir(), name))
		must(err)
	}
	for n, cut := 0, int(safe.Size()); cut <= len(files[rowsFile]); n, cut = n+1, cut+7 {
		torn := filepath.Join(dir, "torn")
		must(os.RemoveAll(torn))
		must(os.MkdirAll(torn, 0o755))
		for name, text := range files {
			if name == rowsFile {
				text = text[:cut]
			}
			if name == timelineFile || name == histFile {
				text = text[:len(text)-n%11] // within the last line
			}
			must(os.WriteFile(filepath.Join(torn, name), text, 0o644))
		}
		again, err := Resume(torn)
		must(err)
		must(again.beginBlock(BlockRecord{Index: 1, Approach: "a", Round: 1, State: Running}))
		late := sampleRow(1000)
		late.Block = 1
		must(again.rows.write(late))
		must(again.ticks.write(&Tick{Approach: "a", Block: 1}))
		must(again.endBlock(BlockRecord{Index: 1, Approach: "a", Round: 1, State: Complete}))
		must(again.Close(Complete, "", time.Now()))
		rec, err := Open(torn)
		must(err)
		var rows []*Sample
		for s, err := range rec.Rows() {
			must(err)
			rows = append(rows, s)
		}
		ticks := 0
		for _, err := range rec.Ticks() {
			must(err)
			ticks++
		}
		if len(rows) <= flushed || rows[flushed-1].Index != flushed-1 || rows[len(rows)-1].Index != 1000 || ticks < flushed {
			t.Fatalf("cut at %d: %d rows, %d ticks", cut, len(rows), ticks)
		}
		if b := rec.Manifest.Blocks; len(b) != 2 || b[0].State != Interrupted || b[0].Attempts != len(rows)-1 || b[1].State != Complete || rec.Manifest.State != Complete {
			t.Fatalf("blocks %+v", b)
		}
	}
	if _, err := Resume(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a run that is not there is gone on with")
	}
}

// TestResumeLightLoad: the rows of a light-load phase are kept, and are no attempts of the block that was cut short.
func TestResumeLightLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
	if err != nil {
		t.Fatal(err)
	}
	light := sampleRow(0)
	light.Phase = LightLoad
	if err := w.beginBlock(BlockRecord{Approach: "a", State: Running}); err != nil {
		t.Fatal(err)
	}
	if err := w.writeAll([]*Sample{light, light, sampleRow(1)}); err != nil {
		t.Fatal(err)
	}
	if err := w.closeFiles(); err != nil {
		t.Fatal(err)
	}
	again, err := Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for range rec.Rows() {
		rows++
	}
	if b := rec.Manifest.Blocks[0]; b.Attempts != 1 || rows != 3 {
		t.Errorf("%d attempts, %d rows", b.Attempts, rows)
	}
}
