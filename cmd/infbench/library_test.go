package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

// TestLibraryOfScenarios: every shipped scenario names its schema in its first line, so that editors help with it, is called
// as its file is, says how it is run, and can be previewed.
func TestLibraryOfScenarios(t *testing.T) {
	files, err := filepath.Glob("../../scenarios/*.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d scenarios: %v", len(files), err)
	}
	for _, name := range []string{"LLAMA_SERVER_URL", "LLAMA_PINNED_URL", "LLAMA_CANDIDATE_URL"} {
		t.Setenv(name, "http://127.0.0.1:1/v1")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, rest, _ := strings.Cut(string(text), "\n")
			if first != "# yaml-language-server: $schema=scenario.schema.json" {
				t.Errorf("the first line is %q", first)
			}
			if !strings.HasPrefix(rest, "#\n# ") {
				t.Error("no comment says what it is for")
			}
			s, err := workload.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != name || s.Description == "" {
				t.Errorf("it is called %s, %q", s.Name, s.Description)
			}
			if shape := s.Arrivals.Shape; shape != nil && shape.Trace != nil && strings.HasPrefix(shape.Trace.Path, "..") {
				if _, err := os.Stat(filepath.Join(s.Dir, shape.Trace.Path)); err != nil {
					t.Skip("its trace is not part of the repository")
				}
			}
			var out, errs bytes.Buffer
			if code := run(context.Background(), []string{"preview", file}, strings.NewReader(""), &out, &errs); code != exitPass {
				t.Fatalf("preview exits with %d: %s", code, errs.String())
			}
			if !strings.Contains(out.String(), name+" · ") {
				t.Errorf("preview shows %.200s", out.String())
			}
		})
	}
}

// TestLibraryIsQuick: what runs on the embedded endpoint lasts about two minutes at most, if every approach drains at once.
func TestLibraryIsQuick(t *testing.T) {
	files, _ := filepath.Glob("../../scenarios/*.yaml")
	for _, file := range files {
		for _, name := range []string{"LLAMA_SERVER_URL", "LLAMA_PINNED_URL", "LLAMA_CANDIDATE_URL"} {
			t.Setenv(name, "http://127.0.0.1:1/v1")
		}
		s, err := workload.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		simulated := 0
		for _, a := range s.Approaches {
			if a.Simulate != nil {
				simulated++
			}
		}
		if total := s.Phases.Horizon().D().Seconds() * float64(simulated); total > 120 {
			t.Errorf("%s lasts %.0f s", filepath.Base(file), total)
		}
	}
}

// TestReadmeListsTheLibrary: the README names every scenario there is.
func TestReadmeListsTheLibrary(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("../../scenarios/*.yaml")
	for _, file := range files {
		if name := filepath.Base(file); !strings.Contains(string(readme), "scenarios/"+name) {
			t.Errorf("README.md does not name scenarios/%s", name)
		}
	}
}
