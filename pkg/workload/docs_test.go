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
