package workload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that a scenario names and that is not there is reported at the line that names it.
func TestAbsentFilesAreLocated(t *testing.T) {
	const head = "name: x\nphases: {measure: 10s}\napproaches: [{name: a, simulate: {profile: self-hosted}}]\n"
	for _, c := range []struct{ name, text, want string }{
		{"trace", "arrivals:\n  shape: {trace: {path: nope.csv}}\nprompts: {synthetic: {input: {fixed: 9}, output: {fixed: 9}}}\n", "5:25: arrivals.shape.trace.path"},
		{"curve", "arrivals:\n  rate: 1/s\n  shape: {curve: {path: nope.csv}}\nprompts: {synthetic: {input: {fixed: 9}, output: {fixed: 9}}}\n", "6:25: arrivals.shape.curve.path"},
		{"dataset", "arrivals: {rate: 1/s}\nprompts:\n  dataset: {path: nope.jsonl}\n", "6:19: prompts.dataset.path"},
		{"documents", "arrivals: {rate: 1/s}\nprompts:\n  synthetic: {input: {fixed: 9}, output: {fixed: 9}}\n  shared: {documents: {path: nope}}\n", "7:30: prompts.shared.documents.path"},
		{"class of a mix", "arrivals: {rate: 1/s}\nmix:\n  - {name: one, weight: 1, prompts: {synthetic: {input: {fixed: 9}, output: {fixed: 9}}}}\n  - name: two\n    weight: 1\n    prompts: {dataset: {path: nope.jsonl}}\n", "9:31: mix[1].prompts.dataset.path"},
	} {
		path := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(path, []byte(head+c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		sched, err := NewSchedule(s)
		if err == nil {
			_, err = NewSource(s, sched)
		}
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		got := LocateFile(err, path).Error()
		if !strings.Contains(got, c.want) || strings.Count(got, "relative to the scenario") != 1 {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
