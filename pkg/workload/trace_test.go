package workload

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// readAll reads every row of a trace with these options.
func readAll(text string, t Trace) ([]TraceRow, error) {
	t.Path = "t.csv"
	f, err := newTraceFile(strings.NewReader(text), &t)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []TraceRow
	for {
		row, err := f.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row.Blocks = slices.Clone(row.Blocks)
		rows = append(rows, row)
	}
}

// azure reads every row of an Azure trace.
func azure(text string) ([]TraceRow, error) { return readAll(text, Trace{Format: "azure"}) }

// TestTraceForms: every form of the format gives the same rows.
func TestTraceForms(t *testing.T) {
	forms := map[string]string{
		"2023, CRLF, no newline at the end": "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109",
		"2023, LF":                          "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n",
		"2024, a zone":                      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.680590+00:00,374,44\n2023-11-16 18:15:50.995169+00:00,396,109\n",
		"another zone, spelled twice":       "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 20:15:46.680590+02:00,374,44\n2023-11-16 18:15:50.995169Z,396,109\n",
		"other columns, another order":      "GeneratedTokens,x,TIMESTAMP,y,ContextTokens\n44,,2023-11-16 18:15:46.68059,a,374\n109,,2023-11-16 18:15:50.995169,b,396\n",
		"byte order mark, spaces, quotes":   "\ufeffTIMESTAMP, ContextTokens ,generatedtokens\n\"2023-11-16 18:15:46.68059\", 374,44 \n\n2023-11-16 18:15:50.995169,396,109\n",
	}
	for name, text := range forms {
		t.Run(name, func(t *testing.T) {
			rows, err := azure(text)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 2 || rows[0].Input != 374 || rows[0].Output != 44 || rows[1].Input != 396 || rows[1].Output != 109 {
				t.Fatalf("rows %+v", rows)
			}
			first := time.Date(2023, 11, 16, 18, 15, 46, 680_590_000, time.UTC)
			if rows[0].At != time.Duration(first.UnixNano()) || rows[1].At-rows[0].At != 4314579*time.Microsecond {
				t.Errorf("times %v and %v", rows[0].At, rows[1].At)
			}
		})
	}
	// A fraction of 7 digits is 100 ns.
	rows, err := azure("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.1234567,1,1\n")
	if err != nil || rows[0].At%time.Second != 123_456_700 {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestTraceErrors: a wrong file gives an error that names file and line, what was found and what to do.
func TestTraceErrors(t *testing.T) {
	const header = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
	const row = "2023-11-16 18:15:46.6805900,374,44\r\n"
	cases := []struct{ name, text, want string }{
		{"empty", "", "t.csv is empty: it should begin with the header TIMESTAMP,ContextTokens,GeneratedTokens"},
		{"no header", row + row, `t.csv:1: no column TIMESTAMP in the header "2023-11-16 18:15:46.6805900,374,44": an azure trace has the columns TIMESTAMP,ContextTokens,GeneratedTokens`},
		{"missing column", "TIMESTAMP,ContextTokens\r\n", `t.csv:1: no column GeneratedTokens in the header "TIMESTAMP,ContextTokens": an azure trace has the columns TIMESTAMP,ContextTokens,GeneratedTokens`},
		{"column twice", "TIMESTAMP,ContextTokens,GeneratedTokens,TIMESTAMP\r\n", "t.csv:1: column TIMESTAMP stands twice: rename one of them"},
		{"unsorted", header + row + "2023-11-16 18:15:46.6805899,1,1\r\n", "t.csv:3: time 2023-11-16 18:15:46.6805899 is before that of line 2: sort the rows by time"},
		{"negative", header + row + "2023-11-16 18:15:47,-5,1\r\n", `t.csv:3: ContextTokens is "-5", want a whole number of tokens, 0 or more; correct or remove the row`},
		{"NaN", header + "2023-11-16 18:15:47,5,NaN\r\n", `t.csv:2: GeneratedTokens is "NaN", want a whole number of tokens, 0 or more; correct or remove the row`},
		{"fraction", header + "2023-11-16 18:15:47,5.0,1\r\n", `t.csv:2: ContextTokens is "5.0", want a whole number of tokens, 0 or more; correct or remove the row`},
		{"nothing", header + "2023-11-16 18:15:47,,1\r\n", `t.csv:2: ContextTokens is "", want a whole number of tokens, 0 or more; correct or remove the row`},
		{"huge", header + "2023-11-16 18:15:47,5,100000001\r\n", "t.csv:2: GeneratedTokens is 100000001, more than 100000000: that is no token count; correct or remove the row"},
		{"larger than an integer", header + "2023-11-16 18:15:47,99999999999999999999,1\r\n", "t.csv:2: ContextTokens is 99999999999999999999, more than 100000000: that is no token count; correct or remove the row"},
		{"seconds", header + "1700158546.68,5,1\r\n", `t.csv:2: TIMESTAMP is "1700158546.68", want a time such as 2023-11-16 18:15:46.6805900 or 2024-05-10 00:00:00.009930+00:00`},
		{"year 1", header + "0001-01-01 00:00:00,5,1\r\n", `t.csv:2: TIMESTAMP is "0001-01-01 00:00:00", want a time such as 2023-11-16 18:15:46.6805900 or 2024-05-10 00:00:00.009930+00:00`},
		{"32nd", header + "2023-11-32 00:00:00,5,1\r\n", `t.csv:2: TIMESTAMP is "2023-11-32 00:00:00", want a time such as 2023-11-16 18:15:46.6805900 or 2024-05-10 00:00:00.009930+00:00`},
		{"a zone here only", header + row + "2023-11-16 18:15:47+00:00,5,1\r\n", "t.csv:3: time 2023-11-16 18:15:47+00:00: either all times of a trace carry a zone or none does"},
		{"short row", header + row + "2023-11-16 18:15:47,5\r\n", "t.csv:3: another number of fields than in the header: complete or remove the row"},
		{"long row", header + row + "2023-11-16 18:15:47,5,1,1\r\n", "t.csv:3: another number of fields than in the header: complete or remove the row"},
		{"open quote", header + row + "\"2023-11-16 18:15:47,5,1\r\n", `t.csv:3: extraneous or missing " in quoted-field: correct the row`},
		{"quote inside", header + "2023-11\"-16 18:15:47,5,1\r\n", `t.csv:2: bare " in non-quoted-field: correct the row`},
		{"binary", header + strings.Repeat("\x00\xff", 500) + ",1,1\r\n", `t.csv:2: TIMESTAMP is "\x00` /* and so on, cut */},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := azure(c.text)
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != c.want && !(c.name == "binary" && strings.HasPrefix(got, c.want) && len(got) < 600) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestTraceReadError: an error of the disk is passed on.
func TestTraceReadError(t *testing.T) {
	broken := errors.New("disk on fire")
	text := "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n"
	r, err := newTraceFile(io.MultiReader(strings.NewReader(text), failing{broken}), &Trace{Path: "t.csv"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
