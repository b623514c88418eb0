package workload

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textRows are the lines of a file, each a prompt. Lines of blanks are none.
type textRows struct{ *lineReader }

func (t *textRows) place() string { return fmt.Sprintf("%s:%d", t.name, t.line) }
func (t *textRows) close()        {}

func (t *textRows) next(row *rawRow) error {
	for {
		line, err := t.lineReader.next()
		if err != nil {
			return err
		}
		if !utf8.Valid(line) {
			return fmt.Errorf("%s: not in UTF-8: convert the file", t.place())
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			row.texts[promptColumn], row.has[promptColumn] = string(line), true
			return nil
		}
	}
}

// csvRows are the rows of a CSV file with a header. A cell may hold line ends within quotes.
type csvRows struct {
	name string
	in   *rowLimiter
	csv  *csv.Reader
	line int
	at   [dataColumns]int // of each column, or -1
}

func openCSV(f *dataFile, d *Dataset) (dataRows, *dataFormat, error) {
	f.skipMark()
	r := &csvRows{name: f.name, in: &rowLimiter{r: f.text}}
	r.csv = csv.NewReader(r.in)
	r.csv.ReuseRecord = true
	header, err := r.read()
	if errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("%s is empty: it should begin with a header", f.name)
	}
	if err != nil {
		return nil, nil, err
	}
	keys := slices.Clone(header)
	for i := range keys {
		keys[i] = strings.TrimSpace(keys[i])
	}
	format, err := dataFormatOf(d, keys, r.place())
	if err != nil {
		return nil, nil, err
	}
	format.file = "csv"
	for column, names := range format.columns {
		if r.at[column] = -1; dataColumn(column) != messagesColumn {
			r.at[column] = firstOf(names, keys)
		}
	}
	if r.at[promptColumn] < 0 {
		return nil, nil, fmt.Errorf("%s: no column holds a prompt: the header has %s: name it, such as columns: {prompt: %s}", r.place(), keyList(keys), example(keys))
	}
	return r, format, nil
}

// firstOf is where the first of the names is that is a key, or -1.
func firstOf(names, keys []string) int {
	for _, name := range names {
		if at := slices.Index(keys, name); at >= 0 {
			return at
		}
	}
	return -1
}

// read gives the cells of the next row.
func (r *csvRows) read() ([]string, error) {
	r.in.again()
	cells, err := r.csv.Read()
	var wrong *csv.ParseError
	switch {
	case err != nil && r.in.left <= 0:
		return nil, fmt.Errorf("%s: the row after line %d: %w", r.name, r.line, errLongRow)
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("%s:%d: %w: correct the row", r.name, wrong.StartLine, wrong.Err)
	case errors.Is(err, io.EOF):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("read %s after line %d: %w", r.name, r.line, err)
	}
	r.line, _ = r.csv.FieldPos(0)
	for _, c := range cells {
		if !utf8.ValidString(c) {
			return nil, fmt.Errorf("%s: not in UTF-8: convert the file", r.place())
		}
	}
	return cells, nil
}

func (r *csvRows) place() string { return fmt.Sprintf("%s:%d", r.name, r.line) }
func (r *csvRows) close()        {}

func (r *csvRows) next(row *rawRow) error {
	cells, err := r.read()
	if err != nil {
		return err
	}
	for column, at := range r.at {
		if at < 0 {
			continue
		}
		row.has[column] = true
		switch cell := cells[at]; dataColumn(column) {
		case maxTokensColumn:
			if blank(cell) {
				continue
			}
			if row.maxTokens, err = strconv.Atoi(strings.TrimSpace(cell)); err != nil || row.maxTokens < 1 || row.maxTokens > longest {
				return fmt.Errorf("%s: max_tokens is %s: want 1 to %d, or an empty cell", r.place(), clip(cell), longest)
			}
		case answerColumn:
			row.setAnswer(cell)
		default:
			row.texts[column] = strings.Clone(cell) // a cell is a part of its whole row
		}
	}
	return nil
}

// setAnswer takes a recorded answer that is written as text, or its length written in digits.
func (r *rawRow) setAnswer(text string) {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n > 0 && n <= longest {
		r.answer = n
		return
	}
	r.texts[answerColumn] = text
}
