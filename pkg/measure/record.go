package measure

import (
	"errors"
	"iter"
	"os"
	"path/filepath"

	"github.com/infbench/infbench/pkg/workload"
)

// Record is a run directory opened for reading. Everything that a report needs is in it.
type Record struct {
	Dir      string
	Manifest *Manifest
	// Gaps holds the merged histograms that rows cannot give back: ITL, chunk gap and read lag, by approach and block, and of
	// a mix by class too.
	Gaps map[Tag]*Hist
}

// IsRun tells whether a directory holds a run.
func IsRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "manifest.json"))
	return err == nil
}

// Open reads a run directory. A run that is still going on, or whose process died, opens too: its State is Running.
func Open(dir string) (*Record, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	r := &Record{Dir: dir, Manifest: m, Gaps: map[Tag]*Hist{}}
	all, err := readHistLog(filepath.Join(dir, histFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for tag, h := range all {
		switch tag.Metric {
		case workload.ITL, workload.ChunkGap, workload.ReadLag:
			r.Gaps[tag] = h
		}
	}
	for _, b := range m.Blocks {
		r.setTotals(Tag{Approach: b.Approach, Block: b.Index}, b.Totals)
		for class, totals := range b.ClassTotals {
			r.setTotals(Tag{Approach: b.Approach, Block: b.Index, Class: class}, totals)
		}
	}
	return r, nil
}

func (r *Record) setTotals(tag Tag, all map[workload.Metric]Totals) {
	for metric, totals := range all {
		tag.Metric = metric
		if h := r.Gaps[tag]; h != nil {
			h.setTotals(totals)
		}
	}
}

// Rows yields every request in the order in which the requests ended. The last pair may carry an error: ErrTorn after
// the last whole row of a run whose process died, or a read error.
func (r *Record) Rows() iter.Seq2[*Sample, error] { return readRows(filepath.Join(r.Dir, rowsFile)) }

// Ticks yields the timeline.
func (r *Record) Ticks() iter.Seq2[*Tick, error] {
	return readTicks(filepath.Join(r.Dir, timelineFile))
}
