package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// TestLatestRunIsBeforeTheCandidate: a baseline out of a folder was begun before the candidate; a later run is none, and said so.
func TestLatestRunIsBeforeTheCandidate(t *testing.T) {
	dir, day := t.TempDir(), time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	record := func(name string, started time.Time) *analyze.Arm {
		path := filepath.Join(dir, name)
		w, err := measure.Create(path, &measure.Manifest{ID: name, Started: started, Scenario: &workload.Scenario{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(measure.Complete, "", started.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		rec, err := measure.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return &analyze.Arm{Record: rec}
	}
	record("first", day)
	second := record("second", day.AddDate(0, 0, 1))
	third := record("third", day.AddDate(0, 0, 2))
	record("fourth", day.AddDate(0, 0, 3))
	for want, candidate := range map[string]*analyze.Arm{"first": second, "second": third} {
		if got, err := latestRun(dir, candidate); err != nil || filepath.Base(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	earliest := *second
	earliest.Record = &measure.Record{Manifest: &measure.Manifest{ID: "zeroth", Started: day.AddDate(0, 0, -1), Scenario: &workload.Scenario{}}}
	if got, err := latestRun(dir, &earliest); err == nil || !strings.Contains(err.Error(), "first was begun after the candidate") {
		t.Errorf("%s, %v", got, err)
	}
}
