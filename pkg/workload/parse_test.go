package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// TestLoadScenarios: every scenario that is shipped is right, and can be run as it is but for its environment.
func TestLoadScenarios(t *testing.T) {
	files, err := filepath.Glob("../../scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(string(text), "\n"); first != "# yaml-language-server: $schema=scenario.schema.json" {
				t.Errorf("the first line does not name the schema: %s", first)
			}
			for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(text), -1) {
				t.Setenv(m[1], "http://127.0.0.1:8000/v1")
			}
			s, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); s.Name != want || s.Dir != filepath.Dir(file) || s.Description == "" {
				t.Errorf("name %q in %q, described %q", s.Name, s.Dir, s.Description)
			}
			if s.Arrivals.Shape != nil && s.Arrivals.Shape.Trace != nil {
				return // the trace need not be here
			}
			if s.Arrivals.ClosedLoop != nil {
				return
			}
			sched, err := NewSchedule(s)
			if err != nil || len(sched.Times) == 0 {
				t.Fatalf("no schedule: %v", err)
			}
			if _, err := NewSource(s, sched); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load("absent.yaml"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder is no scenario")
	}
	file := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(file, []byte(small+"# "+strings.Repeat("x", strict.MaxBytes)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), file+":1:1: the file is larger than 256 KiB\n") {
		t.Errorf("got %v", err)
	}
}

// TestDefaults: what a scenario leaves out is filled in, at every depth, and what it says stays.
func TestDefaults(t *testing.T) {
	s := parse(t, small)
	a := s.Approaches[0]
	for _, c := range []struct {
		field     string
		got, want any
	}{
		{"seed", s.Seed, uint64(1)},
		{"phases.warmup", s.Phases.Warmup.D(), time.Duration(0)},
		{"phases.drain", s.Phases.Drain.D(), 30 * time.Second},
		{"prompts.cache", s.Prompts.Cache, "unique"},
		{"api", a.API, "openai-chat"},
		{"stream", a.Stream, pointer(true)},
		{"max_tokens_field", a.MaxTokensField, "max_completion_tokens"},
		{"timeouts", a.Timeouts, Timeouts{Duration(10 * time.Second), Duration(time.Minute), Duration(time.Minute), Duration(5 * time.Minute)}},
		{"connections.reuse", a.Connections.Reuse, "keep-alive"},
		{"slo.require", s.SLO.Require, "all"},
		{"output", s.Output, Output{Dir: "results"}},
		{"a group that is not there", a.Simulate, (*Simulation)(nil)},
		{"a list that is not there", s.SLO.Objectives, []Objective(nil)},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.field, c.got, c.want)
		}
	}
	if !a.Streaming() || !(&Approach{}).Streaming() {
		t.Error("no streaming by default")
	}
	s = parse(t, small, sets("phases.drain=0s", "approaches[0].stream=false", "approaches[0].timeouts.idle=9s", "slo.request.ttft=1s",
		"arrivals={shape: {trace: {path: a.csv}}}")...)
	a = s.Approaches[0]
	if s.Phases.Drain != 0 || a.Streaming() || a.Timeouts.Idle.D() != 9*time.Second || a.Timeouts.Total.D() != 5*time.Minute || s.SLO.Require != "all" {
		t.Errorf("%+v", s)
	}
	if want := (Trace{Path: "a.csv", Speed: 1, Thin: 1}); *s.Arrivals.Shape.Trace != want {
		t.Errorf("trace %+v, want %+v", *s.Arrivals.Shape.Trace, want)
	}
}

// TestForms: the same scenario in other clothes.
func TestForms(t *testing.T) {
	want := parse(t, small)
	stored, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	anchors := strings.Replace(strings.Replace(small, "input: {fixed: 20}", "input: &length {fixed: 20}", 1), "output: {fixed: 10}", "output: {<<: *length, fixed: 10}", 1)
	for name, text := range map[string]string{
		"Windows line ends":    strings.ReplaceAll(small, "\n", "\r\n"),
		"a byte order mark":    "\ufeff" + small,
		"no line end":          strings.TrimSuffix(small, "\n"),
		"document marks":       "---\n" + small + "...\n",
		"comments":             "# first\n" + strings.ReplaceAll(small, "\n", " # here\n"),
		"the JSON of a record": string(stored),
		"anchors":              anchors,
		"quotes":               strings.Replace(small, "4/s", `"4/s"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, text); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// FuzzParse: whatever a file holds, Parse gives errors with their places, or a scenario that is read again from its own
// record, is accepted by the schema, and has its schedule.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../../scenarios/*.yaml", "testdata/mistakes/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(small))
	schema := compileSchema(f)
	env := lookup(map[string]string{"LLAMA_SERVER_URL": "http://127.0.0.1:8000/v1"})
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseWith(env, text, "demo.yaml", nil)
		if err != nil {
			if len(text) <= strict.MaxBytes {
				checkErrors(t, text, err)
			}
			return
		}
		stored, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(stored) > strict.MaxBytes {
			return
		}
		if err := schemaRefuses(t, schema, stored); err != nil {
			t.Errorf("the schema refuses %s: %v", stored, err)
		}
		for i := range s.Approaches {
			if len(s.Approaches[i].EnvHeaders) > 0 {
				return // what came from the environment would be refused as a secret in the file
			}
		}
		again, err := parseWith(env, stored, "again.yaml", nil)
		if err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		if restored, err := json.Marshal(again); err != nil || !bytes.Equal(restored, stored) {
			t.Errorf("%v\nstored   %s\nrestored %s", err, stored, restored)
		}
	})
}
