package workload

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// One fuzz target for each reader of traces. Whatever a file holds, there is an error that names the file, and the line where
// one is to blame, or rows in the order of time whose account adds up. (ServeGen's is FuzzServeGen.)

const (
	azureSeed   = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109"
	burstSeed   = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens\n5.25,s1,1.5,\"a,b\",472,18\n45,,2,G,1,230"
	moonSeed    = `{"timestamp": 0, "input_length": 600, "output_length": 52, "hash_ids": [46, 47]}` + "\n" + `{"timestamp": 3000, "input_length": 600, "output_length": 0, "hash_ids": [46]}` + "\n"
	bailianSeed = `{"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.5, "input_length": 30, "output_length": 5, "turn": 1, "hash_ids": [1]}` + "\n" +
		`{"chat_id": 2, "parent_chat_id": 1, "timestamp": 62, "input_length": 30, "output_length": 5, "turn": 2, "hash_ids": [1, 2]}` + "\n"
	csvSeed   = "t,in,out,s\n1,2,3,a\n2,3,4,b\n"
	jsonlSeed = `{"t": "2024-01-01T00:00:00Z", "u": {"in": 2, "out": 1}}` + "\n" + `{"t": "2024-01-01T00:00:01Z", "u": {"in": 2, "out": 1e300}}`
)

var (
	csvOptions   = Trace{Format: "csv", Columns: &TraceColumns{Time: "t", Unit: "ms", Input: "in", Output: "out", Session: "s"}}
	jsonlOptions = Trace{Format: "jsonl", Columns: &TraceColumns{Time: "t", Unit: "rfc3339", Input: "u.in", Output: "u.out"}}
)

func FuzzAzure(f *testing.F) {
	excerpt, err := os.ReadFile(filepath.Join("testdata", "traces", excerpt))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(excerpt[:300])
	fuzzReader(f, Trace{Format: "azure"}, azureSeed, "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,1,0\n")
}

func FuzzBurstGPT(f *testing.F) {
	fuzzReader(f, Trace{Format: "burstgpt"}, burstSeed, "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n")
}

func FuzzMooncake(f *testing.F) { fuzzReader(f, Trace{Format: "mooncake"}, moonSeed) }

func FuzzBailian(f *testing.F) { fuzzReader(f, Trace{Format: "bailian"}, bailianSeed) }

func FuzzCSV(f *testing.F) { fuzzReader(f, csvOptions, csvSeed, "out,t,in,s\n3,\"1e3\",2,\n") }

func FuzzJSONL(f *testing.F) { fuzzReader(f, jsonlOptions, jsonlSeed) }

// FuzzDetect: the format is told by the content.
func FuzzDetect(f *testing.F) {
	fuzzReader(f, Trace{}, azureSeed, burstSeed, moonSeed, bailianSeed, "0,5,1,Gamma,1,1\n", "a,b\n")
}

// FuzzGzip: besides, a packed file gives what the plain one does.
func FuzzGzip(f *testing.F) { fuzzPacked(f, packGzip, "\x1f\x8b\x08\x00\x00\x00\x00\x00") }

// FuzzZstd is FuzzGzip for zstd.
func FuzzZstd(f *testing.F) { fuzzPacked(f, packZstd, "\x28\xb5\x2f\xfd\x00\x00") }

func fuzzReader(f *testing.F, options Trace, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) { readWhatever(t, text, options) })
}

func fuzzPacked(f *testing.F, pack func(testing.TB, string) string, magic string) {
	f.Helper()
	f.Add([]byte(magic))
	for _, s := range []string{azureSeed, burstSeed, moonSeed, csvSeed} {
		f.Add([]byte(s))
		f.Add([]byte(pack(f, s)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		readWhatever(t, text, Trace{})
		readWhatever(t, append([]byte(magic), text...), Trace{})
		if d, _, err := decompress(bytes.NewReader(text)); err != nil || d == nil || bytes.HasPrefix(text, gzipMagic) || bytes.HasPrefix(text, zstdMagic) {
			return // packed already
		}
		plain, plainErr := readAll(string(text), csvOptions)
		packed, packedErr := readAll(pack(t, string(text)), csvOptions)
		if !reflect.DeepEqual(plain, packed) || (plainErr == nil) != (packedErr == nil) || plainErr != nil && plainErr.Error() != packedErr.Error() {
			t.Fatalf("plain: %v, %v; packed: %v, %v", plain, plainErr, packed, packedErr)
		}
	})
}

// errorPlace: an error names the file and the line, or says what of the file as a whole is wrong.
var errorPlace = regexp.MustCompile(`^(read )?t\.csv(:[0-9]+: | is empty| is cut off after line [0-9]+: |: cannot tell the format| after line [0-9]+: |: its compressed data are damaged|: EOF$|: unexpected EOF$)`)

// readWhatever reads bytes as a trace, and holds what comes of it to the promises of every reader.
func readWhatever(t *testing.T, text []byte, o Trace) {
	t.Helper()
	o.Path = "t.csv"
	file, err := newTraceFile(bytes.NewReader(text), &o)
	if err == nil && file.rows != nil {
		defer file.Close()
		in := inspectFile(file)
		last, rows := time.Duration(-1), 0
		err = eachRow(file.rows, func(r *TraceRow) {
			if r.At < last || r.Input < -1 || r.Output < -1 || r.Line < 1 {
				t.Fatalf("row %+v after %v", r, last)
			}
			last = r.At
			rows++
			in.add(r)
		})
		if err == nil && rows > 0 {
			p, err := in.profile()
			if err != nil {
				t.Fatal(err)
			}
			if p.Rows != rows || rows > bytes.Count(text, []byte("\n"))+1 && !compressed(text) {
				t.Fatalf("%d rows read, %d in the account", rows, p.Rows)
			}
			checkProfile(t, p)
		}
	}
	if err != nil && (!errorPlace.MatchString(err.Error()) || len(err.Error()) > 1000) {
		t.Fatalf("an error that does not say where, or is too long: %v", err)
	}
}

func compressed(text []byte) bool {
	return bytes.HasPrefix(text, gzipMagic) || bytes.HasPrefix(text, zstdMagic)
}

// TestFuzzTargetsCoverReaders: there is a target for each format, so that a new one cannot slip past.
func TestFuzzTargetsCoverReaders(t *testing.T) {
	text := ""
	for _, name := range []string{"trace_fuzz_test.go", "servegen_test.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text += strings.ToLower(string(b))
	}
	for _, format := range TraceFormats() {
		if !strings.Contains(text, "func fuzz"+format+"(") {
			t.Errorf("no fuzz target for %s", format)
		}
	}
}
