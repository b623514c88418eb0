package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// A scenario can name every API that can be opened, and no other.
func TestScenarioKnowsTheAPIs(t *testing.T) {
	field, _ := reflect.TypeFor[workload.Approach]().FieldByName("API")
	var listed []string
	for part := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
		if name, ok := strings.CutPrefix(part, "enum="); ok {
			listed = append(listed, name)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, endpoint.APIs()) {
		t.Errorf("a scenario can say %v, there are %v", listed, endpoint.APIs())
	}
}
