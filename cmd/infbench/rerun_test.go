package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// rerunRun measures two approaches of one simulated server over HTTP, in one short block each, into a directory.
func rerunRun(t *testing.T) (dir, policy string, stop func()) {
	t.Helper()
	server, err := simulate.Start(context.Background(), workload.Simulation{Slots: 100}, simulate.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	base, err := server.Base("openai-chat")
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	dir = filepath.Join(tmp, "run")
	scenario, policy := filepath.Join(tmp, "s.yaml"), filepath.Join(tmp, "p.yaml")
	text := strings.ReplaceAll(`
name: short
phases: {measure: 1s, drain: 5s}
arrivals: {rate: 40/s, burst: {constant: {}}}
prompts:
  synthetic: {input: {fixed: 20}, output: {fixed: 3}}
approaches:
  - {name: a, url: URL, model: m}
  - {name: b, url: URL, model: m}
`, "URL", base)
	for path, text := range map[string]string{scenario: text, policy: "gates: [{figure: ttft p50, worse: 0%}]\nslo: false\nconfidence: 99.999%\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"run", scenario, "--quiet", "--accept-suspect", "--out", dir}, nil, &out, &out); code != exitPass {
		server.Stop()
		t.Skipf("a busy machine: the run exits with %d: %s", code, out.String())
	}
	return dir, policy, server.Stop
}

func manifestOf(t *testing.T, dir string) *measure.Manifest {
	t.Helper()
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Verify(); err != nil {
		t.Error(err)
	}
	return rec.Manifest
}

// TestRerunOfAServerThatIsGone: exit 5, the verdict of before is shown, and the record is untouched.
func TestRerunOfAServerThatIsGone(t *testing.T) {
	dir, policy, stop := rerunRun(t)
	stop()
	before, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"check", dir + ":b", "--baseline", dir + ":a", "--policy", policy, "--accept-suspect", "--rerun"}, nil, &stdout, &stderr)
	if code != exitIO || !strings.Contains(stdout.String(), "CANNOT TELL  run:b against run:a") || !strings.Contains(stderr.String(), "cannot be reached") {
		t.Errorf("exit %d\n%s\n%s", code, &stdout, &stderr)
	}
	after, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the record has changed (%v)", err)
	}
	manifestOf(t, dir)
}

// TestRerunGoesOn: a rerun whose process ended in the middle is gone on with by the same check, before anything is looked at.
func TestRerunGoesOn(t *testing.T) {
	dir, policy, stop := rerunRun(t)
	defer stop()
	w, err := measure.Extend(dir, 2, manifestOf(t, dir).Started)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(measure.Interrupted, "stopped by a signal", manifestOf(t, dir).Started); err != nil {
		t.Fatal(err)
	}
	first := manifestOf(t, dir)
	if first.State != measure.Interrupted || len(first.Extended) != 1 || len(first.Rounds) != 1 || first.Scenario.Rounds() != 2 {
		t.Fatalf("%+v", first)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"check", dir + ":b", "--baseline", dir + ":a", "--policy", policy, "--accept-suspect", "--rerun", "--quiet"}, nil, &stdout, &stderr)
	if code == exitInvalid {
		t.Skip("a busy machine")
	}
	m := manifestOf(t, dir)
	if code != exitCannotTell || !strings.Contains(stderr.String(), "going on with it") || m.State != measure.Complete || len(m.Blocks) != 4 || len(m.Extended) != 1 || len(m.Rounds) != 2 {
		t.Errorf("exit %d, %s, %d blocks\n%s\n%s", code, m.State, len(m.Blocks), &stdout, &stderr)
	}
	for i, b := range first.Blocks { // what was measured before is as it was
		x, _ := json.Marshal(b)
		if y, _ := json.Marshal(m.Blocks[i]); !bytes.Equal(x, y) {
			t.Errorf("block %d was %s and is %s", i, x, y)
		}
	}
	if m.Rounds[0].SHA256 != m.Schedule.SHA256 || m.Rounds[0].SHA256 == m.Rounds[1].SHA256 {
		t.Errorf("rounds %+v", m.Rounds)
	}
}

// TestRecordedScenario: a record whose scenario holds a secret, or does not say where it lies, cannot be driven again by itself.
func TestRecordedScenario(t *testing.T) {
	record := func(change func(m *measure.Manifest)) *measure.Record {
		s := &workload.Scenario{Name: "s", Approaches: []workload.Approach{{Name: "a", URL: "http://127.0.0.1:1/v1"}}}
		m := &measure.Manifest{Scenario: s, Folder: "/somewhere"}
		change(m)
		m.Scenario = m.Scenario.Redacted()
		if m.Digest == "" {
			m.Digest = m.Scenario.Digest()
		}
		return &measure.Record{Dir: "run", Manifest: m}
	}
	if s, err := recordedScenario(record(func(*measure.Manifest) {})); err != nil || s.Dir != "/somewhere" {
		t.Errorf("%+v, %v", s, err)
	}
	for want, change := range map[string]func(m *measure.Manifest){
		"covers a secret of approach a": func(m *measure.Manifest) { m.Scenario.Approaches[0].Headers = map[string]string{"X-Api-Key": "hush"} },
		"in which folder":               func(m *measure.Manifest) { m.Folder = "" },
		"another version":               func(m *measure.Manifest) { m.Digest = "of old" },
	} {
		if _, err := recordedScenario(record(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestRoundsAfter: twice as many, no further than the partners in another run go, once, and only where more blocks help.
func TestRoundsAfter(t *testing.T) {
	arm := func(dir string, blocks int) *analyze.Arm {
		return &analyze.Arm{Name: dir, Record: &measure.Record{Dir: dir, Manifest: &measure.Manifest{Scenario: &workload.Scenario{Blocks: blocks}}}}
	}
	unsure := func(paired, more bool) *analyze.Check {
		return &analyze.Check{Verdict: analyze.CannotTell, Comparison: &analyze.Comparison{Paired: paired}, Results: []analyze.GateCheck{{Name: "ttft p95", Verdict: analyze.CannotTell, MoreBlocks: more}}}
	}
	one, other := t.TempDir(), t.TempDir()
	grown := arm(one, 10)
	grown.Record.Manifest.Extended = []measure.Extension{{From: 5, To: 10}}
	for name, c := range map[string]struct {
		baseline, candidate *analyze.Arm
		check               *analyze.Check
		want                int
		why                 string
	}{
		"in one run":              {arm(one, 10), arm(one, 10), unsure(true, true), 20, ""},
		"of one block":            {arm(one, 0), arm(one, 0), unsure(true, true), 2, ""},
		"no partners":             {arm(other, 10), arm(one, 10), unsure(true, true), 0, "have no partner"},
		"some partners":           {arm(other, 15), arm(one, 10), unsure(true, true), 15, ""},
		"partners enough":         {arm(other, 50), arm(one, 10), unsure(true, true), 20, ""},
		"no pairs":                {arm(other, 10), arm(one, 10), unsure(false, true), 20, ""},
		"once":                    {arm(one, 10), grown, unsure(true, true), 0, "has grown from 5 to 10"},
		"more blocks do not help": {arm(one, 10), arm(one, 10), unsure(true, false), 0, "do not settle ttft p95"},
	} {
		got, why := (&checkJob{}).roundsAfter(armPair{c.baseline, c.candidate}, c.check)
		if got != c.want || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%s: %d, %q", name, got, why)
		}
	}
}
