package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	words, out := filepath.Join(dir, "words"), filepath.Join(dir, "m.gguf")
	if err := os.WriteFile(words, []byte("able\nabout\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("able it's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--help", 0, "-layers"},
		{"--words " + words, 2, "--output"},
		{"--output " + out + " more", 2, "nothing but flags"},
		{"--no-such", 2, "no-such"},
		{"--output " + out + " --words " + filepath.Join(dir, "none"), 1, "the words"},
		{"--output " + out + " --words " + bad, 1, `word 2: "it's"`},
		{"--output " + out + " --words " + words + " --dim 100", 1, "multiple of 64"},
		{"--output " + filepath.Join(dir, "no", "m.gguf") + " --words " + words, 1, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(strings.Fields(c.args), &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) || stdout.Len() > 0 {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout.String(), stderr.String())
		}
	}
	if left, _ := filepath.Glob(out + "*"); len(left) > 0 {
		t.Errorf("a failure left %v", left)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"--output", out, "--words", words, "--layers", "1", "--dim", "64"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "million parameters") {
		t.Errorf("exit %d\n%s%s", code, stdout.String(), stderr.String())
	}
	if model, err := os.ReadFile(out); err != nil || !bytes.HasPrefix(model, []byte("GGUF")) {
		t.Errorf("%v, %d bytes", err, len(model))
	}
}
