package workload

import (
	"bytes"
	"compress/gzip"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// TestTraceFormats: each published format is known by its first line and gives the rows that its file states.
func TestTraceFormats(t *testing.T) {
	const second = time.Second
	cases := []struct {
		name, text string
		options    Trace
		format     string
		want       []TraceRow
	}{
		{"BurstGPT 1", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,1087,0,1087,API log\n", Trace{}, "burstgpt",
			[]TraceRow{{Line: 2, At: 5 * second, Input: 472, Output: 18}, {Line: 3, At: 45 * second, Input: 1087}}},
		{"BurstGPT 3: two columns more", "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n5.25,s1,1.5,ChatGPT,472,18,490,Conversation log\n45,,2,GPT-4,1087,230,1317,API log\n", Trace{}, "burstgpt",
			[]TraceRow{{Line: 2, At: 5250 * time.Millisecond, Input: 472, Output: 18, Session: "s1"}, {Line: 3, At: 45 * second, Input: 1087, Output: 230}}},
		{"Mooncake", `{"timestamp": 0, "input_length": 600, "output_length": 52, "hash_ids": [46, 47]}` + "\r\n" +
			`{"hash_ids": [46], "output_length": 1, "input_length": 512, "timestamp": 3001}`, Trace{}, "mooncake",
			[]TraceRow{{Line: 1, Input: 600, Output: 52, Blocks: []uint64{46, 47}}, {Line: 2, At: 3001 * time.Millisecond, Input: 512, Output: 1, Blocks: []uint64{46}}}},
		{"Qwen-Bailian", `{"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 20, "output_length": 5, "type": "text", "turn": 1, "hash_ids": [1, 2]}
{"chat_id": 2, "parent_chat_id": 1, "timestamp": 62, "input_length": 30, "output_length": 5, "type": "text", "turn": 2, "hash_ids": [1, 2]}
{"chat_id": 3, "parent_chat_id": 2, "timestamp": 63, "input_length": 40, "output_length": 5, "type": "text", "turn": 3}
{"chat_id": 9, "parent_chat_id": 8, "timestamp": 63, "input_length": 31, "output_length": 5, "type": "text", "turn": 7, "hash_ids": [5]}
`, Trace{}, "bailian",
			[]TraceRow{
				{Line: 1, At: 61114 * time.Millisecond, Input: 20, Output: 5, Session: "1", Chat: "1", Turn: 1, Blocks: []uint64{1, 2}},
				{Line: 2, At: 62 * second, Input: 30, Output: 5, Session: "1", Chat: "2", Parent: "1", Turn: 2, Blocks: []uint64{1, 2}},
				{Line: 3, At: 63 * second, Input: 40, Output: 5, Session: "1", Chat: "3", Parent: "2", Turn: 3},
				{Line: 4, At: 63 * second, Input: 31, Output: 5, Session: "8", Chat: "9", Parent: "8", Turn: 7, Blocks: []uint64{5}},
			}},
		{"CSV in microseconds", "in,t,out\n7,1500001,8\n", Trace{Format: "csv", Columns: &TraceColumns{Time: "t", Unit: "us", Input: "in", Output: "out"}}, "csv",
			[]TraceRow{{Line: 2, At: 1500001 * time.Microsecond, Input: 7, Output: 8}}},
		{"CSV of arrivals alone", "t\n1\n1.000000001\n", Trace{Format: "csv", Columns: &TraceColumns{Time: "t"}}, "csv",
			[]TraceRow{{Line: 2, At: second, Input: -1, Output: -1}, {Line: 3, At: second + 1, Input: -1, Output: -1}}},
		{"JSONL with groups", `{"at": "2024-05-10T00:00:00.5Z", "usage": {"prompt": 7, "completion": 8}, "user": "u"}`,
			Trace{Format: "jsonl", Columns: &TraceColumns{Time: "at", Unit: "rfc3339", Input: "usage.prompt", Output: "usage.completion", Session: "user"}}, "jsonl",
			[]TraceRow{{Line: 1, At: time.Duration(time.Date(2024, 5, 10, 0, 0, 0, 5e8, time.UTC).UnixNano()), Input: 7, Output: 8, Session: "u"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, packed := range []string{c.text, packGzip(t, c.text), packZstd(t, c.text)} {
				f, err := newTraceFile(strings.NewReader(packed), &c.options)
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				if f.Format() != c.format {
					t.Errorf("format %s", f.Format())
				}
				rows, err := readAll(packed, c.options)
				if err != nil {
					t.Fatal(err)
				}
				for i := range rows {
					if reason := rows[i].unusable(); (reason != "") != (rows[i].Output == 0) {
						t.Errorf("row %d: %q", i, reason)
					}
					if len(rows[i].Blocks) == 0 {
						rows[i].Blocks = nil
					}
				}
				if !reflect.DeepEqual(rows, c.want) {
					t.Errorf("rows %+v\nwant %+v", rows, c.want)
				}
			}
		})
	}
}

func packGzip(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func packZstd(t testing.TB, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// TestTraceFormatErrors: malformed files of every format give an error that names file and line, and what to do.
func TestTraceFormatErrors(t *testing.T) {
	const burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
	const moon = `{"timestamp": 0, "input_length": 600, "output_length": 52, "hash_ids": [46, 47]}` + "\n"
	generic := Trace{Format: "csv", Columns: &TraceColumns{Time: "t", Unit: "ms", Input: "in", Output: "out"}}
	cases := []struct {
		name, text string
		options    Trace
		want       string
	}{
		{"unknown", "a,b\n1,2\n", Trace{}, `t.csv: cannot tell the format by its first line "a,b": give format, one of azure, burstgpt, mooncake, bailian, servegen, csv, jsonl; csv and jsonl with columns`},
		{"empty", "", Trace{}, `t.csv: cannot tell the format by its first line ""`},
		{"BurstGPT, column missing", "Timestamp,Model,Request tokens\n", Trace{}, `t.csv:1: no column Response tokens in the header "Timestamp,Model,Request tokens": a burstgpt trace has the columns Timestamp,Request tokens,Response tokens`},
		{"BurstGPT, negative time", burst + "-5,a,1,1,2,x\n", Trace{}, "t.csv:2: Timestamp is -5, before the trace's time 0: add the same number to all times"},
		{"BurstGPT, unsorted", burst + "5,a,1,1,2,x\n\n4,a,1,1,2,x\n", Trace{}, "t.csv:4: time 4 is before that of line 2: sort the rows by time"},
		{"BurstGPT, NaN", burst + "NaN,a,1,1,2,x\n", Trace{}, `t.csv:2: Timestamp is "NaN", want a number of s; correct or remove the row`},
		{"BurstGPT, far future", burst + "1e300,a,1,1,2,x\n", Trace{}, "t.csv:2: Timestamp is 1e300 s, more than 230 years: correct the row, or the unit"},
		{"BurstGPT, 1e9 tokens", burst + "5,a,1000000000,1,2,x\n", Trace{}, "t.csv:2: Request tokens is 1000000000, more than 100000000: that is no token count; correct or remove the row"},
		{"BurstGPT, cut off", burst + "5,a,1,1,2,x\n6,a,1,", Trace{}, "t.csv:3: the last line is cut off: complete or remove it"},
		{"BurstGPT, then JSON", burst + moon, Trace{}, `t.csv:2: bare " in non-quoted-field: correct the row`},
		{"Mooncake, cut off", moon + `{"timestamp": 1, "input_le`, Trace{}, "t.csv:2: the last line is cut off, or not JSON: complete or remove it"},
		{"Mooncake, broken inside", moon + "{\"timestamp\": 1,\n" + moon, Trace{}, `t.csv:2: not JSON: "{\"timestamp\": 1,": a row is one JSON object on a line`},
		{"Mooncake, then CSV", moon + "5,a,1,1,2,x\n", Trace{}, `t.csv:2: not JSON: "5,a,1,1,2,x": a row is one JSON object on a line`},
		{"Mooncake, a number", moon + "5\n", Trace{}, `t.csv:2: "5" is no JSON object: a row is one JSON object on a line`},
		{"Mooncake, key missing", moon + `{"timestamp": 1, "input_length": 1, "hash_ids": []}` + "\n", Trace{}, `t.csv:2: no output_length in "{\"timestamp\": 1, \"input_length\": 1, \"hash_ids\": []}": complete or remove the row`},
		{"Mooncake, NaN", moon + `{"timestamp": NaN, "input_length": 1, "output_length": 1, "hash_ids": []}` + "\n", Trace{}, `t.csv:2: not JSON: `},
		{"Mooncake, negative block", strings.Replace(moon, "46", "-46", 1), Trace{}, `t.csv:1: hash_ids holds "-46", want whole numbers, 0 or more; correct or remove the row`},
		{"Mooncake, no list", strings.Replace(moon, "[46, 47]", "7", 1), Trace{}, `t.csv:1: hash_ids is "7", want a list of block ids such as [0, 1, 2]; correct or remove the row`},
		{"Mooncake, half a token", strings.Replace(moon, "600", "600.5", 1), Trace{}, `t.csv:1: input_length is "600.5", want a whole number of tokens, 0 or more; correct or remove the row`},
		{"Bailian, half a turn", `{"chat_id": 1, "timestamp": 1, "input_length": 2, "output_length": 5, "turn": 0.5, "hash_ids": [1, 2]}`, Trace{}, `t.csv:1: turn is "0.5", want a whole number`},
		{"CSV without columns", "t,in,out\n", Trace{Format: "csv"}, "columns.time is missing: name the column that holds the time, such as {time: ts, unit: s}"},
		{"CSV, column missing", "t,in\n", generic, `t.csv:1: no column out in the header "t,in": a csv trace has the columns t,in,out`},
		{"CSV, another unit", "t,in,out\n2023-01-01 00:00:00,1,1\n", generic, `t.csv:2: t is "2023-01-01 00:00:00", want a number of ms; correct or remove the row`},
		{"gzip, cut off", packGzip(t, burst+strings.Repeat("5,a,1,1,2,x\n", 100))[:60], Trace{Format: "burstgpt"}, "t.csv is cut off after line 0: its compressed data end early; fetch the file again"},
		{"a line without end", burst + strings.Repeat("x", maxLine+1), Trace{}, "read t.csv after line 1: line 2 is longer than 16 MiB: a trace has one row per line"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(c.text, c.options)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestTimeNumbers: times are read without a rounding in between.
func TestTimeNumbers(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "5": 5 * time.Second, "+5.": 5 * time.Second, ".5": time.Second / 2, "-0.25": -time.Second / 4, "1.2345678919": 1234567891,
		"1700158546.680590001": 1700158546680590001, "1.5e3": 1500 * time.Second, "99999999999999999999": 9.2e18, "9999999999999999": math.MaxInt64, "-1e300": -9.2e18,
	} {
		if got, err := decimal(text, time.Second); err != nil || got != want {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "NaN", "inf", "1.2.3", "0x10", "1_000", "--1"} {
		if got, err := decimal(text, time.Second); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// checkProfile holds the account of a profile.
func checkProfile(t *testing.T, p *TraceProfile) {
	t.Helper()
	sum, drawn := p.Used, int64(0)
	for _, n := range p.Dropped {
		sum += n
	}
	for _, n := range p.Timeline.Counts {
		drawn += n
	}
	if sum != p.Rows || drawn != int64(p.Used) {
		t.Fatalf("%d rows, %d used and dropped, %d drawn", p.Rows, sum, drawn)
	}
}
