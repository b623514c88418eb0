package workload

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestDatasetFiles: a file, a pattern and a folder, in the order of their names, with a digest that sha256sum gives too.
func TestDatasetFiles(t *testing.T) {
	dir := t.TempDir()
	files := []struct{ name, text string }{
		{"a.jsonl", `{"prompt": "one"}`}, {"b.json.gz", packed(t, `[{"conversations": `+talk+`}, {"conversations": []}]`)["gzip"]},
		{"c.txt", "three\nfour\n"}, {"notes.md", "none"}, {".hidden.jsonl", "none"},
	}
	var sums []string
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if err := os.WriteFile(filepath.Join(dir, "data", f.name), []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			sums = append(sums, fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(f.text)), f.name))
		}
	}
	all := []string{"one", "Be brief. One two?", "three", "four"}
	for path, want := range map[string]struct {
		texts  []string
		format string
		sum    string
		rows   int
	}{
		"data":              {all, "prompts; sharegpt; text", fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(sums, "")))), 5},
		"data/[a-c].*":      {all, "prompts; sharegpt; text", fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(sums, "")))), 5},
		"data/b.json.gz":    {all[1:2], "sharegpt", sums[1][:64], 2},
		"data/*.txt":        {all[2:], "text", sums[2][:64], 2},
		dir + "/data/*.js*": {all[:2], "prompts; sharegpt", fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(sums[:2], "")))), 3},
	} {
		got, err := readDataset(&Dataset{Path: path}, dir)
		if err != nil {
			t.Fatal(err)
		}
		checkDataset(t, got)
		var texts []string
		for i := range got.rows {
			texts = append(texts, strings.ReplaceAll(messageText(got.rows[i].prompt()), "\n", " "))
		}
		if f := got.facts; !reflect.DeepEqual(texts, want.texts) || f.Format != want.format || f.SHA256 != want.sum || f.Rows != want.rows || f.Path != path {
			t.Errorf("%s: %q of %+v\nwant %+v", path, texts, f, want)
		}
	}
	for path, want := range map[string]string{
		"absent.jsonl": "prompts.dataset: open " + filepath.Join(dir, "absent.jsonl") + ": no such file or directory: correct the path, which is relative to the scenario",
		"*.jsonl":      "prompts.dataset: no file is like *.jsonl: correct the pattern",
		".":            "prompts.dataset: the folder . has no file that ends in .json, .jsonl, .ndjson, .parquet, .csv, .txt (or that and .gz or .zst): name the files with a pattern, such as *",
	} {
		if _, err := readDataset(&Dataset{Path: path}, dir); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestRecordedOutput: a row asks for what it says, or for as much as was answered, or for what the scenario says.
func TestRecordedOutput(t *testing.T) {
	rows := []string{`{"prompt": "a", "output": "one two three"}`, `{"prompt": "b"}`, `{"prompt": "c", "output": "one", "max_tokens": 9}`}
	for name, c := range map[string]struct {
		dataset Dataset
		want    map[string]int
	}{
		"left to the server":  {Dataset{}, map[string]int{"a": 0, "b": 0, "c": 9}},
		"of the scenario":     {Dataset{Output: &Lengths{Fixed: pointer(5)}}, map[string]int{"a": 5, "b": 5, "c": 9}},
		"as recorded":         {Dataset{RecordedOutput: true}, map[string]int{"a": 3, "c": 9}},
		"as recorded, or not": {Dataset{RecordedOutput: true, Output: &Lengths{Fixed: pointer(5)}}, map[string]int{"a": 3, "b": 5, "c": 9}},
	} {
		prompts := datasetOf(t, rows...)
		c.dataset.Path = prompts.Dataset.Path
		src := sourceOf(t, Prompts{Dataset: &c.dataset, Cache: "allowed"})
		got := map[string]int{}
		for i := range src.Datasets()[0].Used {
			req := src.Request(i, Nonce{})
			got[req.Messages[0].Content] = req.MaxTokens
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
