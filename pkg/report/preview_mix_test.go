package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

// TestPreviewOfAMixTellsSpentDatasets: of each class, by the class's own requests and cache.
func TestPreviewOfAMixTellsSpentDatasets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	const text = `
name: rows
phases: {measure: 30s}
arrivals: {rate: 10/s}
mix:
  - name: spent
    weight: 1
    prompts: {dataset: {path: p.jsonl}, cache: cold}
  - name: apart
    weight: 1
    prompts: {dataset: {path: p.jsonl}}
approaches: [{name: a, url: "http://127.0.0.1:1/v1"}]
`
	for name, content := range map[string]string{file: text, filepath.Join(filepath.Dir(file), "p.jsonl"): `{"prompt": "One question"}` + "\n" + `{"prompt": "Another question"}` + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := workload.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	source, err := workload.NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Preview(&out, s, sched, source, 100); err != nil {
		t.Fatal(err)
	}
	spent, apart, _ := strings.Cut(out.String()[strings.Index(out.String(), "traffic classes"):], "  apart ")
	for part, want := range map[string]bool{spent: true, apart: false} {
		if !strings.Contains(part, "rows of the dataset: 2, each used") || strings.Contains(part, "the dataset is spent: with cache: cold") != want {
			t.Errorf("want spent: %t\n%s", want, part)
		}
	}
}
