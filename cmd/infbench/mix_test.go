package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

const mixScenario = `name: mix
phases: {warmup: 500ms, measure: 1500ms, drain: 30s}
arrivals: {preset: bursty, rate: 30/s}
mix:
  - name: chat
    weight: 2
    prompts: {synthetic: {input: {fixed: 30}, output: {fixed: 2}}}
  - name: rag
    weight: 1
    prompts: {synthetic: {input: {fixed: 50}, output: {fixed: 3}}}
  - name: batch
    arrivals: {rate: 5/s}
    prompts: {synthetic: {input: {fixed: 90}, output: {fixed: 4}}}
approaches:
  - {name: a, simulate: {slots: 99, overhead: 100ms, decode_step: 1ms}}
  - {name: b, simulate: {slots: 99, overhead: 100ms, decode_step: 1ms}}
`

// TestRowsCarryTheirClass: after a whole run, whatever its verdict on a busy machine, each row of each approach has the class
// that the schedule gives to its index, and the prompt of that class.
func TestRowsCarryTheirClass(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "mix.yaml"), filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(file, []byte(mixScenario), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"run", file, "--quiet", "--out", dir}, strings.NewReader(""), &out, &errs); code != exitPass && code != exitInvalid && code != exitCannotTell {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(rec.Manifest.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Manifest.Schedule.SHA256 != sched.SHA256() || len(rec.Manifest.Schedule.Classes) != 3 || rec.Manifest.Schedule.Classes[2].Arrivals != len(sched.Mix.Classes[2].Times) {
		t.Errorf("schedule %+v", rec.Manifest.Schedule)
	}
	asked := map[string]int{"chat": 30, "rag": 50, "batch": 90}
	seen, rows := map[string]int{}, 0
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		want := sched.Mix.Classes[sched.Mix.Members[s.Index].Class].Name
		if s.TrafficClass != want || s.AskedInput != asked[want] {
			t.Fatalf("%s, request %d is of %q with %d tokens, want %q", s.Approach, s.Index, s.TrafficClass, s.AskedInput, want)
		}
		seen[s.Approach+" "+s.TrafficClass]++
		rows++
	}
	if rows != 2*len(sched.Times) || len(seen) != 6 || seen["a chat"] != seen["b chat"] {
		t.Errorf("%d rows of %d arrivals: %v", rows, len(sched.Times), seen)
	}
}
