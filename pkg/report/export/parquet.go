package export

import (
	"cmp"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/infbench/infbench/pkg/measure"
)

// rowsPerGroup is DuckDB's own size of a row group: one is what a reader's thread takes at a time, and what the writer holds.
const rowsPerGroup = 122880

// batch is how many rows go to the writer at a time.
const batch = 256

// parquetTable writes typed columns, zstd, in the order of columns; text in dictionaries.
type parquetTable struct {
	w    *parquet.GenericWriter[any]
	rows []parquet.Row
	n    int
}

func newParquetTable(w io.Writer, m *measure.Manifest) table {
	return &parquetTable{rows: make([]parquet.Row, batch), w: parquet.NewGenericWriter[any](w, parquetSchema(),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}), parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.CreatedBy("infbench", m.Tool.Version, m.Tool.Revision),
		parquet.KeyValueMetadata("infbench.run", m.ID), parquet.KeyValueMetadata("infbench.scenario", m.Scenario.Name),
		parquet.KeyValueMetadata("infbench.scenario_digest", m.Digest))}
}

// ordered is a group that keeps the order of its fields, which parquet.Group sorts by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

func parquetSchema() *parquet.Schema {
	group := parquet.Group{}
	place := map[string]int{}
	for i := range columns {
		group[columns[i].name], place[columns[i].name] = columns[i].node(), i
	}
	fields := group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return cmp.Compare(place[a.Name()], place[b.Name()]) })
	return parquet.NewSchema("request", ordered{group, fields})
}

func (c *column) node() parquet.Node {
	var n parquet.Node
	switch c.kind {
	case integer:
		n = parquet.Int(64)
	case flag:
		n = parquet.Leaf(parquet.BooleanType)
	default:
		n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	if !c.required {
		n = parquet.Optional(n)
	}
	return n
}

// parquet is the column's value at its place in a row. The definition level of an optional value that is there is 1.
func (c *column) parquet(s *measure.Sample, place int) parquet.Value {
	v := c.get(s)
	level := 0
	if !c.required {
		level = 1
	}
	switch {
	case !v.known:
		return parquet.NullValue().Level(0, 0, place)
	case c.kind == integer:
		return parquet.Int64Value(v.n).Level(0, level, place)
	case c.kind == flag:
		return parquet.BooleanValue(v.b).Level(0, level, place)
	}
	return parquet.ByteArrayValue([]byte(v.s)).Level(0, level, place)
}

func (t *parquetTable) write(s *measure.Sample) error {
	row := t.rows[t.n][:0]
	for i := range columns {
		row = append(row, columns[i].parquet(s, i))
	}
	t.rows[t.n] = row
	if t.n++; t.n < len(t.rows) {
		return nil
	}
	return t.flush()
}

func (t *parquetTable) flush() error {
	_, err := t.w.WriteRows(t.rows[:t.n])
	t.n = 0
	return err
}

func (t *parquetTable) close() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.w.Close()
}
