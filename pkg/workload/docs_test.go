package workload

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var fenced = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestDocumentedAPIs: the approaches in docs/apis.md are ones that a scenario can have, and the schema takes them.
func TestDocumentedAPIs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/apis.md")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(small, "approaches:")
	schema := compileSchema(t)
	examples := fenced.FindAllSubmatch(doc, -1)
	if len(examples) < 5 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		text := head + "approaches:\n" + string(e[1])
		s, err := Parse([]byte(text), "docs/apis.md")
		if err != nil {
			t.Error(err)
			continue
		}
		stored, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(stored, "the JSON of a record"); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("read again from its record: %+v, %v", again, err)
		}
		if err := schemaRefuses(t, schema, []byte(text)); err != nil {
			t.Errorf("%s: %v", e[1], err)
		}
	}
}

var fencedRows = regexp.MustCompile("(?ms)^```jsonl\n(.*?)^```$")

// TestDocumentedDatasets: the scenarios of docs/datasets.md are ones, its rows are read, and it names every reason to drop a row.
func TestDocumentedDatasets(t *testing.T) {
	doc, err := os.ReadFile("../../docs/datasets.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(small, "prompts:")
	after = after[strings.Index(after, "approaches:"):]
	schema := compileSchema(t)
	examples := fenced.FindAllSubmatch(doc, -1)
	if len(examples) < 3 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		text := before + string(e[1]) + after
		s, err := Parse([]byte(text), "docs/datasets.md")
		if err != nil {
			t.Error(err)
			continue
		}
		stored, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(stored, "the JSON of a record"); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("read again from its record: %+v, %v", again, err)
		}
		if err := schemaRefuses(t, schema, []byte(text)); err != nil {
			t.Errorf("%s: %v", e[1], err)
		}
	}
	var formats []string
	for _, e := range fencedRows.FindAllSubmatch(doc, -1) {
		got, err := datasetFrom(Dataset{}, "docs/datasets.md", string(e[1]))
		if err != nil {
			t.Errorf("%s: %v", e[1], err)
			continue
		}
		formats = append(formats, got.facts.Format)
	}
	if want := []string{"prompts", "messages", "sharegpt", "alpaca"}; !reflect.DeepEqual(formats, want) {
		t.Errorf("rows of %q, want %q", formats, want)
	}
	for _, reason := range []string{DropNoUser, DropAssistant, DropEmptyPrompt, DropNotText, DropRole, DropNoAnswer, DropLong, DropLimit, DropNoText} {
		if !strings.Contains(string(doc), reason) {
			t.Errorf("%s is not in docs/datasets.md", reason)
		}
	}
}
