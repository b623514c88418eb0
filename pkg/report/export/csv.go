package export

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/infbench/infbench/pkg/measure"
)

// csvTable writes RFC 4180 with a header. A missing value is an empty field; times are whole nanoseconds.
type csvTable struct {
	w      *csv.Writer
	fields []string
}

func newCSVTable(w io.Writer) table { return &csvTable{w: csv.NewWriter(w)} }

func (t *csvTable) write(s *measure.Sample) error {
	if t.fields == nil {
		t.fields = make([]string, len(columns))
		for i := range columns {
			t.fields[i] = columns[i].name
		}
		if err := t.w.Write(t.fields); err != nil {
			return err
		}
	}
	for i := range columns {
		t.fields[i] = columns[i].csv(s)
	}
	return t.w.Write(t.fields)
}

func (t *csvTable) close() error {
	t.w.Flush()
	return t.w.Error()
}

func (c *column) csv(s *measure.Sample) string {
	v := c.get(s)
	switch {
	case !v.known:
		return ""
	case c.kind == integer:
		return strconv.FormatInt(v.n, 10)
	case c.kind == flag:
		return strconv.FormatBool(v.b)
	}
	return v.s
}
