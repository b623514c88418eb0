package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The files of a run directory (design.md section 5).
const (
	rowsFile     = "requests.jsonl.zst"
	histFile     = "histograms.hlog"
	timelineFile = "timeline.jsonl"
)

// Writer appends to a run directory while the run goes on. What was flushed survives the death of the process.
// It is used by one block at a time.
type Writer struct {
	dir   string
	man   *Manifest
	rows  *rowWriter
	hists *histLog
	ticks *tickLog
	// spare is a descriptor kept for the manifest: a load that has taken all others must not cost the record its end.
	spare *os.File
	lock  *os.File // keeps other writers away
}

// Create makes the run directory and writes the manifest in state Running. The directory must not hold a run yet.
func Create(dir string, m *Manifest) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the run directory: %w", err)
	}
	lock, err := lockRun(dir)
	if IsRun(dir) { // one that is being written too
		err = fmt.Errorf("%s already holds a run: choose another directory", dir)
		if lock != nil {
			lock.Close() // was only read
		}
	}
	if err != nil {
		return nil, err
	}
	m.Schema, m.State = ManifestSchema, Running
	return open(dir, m, lock)
}

// open writes the manifest and opens the logs to be appended to. The lock is the writer's from now on, and is closed on an error.
func open(dir string, m *Manifest, lock *os.File) (*Writer, error) {
	if err := writeManifest(dir, m); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	w := &Writer{dir: dir, man: m, lock: lock}
	var err [4]error
	w.spare, err[3] = os.Open(dir)
	w.rows, err[0] = newRowWriter(filepath.Join(dir, rowsFile))
	w.hists, err[1] = newHistLog(filepath.Join(dir, histFile), m.Started)
	w.ticks, err[2] = newTickLog(filepath.Join(dir, timelineFile))
	if err := errors.Join(err[:]...); err != nil {
		return nil, errors.Join(err, w.closeFiles())
	}
	return w, nil
}

// Dir is the run directory.
func (w *Writer) Dir() string { return w.dir }

// BeginRound puts a round of blocks into the manifest.
func (w *Writer) BeginRound(r RoundRecord) error {
	w.man.Rounds = append(w.man.Rounds, r)
	if err := w.writeManifest(); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return nil
}

// beginBlock puts a block that has just begun into the manifest, so that a crash leaves its name and start behind.
// Rows and histograms are told apart by the block's index: one that is there already is refused.
func (w *Writer) beginBlock(b BlockRecord) error {
	for i := range w.man.Blocks {
		if old := &w.man.Blocks[i]; old.Index == b.Index {
			return fmt.Errorf("%s has a block %d already, of approach %s in round %d: a further one needs an index of its own", w.dir, b.Index, old.Approach, old.Round+1)
		}
	}
	w.man.Blocks = append(w.man.Blocks, b)
	return w.writeManifest()
}

// endBlock replaces the block's entry by its final one.
func (w *Writer) endBlock(b BlockRecord) error {
	w.man.Blocks[len(w.man.Blocks)-1] = b
	return w.writeManifest()
}

// writeManifest gives the spare descriptor up for as long as it takes.
func (w *Writer) writeManifest() error {
	w.spare.Close()
	err := writeManifest(w.dir, w.man)
	w.spare, _ = os.Open(w.dir) // nil where another was quicker: a later manifest may find one free, or fails
	return err
}

// Close ends the run in the given state (Complete, Interrupted or Failed), writes the final manifest and lets other writers at
// the directory.
func (w *Writer) Close(state, problem string, ended time.Time) error {
	defer w.lock.Close() // was only read
	err := w.closeLogs()
	var derr error
	w.man.Files, derr = digestFiles(w.dir)
	err = errors.Join(err, derr)
	w.man.State, w.man.Problem, w.man.Ended = state, problem, &ended
	return errors.Join(err, writeManifest(w.dir, w.man))
}

// closeFiles closes all without a last manifest, as the death of the process does.
func (w *Writer) closeFiles() error { return errors.Join(w.closeLogs(), w.lock.Close()) }

func (w *Writer) closeLogs() error {
	var err []error
	w.spare.Close() // was only read
	if w.rows != nil {
		err = append(err, w.rows.close())
	}
	if w.hists != nil {
		err = append(err, w.hists.close())
	}
	if w.ticks != nil {
		err = append(err, w.ticks.close())
	}
	return errors.Join(err...)
}

// SetVerdict writes the validity verdict into the manifest of a finished run.
func SetVerdict(dir, verdict string) error {
	m, err := readManifest(dir)
	if err != nil {
		return err
	}
	m.Verdict = verdict
	return writeManifest(dir, m)
}
