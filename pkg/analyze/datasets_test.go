package analyze

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

// TestChangedDatasetsAreNotTheSameRequests: seed, path and arrivals are the same, and the prompts are not.
func TestChangedDatasetsAreNotTheSameRequests(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []workload.DatasetFacts
		same bool
	}{
		"none":          {nil, nil, true},
		"the same":      {[]workload.DatasetFacts{{Path: "x", SHA256: "1"}}, []workload.DatasetFacts{{Path: "x", SHA256: "1"}}, true},
		"changed":       {[]workload.DatasetFacts{{Path: "x", SHA256: "1"}}, []workload.DatasetFacts{{Path: "x", SHA256: "2"}}, false},
		"one says none": {[]workload.DatasetFacts{{Path: "x", SHA256: "1"}}, nil, false},
	} {
		a, b := armOf("a", 1, 0.1, 0.1, 0.1), armOf("b", 1, 0.1, 0.1, 0.1)
		a.Record.Manifest.Datasets, b.Record.Manifest.Datasets = c.a, c.b
		_, err := Compare(a, b, false, CompareOptions{})
		if (err == nil) != c.same || err != nil && !strings.Contains(err.Error(), "contents of the dataset") {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Compare(a, b, true, CompareOptions{})
		if err != nil || got.Paired != c.same || (len(got.Forced) == 0) != c.same {
			t.Errorf("%s, forced: %+v, %v", name, got, err)
		}
	}
}
