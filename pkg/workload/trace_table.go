package workload

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/tidwall/gjson"
)

// table gives chosen columns of a file, row by row.
type table interface {
	// next returns the cells of the next row in the order in which the columns were asked for, or io.EOF. A cell that a
	// row does not have is empty. They are valid until the next call.
	next() ([]string, error)
}

// column is one that a format reads.
type column struct {
	name     string // empty: the format has none
	optional bool
}

// csvTable finds columns by the names in the first line. A row is one line: there are no line ends within quotes.
type csvTable struct {
	lines  *lineReader
	width  int   // fields in the header
	at     []int // where each column is, or -1
	fields []string
	cells  []string
}

// newCSVTable reads the header. what names the format in errors.
func newCSVTable(lines *lineReader, what string, columns []column) (*csvTable, error) {
	var names []string
	for _, c := range columns {
		if c.name != "" && !c.optional {
			names = append(names, c.name)
		}
	}
	list := strings.Join(names, ",")
	line, err := lines.next()
	if errors.Is(err, io.EOF) {
		return nil, lines.mistakeInFile("is empty: it should begin with the header " + list)
	}
	if err != nil {
		return nil, err
	}
	t := &csvTable{lines: lines, cells: make([]string, len(columns))}
	header, err := t.split(string(line))
	if err != nil {
		return nil, err
	}
	t.width = len(header)
	for _, c := range columns {
		at := -1
		for j, got := range header {
			if c.name == "" || !strings.EqualFold(strings.TrimSpace(got), c.name) {
				continue
			}
			if at >= 0 {
				return nil, lines.mistake("column %s stands twice: rename one of them", clip(c.name))
			}
			at = j
		}
		if at < 0 && c.name != "" && !c.optional {
			return nil, lines.mistake("no column %s in the header %q: %s trace has the columns %s", clip(c.name), clip(string(line)), what, list)
		}
		t.at = append(t.at, at)
	}
	return t, nil
}

// mistakeInFile is an error of the file as a whole.
func (l *lineReader) mistakeInFile(text string) error { return errors.New(l.name + " " + text) }

func (t *csvTable) next() ([]string, error) {
	line, err := t.lines.next()
	if err != nil {
		return nil, err
	}
	fields, err := t.split(string(line))
	if err != nil {
		return nil, err
	}
	if len(fields) != t.width {
		if !t.lines.ended {
			return nil, t.lines.mistake("the last line is cut off: complete or remove it")
		}
		return nil, t.lines.mistake("another number of fields than in the header: complete or remove the row")
	}
	for i, at := range t.at {
		t.cells[i] = ""
		if at >= 0 {
			t.cells[i] = strings.TrimSpace(fields[at])
		}
	}
	return t.cells, nil
}

// split cuts a line at its commas.
func (t *csvTable) split(line string) ([]string, error) {
	t.fields = t.fields[:0]
	if !strings.Contains(line, `"`) {
		for field := range strings.SplitSeq(line, ",") {
			t.fields = append(t.fields, field)
		}
		return t.fields, nil
	}
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, t.lines.mistake("%w: correct the row", err)
	}
	return fields, nil
}

// jsonTable reads a JSON object per line. A column is a key, or a path as gjson has them: usage.prompt_tokens.
type jsonTable struct {
	lines   *lineReader
	columns []column
	cells   []string
}

func newJSONTable(lines *lineReader, columns []column) *jsonTable {
	return &jsonTable{lines: lines, columns: columns, cells: make([]string, len(columns))}
}

func (t *jsonTable) next() ([]string, error) {
	line, err := t.lines.next()
	if err != nil {
		return nil, err
	}
	if !gjson.ValidBytes(line) {
		if !t.lines.ended {
			return nil, t.lines.mistake("the last line is cut off, or not JSON: complete or remove it")
		}
		return nil, t.lines.mistake("not JSON: %q: a row is one JSON object on a line", clip(string(line)))
	}
	row := gjson.ParseBytes(line)
	if !row.IsObject() {
		return nil, t.lines.mistake("%q is no JSON object: a row is one JSON object on a line", clip(string(line)))
	}
	for i, c := range t.columns {
		t.cells[i] = ""
		if c.name == "" {
			continue
		}
		v := row.Get(c.name)
		switch v.Type {
		case gjson.Null: // or not there
			if !c.optional {
				return nil, t.lines.mistake("no %s in %q: complete or remove the row", clip(c.name), clip(string(line)))
			}
		case gjson.String:
			t.cells[i] = v.Str
		default:
			t.cells[i] = v.Raw
		}
	}
	return t.cells, nil
}
