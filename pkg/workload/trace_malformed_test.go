package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// malformedFormat is a format, and how each of its rows is written.
type malformedFormat struct {
	name    string
	options Trace
	header  string
	// row writes a row; times in the format's own unit.
	row    func(time, input, output string) string
	times  [3]string // ascending
	absent string    // a file without the column of the outputs
}

func malformedFormats() []malformedFormat {
	const day = "2023-11-16 18:15:4"
	comma := func(time, input, output string) string { return time + "," + input + "," + output }
	return []malformedFormat{
		{"azure", Trace{Format: "azure"}, "TIMESTAMP,ContextTokens,GeneratedTokens\n", comma, [3]string{day + "6.5", day + "7", day + "8"},
			"TIMESTAMP,ContextTokens\n" + day + "6,1\n"},
		{"burstgpt", Trace{Format: "burstgpt"}, "Timestamp,Model,Request tokens,Response tokens\n", func(t, in, out string) string { return t + ",GPT," + in + "," + out },
			[3]string{"5", "6", "7"}, "Timestamp,Model,Request tokens\n5,GPT,1\n"},
		{"mooncake", Trace{Format: "mooncake"}, "", func(t, in, out string) string {
			return fmt.Sprintf(`{"timestamp": %s, "input_length": %s, "output_length": %s, "hash_ids": [0]}`, t, in, out)
		}, [3]string{"0", "1000", "2000"}, `{"timestamp": 0, "input_length": 1, "hash_ids": [0]}` + "\n"},
		{"bailian", Trace{Format: "bailian"}, "", func(t, in, out string) string {
			return fmt.Sprintf(`{"chat_id": 1, "parent_chat_id": -1, "timestamp": %s, "input_length": %s, "output_length": %s, "turn": 1, "hash_ids": [0]}`, t, in, out)
		}, [3]string{"0", "1.5", "2"}, `{"chat_id": 1, "timestamp": 0, "input_length": 1, "turn": 1, "hash_ids": [0]}` + "\n"},
		{"csv", csvOptions, "t,in,out,s\n", func(t, in, out string) string { return t + "," + in + "," + out + ",a" }, [3]string{"100", "200", "300"}, "t,in,s\n1,1,a\n"},
		{"jsonl", jsonlOptions, "", func(t, in, out string) string {
			return fmt.Sprintf(`{"t": %q, "u": {"in": %s, "out": %s}}`, t, in, out)
		}, [3]string{"2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "2024-01-01T00:00:02Z"}, `{"t": "2024-01-01T00:00:00Z", "u": {"in": 1}}` + "\n"},
	}
}

// malformed are the ways in which a file of a format can be wrong.
func (m malformedFormat) malformed(t *testing.T) map[string]string {
	row := func(i int, in, out string) string { return m.row(m.times[i], in, out) + "\n" }
	whole := m.header + row(0, "5", "6") + row(1, "7", "8") + row(2, "9", "10")
	other := moonSeed
	if strings.HasPrefix(whole, "{") {
		other = burstSeed
	}
	cases := map[string]string{
		"empty":                    "",
		"missing column":           m.absent,
		"unsorted times":           m.header + row(1, "5", "6") + row(0, "5", "6"),
		"negative time":            m.header + m.row("-1", "5", "6") + "\n",
		"time NaN":                 m.header + m.row("NaN", "5", "6") + "\n",
		"time missing":             m.header + m.row("", "5", "6") + "\n",
		"negative tokens":          m.header + row(0, "-5", "6"),
		"1e9 tokens":               m.header + row(0, "1000000000", "6"),
		"tokens in digits of 1e9":  m.header + row(0, "1e9", "6"),
		"tokens NaN":               m.header + row(0, "5", "NaN"),
		"tokens missing":           m.header + row(0, "", "6"),
		"another format behind":    whole + other,
		"last line cut off":        whole[:len(whole)-len(row(2, "9", "10"))+len(m.row(m.times[2], "9", "10"))/2],
		"binary":                   "\x7fELF\x02\x01\x01\x00\x00\n\x00\xff",
		"binary behind the header": m.header + "\x00\x01\x02\xff\n",
		"gzip, cut off":            packGzip(t, whole)[:20],
		"gzip, wrong checksum":     flip(packGzip(t, whole), -6),
		"gzip by its first bytes":  "\x1f\x8b" + whole,
		"zstd, cut off":            packZstd(t, whole)[:20],
		"zstd, wrong checksum":     flip(packZstd(t, whole), -1),
		"zstd by its first bytes":  "\x28\xb5\x2f\xfd" + whole,
		"bzip2":                    "BZh91AY&SY" + strings.Repeat("\x95\x03", 40),
		"zip":                      "PK\x03\x04\x14\x00\x08",
		"Parquet":                  "PAR1\x15\x04\x15",
		"packed twice":             packGzip(t, packGzip(t, whole)),
	}
	return cases
}

// flip changes a byte, counted from the end.
func flip(s string, at int) string {
	b := []byte(s)
	b[len(b)+at] ^= 0x55
	return string(b)
}

// TestMalformedTraces holds what each reader says of each kind of malformed file against a golden file, to the letter.
func TestMalformedTraces(t *testing.T) {
	var got strings.Builder
	for _, m := range malformedFormats() {
		cases := m.malformed(t)
		names := make([]string, 0, len(cases))
		for name := range cases {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			_, err := readAll(cases[name], m.options)
			if err == nil {
				t.Errorf("%s, %s: no error", m.name, name)
				continue
			}
			if !errorPlace.MatchString(err.Error()) {
				t.Errorf("%s, %s: %v: it does not say where", m.name, name, err)
			}
			fmt.Fprintf(&got, "%-9s %-24s  %s\n", m.name, name, err)
		}
	}
	golden(t, "testdata/malformed.golden", got.String())
}

// TestZeroTokensAreCounted: rows of no tokens are well formed, and no requests: each format's replay drops and counts them.
// Packed files are read by their content, whatever their name.
func TestZeroTokensAreCounted(t *testing.T) {
	for _, m := range malformedFormats() {
		dir := t.TempDir()
		text := m.header + m.row(m.times[0], "5", "6") + "\n" + m.row(m.times[1], "0", "6") + "\n" + m.row(m.times[1], "5", "0") + "\n" + m.row(m.times[2], "0", "0") + "\n" + m.row(m.times[2], "3", "4") + "\n"
		measure := map[string]Duration{"mooncake": ms(2000), "bailian": ms(2000), "csv": ms(200), "azure": ms(1500), "burstgpt": ms(2000), "jsonl": ms(2000)}[m.name]
		for name, text := range map[string]string{"plain": text, "plain.gz": text, "zipped": packGzip(t, text), "squeezed.gz": packZstd(t, text)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			trace := m.options
			trace.Path = name
			s, err := NewSchedule(&Scenario{Dir: dir, Phases: Phases{Measure: measure}, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}}})
			if err != nil {
				t.Errorf("%s, %s: %v", m.name, name, err)
				continue
			}
			checkReplay(t, s)
			d := s.Trace.Dropped
			if s.Trace.Rows != 5 || d[DropNoInput] != 1 || d[DropNoOutput] != 1 || d[DropAfter] != 2 {
				t.Errorf("%s, %s: %d rows, dropped %v", m.name, name, s.Trace.Rows, d)
			}
		}
	}
}
