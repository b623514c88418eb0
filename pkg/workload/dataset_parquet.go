package workload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// parquetMagic begins and ends a parquet file.
var parquetMagic = []byte("PAR1")

// parquetRows are the rows of a parquet file. Only the columns that are needed are read, a page at a time: the columns of
// the texts side by side, and of a conversation its roles and its texts, whichever way the file writes lists.
type parquetRows struct {
	name  string
	row   int // of the last one given, from 1
	rows  int
	cells [dataColumns]*parquetColumn
	roles *parquetColumn // and the texts of a conversation: both have as many values in a row
	texts *parquetColumn
}

func openParquet(f *dataFile, d *Dataset) (_ dataRows, _ *dataFormat, err error) {
	defer unreadable(f.name, &err)
	magic := make([]byte, len(parquetMagic))
	if _, err := f.in.ReadAt(magic, 0); err != nil || !bytes.Equal(magic, parquetMagic) {
		return nil, nil, fmt.Errorf("%s is a parquet file that is packed once more: unpack it", f.name)
	}
	if err := f.checkFooter(); err != nil {
		return nil, nil, err
	}
	file, err := parquet.OpenFile(f.in, f.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no readable parquet file: %w", f.name, err)
	}
	columns := map[string]*parquet.Column{}
	var keys []string
	for _, c := range file.Root().Columns() {
		columns[c.Name()] = c
		keys = append(keys, c.Name())
	}
	format, err := dataFormatOf(d, keys, f.name)
	if err != nil {
		return nil, nil, err
	}
	format.file = "parquet"
	r := &parquetRows{name: f.name, rows: int(file.NumRows())}
	for column, names := range format.columns {
		at := firstOf(names, keys)
		if at < 0 {
			continue
		}
		if err := r.take(dataColumn(column), columns[keys[at]]); err != nil {
			r.close()
			return nil, nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if r.cells[promptColumn] == nil && r.roles == nil {
		r.close()
		return nil, nil, fmt.Errorf("%s: no column holds a prompt: it has %s: name it, such as columns: {prompt: %s}", f.name, keyList(keys), example(keys))
	}
	return r, format, nil
}

// checkFooter makes sure that a file has its end, where a parquet file says what is in it: 4 bytes with that part's length, and
// the same magic as in front. The library would take the memory for any length that stands there.
func (f *dataFile) checkFooter() error {
	end := make([]byte, 4+len(parquetMagic))
	_, err := f.in.ReadAt(end, max(0, f.size-int64(len(end))))
	switch length := int64(binary.LittleEndian.Uint32(end)); {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("read %s: %w", f.name, err)
	case !bytes.HasSuffix(end, parquetMagic):
		return fmt.Errorf("%s is no readable parquet file: its end is missing; fetch the file again", f.name)
	case length > f.size-int64(len(end)+len(parquetMagic)):
		return fmt.Errorf("%s is no readable parquet file: its end says that %d bytes describe it, and it has %d in all; fetch it again", f.name, length, f.size)
	}
	return nil
}

// unreadable turns a panic of the library, which trusts what a file says of itself, into an error.
func unreadable(name string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s is no readable parquet file: %v", name, p)
	}
}

// take begins to read a column.
func (r *parquetRows) take(column dataColumn, c *parquet.Column) error {
	switch column {
	case messagesColumn:
		return r.takeMessages(c)
	case answerColumn:
		if c.Leaf() && c.MaxRepetitionLevel() == 0 && (isText(c) || isWhole(c)) {
			r.cells[column] = newParquetColumn(c)
		}
		return nil // what is no text and no length is no answer
	case maxTokensColumn:
		if !c.Leaf() || c.MaxRepetitionLevel() > 0 || !isWhole(c) {
			return fmt.Errorf("column %s is %s: want whole numbers", clip(c.Name()), typeOf(c))
		}
	default:
		if !c.Leaf() || c.MaxRepetitionLevel() > 0 || !isText(c) {
			return fmt.Errorf("column %s is %s: want texts; or name another, such as columns: {prompt: question}", clip(c.Name()), typeOf(c))
		}
	}
	r.cells[column] = newParquetColumn(c)
	return nil
}

// takeMessages finds the roles and the texts of a list of messages.
func (r *parquetRows) takeMessages(c *parquet.Column) error {
	var roles, texts *parquet.Column
	for _, leaf := range leaves(c, nil) {
		switch leaf.Name() {
		case "role", "from":
			roles = leaf
		case "content", "value":
			texts = leaf
		}
	}
	for _, leaf := range []*parquet.Column{roles, texts} {
		if leaf == nil || !isText(leaf) || leaf.MaxRepetitionLevel() != 1 {
			return fmt.Errorf("column %s is %s: want a list of {role, content} or {from, value}, all texts", clip(c.Name()), typeOf(c))
		}
	}
	r.roles, r.texts = newParquetColumn(roles), newParquetColumn(texts)
	return nil
}

func leaves(c *parquet.Column, found []*parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return append(found, c)
	}
	for _, child := range c.Columns() {
		found = leaves(child, found)
	}
	return found
}

func isText(c *parquet.Column) bool { return c.Type().Kind() == parquet.ByteArray }

func isWhole(c *parquet.Column) bool {
	return c.Type().Kind() == parquet.Int32 || c.Type().Kind() == parquet.Int64
}

// typeOf is what a column holds, for errors.
func typeOf(c *parquet.Column) string {
	if !c.Leaf() {
		var parts []string
		for _, leaf := range leaves(c, nil) {
			parts = append(parts, strings.Join(leaf.Path(), ".")+" "+leaf.Type().String())
		}
		return "a group of " + clip(strings.Join(parts, ", "))
	}
	if c.MaxRepetitionLevel() > 0 {
		return "a list of " + c.Type().String()
	}
	return "of type " + c.Type().String()
}

func (r *parquetRows) place() string { return fmt.Sprintf("%s: row %d", r.name, r.row) }

func (r *parquetRows) close() {
	for _, c := range append(r.cells[:], r.roles, r.texts) {
		if c != nil {
			c.close()
		}
	}
}

func (r *parquetRows) next(row *rawRow) (err error) {
	defer unreadable(r.name, &err)
	if r.row >= r.rows {
		return io.EOF
	}
	r.row++
	for column, c := range r.cells {
		if c == nil {
			continue
		}
		if err := c.cell(row, dataColumn(column)); err != nil {
			return fmt.Errorf("%s: %w", r.place(), err)
		}
	}
	if r.roles == nil {
		return nil
	}
	if err := r.conversation(row); err != nil {
		return fmt.Errorf("%s: %w", r.place(), err)
	}
	row.noMessages()
	return nil
}

// conversation reads a list: as many roles as texts. A list that is empty or null has one value that is null.
func (r *parquetRows) conversation(row *rawRow) error {
	row.has[messagesColumn] = true
	for n := 0; ; n++ {
		role, more, err := r.roles.value(n > 0)
		if err != nil {
			return err
		}
		text, too, err := r.texts.value(n > 0)
		if err != nil {
			return err
		}
		if more != too {
			return errors.New("a message without its role, or a role without its message")
		}
		if !more {
			return nil
		}
		if role.IsNull() {
			if n == 0 && text.IsNull() {
				continue // the list is empty
			}
			return fmt.Errorf("message %d has no role: want system, user or assistant", n+1)
		}
		name, err := parquetText(role)
		if err != nil {
			return err
		}
		content, err := parquetText(text)
		if err != nil {
			return err
		}
		row.messages = append(row.messages, rawMessage{role: name, content: content})
	}
}

// parquetColumn reads the values of one column.
type parquetColumn struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer []parquet.Value
	at, n  int
}

func newParquetColumn(c *parquet.Column) *parquetColumn {
	return &parquetColumn{pages: c.Pages(), buffer: make([]parquet.Value, 64)}
}

// peek makes sure that there is a value, and gives io.EOF at the column's end.
func (c *parquetColumn) peek() error {
	for c.at >= c.n {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return err
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buffer)
		c.at, c.n = 0, n
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return err
			}
			if c.values = nil; n == 0 {
				c.release()
			}
		}
	}
	return nil
}

// value gives the next value. Within a row it gives none where the next one begins another row.
func (c *parquetColumn) value(within bool) (v parquet.Value, ok bool, err error) {
	if err := c.peek(); err != nil {
		if within && errors.Is(err, io.EOF) {
			return v, false, nil
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the column ends before the file does")
		}
		return v, false, err
	}
	if v = c.buffer[c.at]; within && v.RepetitionLevel() == 0 {
		return parquet.Value{}, false, nil
	}
	c.at++
	return v, true, nil
}

// cell reads the value of a column that has one per row.
func (c *parquetColumn) cell(row *rawRow, column dataColumn) error {
	v, _, err := c.value(false)
	if row.null = row.null || v.IsNull(); err != nil || v.IsNull() {
		return err
	}
	row.has[column] = true
	if v.Kind() == parquet.Int32 || v.Kind() == parquet.Int64 {
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		switch sound := n >= 1 && n <= longest; {
		case sound && column == maxTokensColumn:
			row.maxTokens = int(n)
		case sound:
			row.answer = int(n)
		case column == maxTokensColumn:
			return fmt.Errorf("max_tokens is %d: want 1 to %d, or null", n, longest)
		}
		return nil
	}
	row.texts[column], err = parquetText(v)
	return err
}

// parquetText is a value's text; that of a null is empty.
func parquetText(v parquet.Value) (string, error) {
	if v.IsNull() {
		return "", nil
	}
	b := v.ByteArray()
	if !utf8.Valid(b) {
		return "", errors.New("a text that is not in UTF-8")
	}
	if len(b) > maxRow {
		return "", fmt.Errorf("a text of more than %d MiB", maxRow>>20)
	}
	return string(b), nil
}

func (c *parquetColumn) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *parquetColumn) close() {
	c.release()
	c.pages.Close()
}
