package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
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

// TestALiveRunIsLeftAlone: neither gone on with, nor compared, nor checked, and its record stays as it is.
func TestALiveRunIsLeftAlone(t *testing.T) {
	dir, policy, stop := rerunRun(t)
	defer stop()
	m := manifestOf(t, dir)
	w, err := measure.Extend(dir, 2, m.Started)
	if err != nil {
		t.Fatal(err)
	}
	if !measure.InUse(dir) {
		t.Skip("no locks on this system")
	}
	before, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	check := []string{"check", dir + ":b", "--baseline", dir + ":a", "--policy", policy, "--accept-suspect"}
	for _, args := range [][]string{
		{"run", filepath.Join(filepath.Dir(dir), "s.yaml"), "--quiet", "--resume", dir, "--blocks", "2"},
		{"compare", dir}, check, append(check, "--rerun", "--quiet"),
	} {
		var out bytes.Buffer
		code := run(t.Context(), args, nil, &out, &out)
		if code != exitIO && code != exitUsage || !strings.Contains(out.String(), "is being written by another process") {
			t.Errorf("%v: exit %d, %s", args, code, &out)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the record has changed (%v)", err)
	}
	if err := w.Close(measure.Interrupted, "", m.Started); err != nil {
		t.Fatal(err)
	}
}
