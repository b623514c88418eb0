package analyze

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// interleaved runs blocks of n arrivals each, of approaches named by order, in virtual time: block k answers after k+1 times
// 10 ms. It is the record's folder that comes back.
func interleaved(t *testing.T, n int, order ...string) string {
	t.Helper()
	const gap = 10 * time.Millisecond
	s := &workload.Scenario{Name: "test", Phases: workload.Phases{Measure: workload.Duration(time.Duration(n) * gap), Drain: workload.Duration(time.Minute)},
		Approaches: []workload.Approach{{Name: "a"}, {Name: "b"}}}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := measure.Create(dir, &measure.Manifest{ID: "id", Started: time.Now(), Scenario: s, Schedule: measure.ScheduleRecord{OpenLoop: true, Arrivals: n}})
	if err != nil {
		t.Fatal(err)
	}
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * gap
	}
	for k, name := range order {
		epoch := time.Now()
		answer := func(int) (time.Duration, time.Duration, endpoint.Class) {
			return time.Duration(k+1) * gap, 0, endpoint.OK
		}
		b := measure.Block{Index: k, Approach: name, Endpoint: &scripted{epoch, answer}, Epoch: epoch, Phases: s.Phases, Times: times,
			Request: func(i int) workload.Request { return workload.Request{Index: i, MaxTokens: 2} }}
		if err := (&measure.Runner{Writer: w}).Run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func blocksOf(t *testing.T, dir string) ([]BlockSummary, error) {
	t.Helper()
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return Blocks(rec)
}

// TestBlocksOfOneApproachStandApart: blocks of one approach among those of another have figures of their own, histograms of
// gaps too, in the order of the manifest.
func TestBlocksOfOneApproachStandApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocks, err := blocksOf(t, interleaved(t, 250, "a", "b", "b", "a"))
		if err != nil || len(blocks) != 4 {
			t.Fatal(len(blocks), err)
		}
		for k, b := range blocks {
			want := float64(k+1) / 100
			if b.Index != k || b.Approach != []string{"a", "b", "b", "a"}[k] || b.State != measure.Complete || b.Attempts != 250 || b.Record.Attempts != 250 {
				t.Errorf("block %d: %+v", k, b)
			}
			if m := b.Metrics[workload.TTFT]; m.N != 250 || math.Abs(*m.P50/want-1) > 1e-3 || math.Abs(*m.Max/want-1) > 1e-9 || m.P99 != nil {
				t.Errorf("block %d: ttft %+v, want %g", k, m, want)
			}
			if m := b.Metrics[workload.ITL]; m == nil || m.N != 250 {
				t.Errorf("block %d: itl %+v", k, m)
			}
			if b.Goodput != nil || b.Classes != nil || *b.Tokens.Output != 500 || math.Abs(b.Seconds-2.5) > 1e-9 {
				t.Errorf("block %d: %+v", k, b)
			}
		}
	})
}

// TestBlocksOfADamagedRecord: a block that ended and lacks rows has no figures; one whose writer died has those of its rows.
func TestBlocksOfADamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		edit := func(change func(m *measure.Manifest)) func(t *testing.T, dir string) {
			return func(t *testing.T, dir string) {
				path := filepath.Join(dir, "manifest.json")
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				var m measure.Manifest
				if err := json.Unmarshal(b, &m); err != nil {
					t.Fatal(err)
				}
				change(&m)
				if b, err = json.Marshal(&m); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		cut := func(t *testing.T, dir string) {
			path := filepath.Join(dir, "requests.jsonl.zst")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()*9/10); err != nil {
				t.Fatal(err)
			}
		}
		for name, tt := range map[string]struct {
			damage func(t *testing.T, dir string)
			want   string // of the error; "" for none
		}{
			"cut in the middle": {cut, "block 3 (a) has "},
			"no rows at all": {func(t *testing.T, dir string) {
				if err := os.Remove(filepath.Join(dir, "requests.jsonl.zst")); err != nil {
					t.Fatal(err)
				}
			}, "requests.jsonl.zst"},
			"more rows than were sent": {edit(func(m *measure.Manifest) { m.Blocks[1].Attempts-- }), "block 1 (b) has more than the 249 rows"},
			"a block is missing":       {edit(func(m *measure.Manifest) { m.Blocks = m.Blocks[:3] }), "a row names block 3, which the manifest does not have"},
			"a block twice":            {edit(func(m *measure.Manifest) { m.Blocks[2].Index = 1 }), "two blocks of index 1"},
			"another approach's name":  {edit(func(m *measure.Manifest) { m.Blocks[2].Approach = "a" }), `a row of block 2 names approach "b", the manifest "a"`},
			"no scenario":              {edit(func(m *measure.Manifest) { m.Scenario = nil }), "holds no scenario"},
			"the writer died in block 3": {func(t *testing.T, dir string) {
				cut(t, dir)
				edit(func(m *measure.Manifest) {
					m.State, m.Blocks[3].State, m.Blocks[3].Attempts = measure.Running, measure.Running, 0
				})(t, dir)
			}, ""},
		} {
			dir := interleaved(t, 250, "a", "b", "b", "a")
			tt.damage(t, dir)
			blocks, err := blocksOf(t, dir)
			switch {
			case tt.want != "":
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
					t.Errorf("%s: %v, want %q", name, err, tt.want)
				}
			case err != nil:
				t.Errorf("%s: %v", name, err)
			default:
				if b := blocks[3]; b.State != measure.Running || b.Attempts == 0 || b.Attempts >= 250 || b.Seconds >= 2.5 || fmt.Sprintf("%.3f", *b.Metrics[workload.TTFT].P50) != "0.040" {
					t.Errorf("%s: %+v", name, b)
				}
			}
		}
	})
}
