package workload

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Why a row of a trace was not used.
const (
	DropBefore   = "before from"    // skipped by the trace's option from
	DropAfter    = "after the end"  // at or after the block's horizon
	DropThinned  = "thinned"        // left out by the option thin
	DropNoInput  = "no input token" // the recorded request had none: it failed, or was never served
	DropNoOutput = "no output token"
)

// maxTokens is the largest token count that a trace may hold: a larger one is an error in the file.
const maxTokens = 100_000_000

// traceRow is one recorded request.
type traceRow struct {
	line          int // in the file, from 1
	at            time.Time
	input, output int
}

// azureColumns are the names of the columns that are read, in the order of traceRow.
var azureColumns = [3]string{"TIMESTAMP", "ContextTokens", "GeneratedTokens"}

// azureReader reads the Azure LLM inference traces of 2023 (no zone, 7-digit fractions, CRLF) and 2024 (microseconds
// and a zone): a CSV file whose columns are found by name, with rows in the order of time. Errors name file and line.
type azureReader struct {
	csv    *csv.Reader
	name   string
	column [3]int // where each of azureColumns is
	zoned  *bool  // whether times carry a zone, as the first row says
	last   traceRow
}

// newAzureReader reads the header. name is what errors call the file.
func newAzureReader(r io.Reader, name string) (*azureReader, error) {
	a := &azureReader{csv: csv.NewReader(r), name: name}
	a.csv.ReuseRecord = true
	a.csv.FieldsPerRecord = 0 // every row has as many fields as the header
	header, err := a.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty: it should begin with the header %s", name, strings.Join(azureColumns[:], ","))
	}
	if err != nil {
		return nil, a.wrap(err)
	}
	line, _ := a.csv.FieldPos(0)
	for i, want := range azureColumns {
		a.column[i] = -1
		for j, got := range header {
			got = strings.TrimSpace(strings.TrimPrefix(got, "\ufeff"))
			if !strings.EqualFold(got, want) {
				continue
			}
			if a.column[i] >= 0 {
				return nil, fmt.Errorf("%s:%d: column %s stands twice: rename one of them", name, line, want)
			}
			a.column[i] = j
		}
		if a.column[i] < 0 {
			return nil, fmt.Errorf("%s:%d: no column %s in the header %q: an azure trace has the columns %s",
				name, line, want, clip(strings.Join(header, ",")), strings.Join(azureColumns[:], ","))
		}
	}
	return a, nil
}

// next returns the next row, or io.EOF.
func (a *azureReader) next() (traceRow, error) {
	fields, err := a.csv.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return traceRow{}, io.EOF
		}
		return traceRow{}, a.wrap(err)
	}
	row := traceRow{}
	row.line, _ = a.csv.FieldPos(0)
	if row.at, err = a.time(fields[a.column[0]]); err == nil {
		row.input, err = tokens(fields[a.column[1]])
		if err != nil {
			err = fmt.Errorf("%s %w", azureColumns[1], err)
		} else if row.output, err = tokens(fields[a.column[2]]); err != nil {
			err = fmt.Errorf("%s %w", azureColumns[2], err)
		}
	}
	if err == nil && row.at.Before(a.last.at) {
		err = fmt.Errorf("time %s is before that of line %d: sort the rows by time", clip(fields[a.column[0]]), a.last.line)
	}
	if err != nil {
		return traceRow{}, fmt.Errorf("%s:%d: %w", a.name, row.line, err)
	}
	a.last = row
	return row, nil
}

// time reads a time with or without a zone. Without, it counts as UTC; only differences are used.
func (a *azureReader) time(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	zoned := true
	at, err := time.Parse("2006-01-02 15:04:05Z07:00", text)
	if err != nil {
		zoned = false
		at, err = time.Parse("2006-01-02 15:04:05", text)
	}
	if err != nil || at.Year() < 1970 || at.Year() > 2200 {
		return at, fmt.Errorf("%s is %q, want a time such as 2023-11-16 18:15:46.6805900 or 2024-05-10 00:00:00.009930+00:00",
			azureColumns[0], clip(text))
	}
	if a.zoned == nil {
		a.zoned = &zoned
	}
	if *a.zoned != zoned {
		return at, fmt.Errorf("time %s: either all times of a trace carry a zone or none does", clip(text))
	}
	return at, nil
}

// tokens reads a token count.
func tokens(text string) (int, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && n > maxTokens:
		return 0, fmt.Errorf("is %s, more than %d: that is no token count; correct or remove the row", clip(text), maxTokens)
	case err != nil || n < 0:
		return 0, fmt.Errorf("is %q, want a whole number of tokens, 0 or more; correct or remove the row", clip(text))
	}
	return int(n), nil
}

// wrap gives an error of the CSV reader the form of ours.
func (a *azureReader) wrap(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return fmt.Errorf("read %s: %w", a.name, err)
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return fmt.Errorf("%s:%d: another number of fields than in the header: complete or remove the row", a.name, parse.Line)
	}
	return fmt.Errorf("%s:%d: %w: correct the row", a.name, parse.Line, parse.Err)
}

// clip keeps an error message readable whatever the file holds.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

// hashReader passes a file on and digests it on the way.
type hashReader struct {
	io.Reader
	sum func() string
}

func hashing(r io.Reader) hashReader {
	h := sha256.New()
	return hashReader{Reader: io.TeeReader(r, h), sum: func() string { return hex.EncodeToString(h.Sum(nil)) }}
}
