package workload

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestMistakes: each wrong scenario gives the errors of its golden file, and each error says where, what and what to do.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(text, name)
			if err == nil {
				t.Fatal("accepted")
			}
			checkErrors(t, text, err)
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

// checkErrors holds the errors of a text to what every one of them promises.
func checkErrors(t *testing.T, text []byte, err error) {
	t.Helper()
	var all ScenarioErrors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("%T: %v", err, err)
	}
	var first *ScenarioError
	if !errors.As(err, &first) || first != all[0] {
		t.Errorf("errors.As finds %v", first)
	}
	lines := strings.Split(strings.ReplaceAll(string(bytes.TrimPrefix(text, []byte("\ufeff"))), "\r\n", "\n"), "\n")
	last := 0
	for _, e := range all {
		if e.Problem == "" || e.Remedy == "" {
			t.Errorf("no problem or no remedy: %+v", e)
		}
		if !utf8.ValidString(e.Error()) {
			t.Errorf("not UTF-8: %q", e.Error())
		}
		if e.Flag != "" {
			if e.Line != 0 || e.Column != 0 || e.Source != "" {
				t.Errorf("in a flag, and in the file: %+v", e)
			}
			continue
		}
		if e.Line < 1 || e.Line > len(lines) || e.Line < last {
			t.Errorf("line %d of %d, after line %d", e.Line, len(lines), last)
			continue
		}
		last = e.Line
		if n := utf8.RuneCountInString(lines[e.Line-1]); e.Column < 1 || e.Column > n+1 {
			t.Errorf("column %d of a line of %d characters", e.Column, n)
		}
		if want := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column); !strings.HasPrefix(e.Error(), want) {
			t.Errorf("%q does not begin with %q", e.Error(), want)
		}
	}
}
