package report

import (
	"reflect"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

// TestDatasetFacts: every row that was read is accounted for where the report says how it was measured.
func TestDatasetFacts(t *testing.T) {
	got := datasetFacts([]workload.DatasetFacts{
		{Path: "a.json", Format: "sharegpt", Files: 1, SHA256: "abc", Rows: 12000, Used: 11997, Dropped: map[string]int{workload.DropNoUser: 1, workload.DropAssistant: 2}},
		{Path: "b/*.parquet", Format: "messages, parquet", Files: 3, SHA256: "def", Rows: 9, Used: 9},
		{Path: "docs", Format: "documents", Files: 2, Rows: 2, Used: 2},
	})
	want := []fact{
		{"dataset", "a.json (sharegpt): 11,997 of 12,000 rows used; left out: 2 begins with the assistant, 1 no user message; SHA-256 abc"},
		{"dataset", "b/*.parquet (messages, parquet): 9 of 9 rows in 3 files used; SHA-256 def"},
		{"dataset", "docs (documents): 2 of 2 documents used; SHA-256 " + absent},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
