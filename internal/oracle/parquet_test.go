package oracle

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/infbench/infbench/pkg/workload"
)

var update = flag.Bool("update", false, "rewrite the parquet files that pkg/workload keeps")

const datasets = "../../pkg/workload/testdata/datasets"

// The rows of the two files, with nulls and empty lists, and their schemas as Hugging Face exports have them.
var (
	talks = []string{
		`{"id": "a", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Wie spät ist es?"}, {"role": "assistant", "content": "Kurz nach drei."}]}`,
		`{"id": "b", "messages": []}`,
		`{"id": "c", "messages": null}`,
		`{"id": "d", "messages": [{"role": "user", "content": "One."}, {"role": "assistant", "content": null}, {"role": "user", "content": "Two, then?"}]}`,
		`{"id": "e", "messages": [{"role": "user", "content": "Alone."}]}`,
	}
	questions = []string{
		`{"question": "What is a prefix cache?", "answer": "Memory for what was computed.", "source": "ours"}`,
		`{"question": null, "answer": "Nobody asked.", "source": "ours"}`,
		`{"question": "And for what?", "answer": null, "source": "ours"}`,
	}
	text       = arrow.BinaryTypes.String
	talkSchema = arrow.NewSchema([]arrow.Field{{Name: "id", Type: text}, {Name: "messages", Nullable: true, Type: arrow.ListOf(arrow.StructOf(
		arrow.Field{Name: "content", Type: text, Nullable: true}, arrow.Field{Name: "role", Type: text, Nullable: true}))}}, nil)
	questionSchema = arrow.NewSchema([]arrow.Field{{Name: "question", Type: text, Nullable: true}, {Name: "answer", Type: arrow.BinaryTypes.LargeString, Nullable: true},
		{Name: "source", Type: text}}, nil)
)

// writeArrow writes rows with Apache Arrow, whose code has nothing in common with what infbench reads parquet with.
func writeArrow(t *testing.T, schema *arrow.Schema, rows []string, perGroup int64, options ...parquet.WriterProperty) []byte {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	var b bytes.Buffer
	options = append(options, parquet.WithMaxRowGroupLength(perGroup), parquet.WithCreatedBy("infbench internal/oracle"))
	w, err := pqarrow.NewFileWriter(schema, &b, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteBuffered(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestParquetFixtures: the files that pkg/workload tests with are what Arrow writes of these rows.
func TestParquetFixtures(t *testing.T) {
	for name, of := range map[string]struct {
		schema *arrow.Schema
		rows   []string
	}{"arrow-messages": {talkSchema, talks}, "arrow-questions": {questionSchema, questions}} {
		want := map[string][]byte{".parquet": writeArrow(t, of.schema, of.rows, 2, parquet.WithCompression(compress.Codecs.Snappy)),
			".jsonl": []byte(strings.Join(of.rows, "\n") + "\n")}
		for ending, data := range want {
			file := filepath.Join(datasets, name+ending)
			if *update {
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s is not what Arrow writes (%v): go test -run TestParquetFixtures -update", file, err)
			}
		}
	}
}

// TestParquetOfArrow: 2000 conversations, as Arrow writes them in every codec, page version and list depth at hand, are sent as
// the same conversations in JSONL are.
func TestParquetOfArrow(t *testing.T) {
	rows := make([]string, 2000)
	for i := range rows {
		var messages []map[string]any
		for turn := range i % 4 {
			messages = append(messages, map[string]any{"role": "user", "content": fmt.Sprintf("question %d of %d %s", turn, i, strings.Repeat("ä ", i%17))},
				map[string]any{"role": "assistant", "content": strings.Repeat("word ", i%29)})
		}
		line, err := json.Marshal(map[string]any{"id": fmt.Sprint(i), "messages": messages})
		if err != nil {
			t.Fatal(err)
		}
		rows[i] = string(line)
	}
	want := askedOf(t, "d.jsonl", []byte(strings.Join(rows, "\n")))
	for name, options := range map[string][]parquet.WriterProperty{
		"plain":          {parquet.WithDictionaryDefault(false)},
		"snappy":         {parquet.WithCompression(compress.Codecs.Snappy)},
		"gzip, v2 pages": {parquet.WithCompression(compress.Codecs.Gzip), parquet.WithDataPageVersion(parquet.DataPageV2)},
		"zstd":           {parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDataPageSize(1000)},
		"brotli":         {parquet.WithCompression(compress.Codecs.Brotli), parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDataPageSize(1000)},
		"byte lengths":   {parquet.WithDictionaryDefault(false), parquet.WithEncoding(parquet.Encodings.DeltaLengthByteArray)},
		"byte deltas":    {parquet.WithDictionaryDefault(false), parquet.WithEncoding(parquet.Encodings.DeltaByteArray)},
	} {
		if got := askedOf(t, "d.parquet", writeArrow(t, talkSchema, rows, 300, options...)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other requests than of JSONL", name)
		}
	}
}

// askedOf is what a dataset asks: every request of one round of its rows, and the facts that do not name the file.
func askedOf(t *testing.T, name string, data []byte) any {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := workload.NewSource(&workload.Scenario{Seed: 1, Dir: dir, Prompts: workload.Prompts{Cache: "allowed",
		Dataset: &workload.Dataset{Path: name, RecordedOutput: true}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := source.Datasets()[0]
	asked := []any{f.Rows, f.Used, f.Dropped}
	for i := range f.Used {
		asked = append(asked, source.Request(i, workload.Nonce{}))
	}
	return asked
}
