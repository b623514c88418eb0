package measure

import (
	"errors"
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

// TestResumeThatCannotBegin: a resume that fails at its start, where the manifest or the mended log cannot be written, leaves
// a record that is whole or that can be gone on with, never one whose files are not those of its manifest.
func TestResumeThatCannotBegin(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		state string // of the block when the run was closed
		spoil string // what cannot be replaced: a folder stands there
	}{
		"no manifest":               {Complete, "manifest.json"},
		"no manifest, block open":   {Running, "manifest.json"},
		"no mended log":             {Complete, rowsFile + ".mended"},
		"no mended log, open block": {Running, rowsFile + ".mended"},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
		must(err)
		must(w.beginBlock(BlockRecord{Approach: "a", State: Running}))
		for i := range 3 { // a log that is other bytes when it is compressed anew
			must(w.rows.write(sampleRow(i)))
			must(w.rows.flush())
		}
		must(w.endBlock(BlockRecord{Approach: "a", State: c.state, Attempts: 3}))
		must(w.Close(Complete, "", time.Now()))
		text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
		must(err)
		path := filepath.Join(dir, c.spoil)
		_, err = goOn(dir, func(*Manifest) error {
			return errors.Join(os.RemoveAll(path), os.MkdirAll(filepath.Join(path, "full"), 0o755))
		})
		if spoiled := c.spoil == "manifest.json" || c.state == Running; (err != nil) != spoiled {
			t.Errorf("%s: %v", name, err)
		}
		must(os.RemoveAll(path))
		if c.spoil == "manifest.json" { // as it was, since it could not be replaced
			must(os.WriteFile(path, text, 0o600))
		}
		rec, err := Open(dir)
		must(err)
		if err := rec.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again := rec.Manifest; c.spoil != "manifest.json" && (again.State != Running || again.Files != nil) {
			t.Errorf("%s: state %s, digests %v", name, again.State, again.Files)
		}
	}
}

// TestResumeKeepsAClosedLog: what was closed whole is appended to, and not written anew.
func TestResumeKeepsAClosedLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, &Manifest{ID: "run", Started: time.Now(), Scenario: &workload.Scenario{}})
	for i := 0; err == nil && i < 2; i++ {
		var before, after os.FileInfo
		werr := w.rows.write(sampleRow(i))
		cerr := w.Close(Complete, "", time.Now())
		before, serr := os.Stat(filepath.Join(dir, rowsFile))
		w, err = Resume(dir)
		if err = errors.Join(werr, cerr, serr, err); err != nil {
			break
		}
		if after, err = os.Stat(filepath.Join(dir, rowsFile)); err == nil && !os.SameFile(before, after) {
			t.Error("the log was replaced")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, err := range (&Record{Dir: dir}).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	if rows != 2 {
		t.Errorf("%d rows", rows)
	}
}
