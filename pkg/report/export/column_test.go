package export

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/measure"
)

// TestColumnsAreTheRecords: every field of a row of the record is a column, under its name in the record, but for lists.
func TestColumnsAreTheRecords(t *testing.T) {
	var got, want []string
	for _, c := range columns {
		got = append(got, c.name)
	}
	row := reflect.TypeFor[measure.Sample]()
	for i := range row.NumField() {
		name, _, _ := strings.Cut(row.Field(i).Tag.Get("json"), ",")
		if row.Field(i).IsExported() && name != "rate_limits" { // the one list
			want = append(want, name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("columns %q\nfields  %q", got, want)
	}
}
