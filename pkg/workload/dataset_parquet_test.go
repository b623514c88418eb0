package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// parquetOf writes rows with the library.
func parquetOf[T any](t testing.TB, codec compress.Codec, perGroup int64, rows ...T) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(perGroup), parquet.PageBufferSize(200))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type parquetMessage struct {
	Role    *string `parquet:"role,optional" json:"role"`
	Content *string `parquet:"content,optional" json:"content"`
}

func says(role, content string) parquetMessage { return parquetMessage{&role, &content} }

type parquetTalk struct {
	ID       int64            `parquet:"id"`
	Messages []parquetMessage `parquet:"messages,list"`
	Prompt   *string          `parquet:"prompt,optional"`
	Scores   []float64        `parquet:"scores,list"` // of no use, and of another depth
}

// TestParquetConversations: rows of messages over many pages and groups, compressed by every codec, give what the same rows give
// as JSONL.
func TestParquetConversations(t *testing.T) {
	var rows []parquetTalk
	var lines []string
	for i := range 500 {
		row := parquetTalk{ID: int64(i), Scores: make([]float64, i%3)}
		var messages []string
		for turn := range i % 5 {
			user, gpt := strings.Repeat(fmt.Sprintf("q%d ", i), turn+1), strings.Repeat(fmt.Sprintf("a%d ", i), i%7)
			row.Messages = append(row.Messages, says("user", user), says("assistant", gpt))
			messages = append(messages, fmt.Sprintf(`{"role": "user", "content": %q}, {"role": "assistant", "content": %q}`, user, gpt))
		}
		line := fmt.Sprintf(`{"messages": [%s]`, strings.Join(messages, ", "))
		if i%11 == 0 {
			row.Prompt = new(fmt.Sprintf("alone %d", i))
			line += fmt.Sprintf(`, "prompt": %q`, *row.Prompt)
		}
		rows, lines = append(rows, row), append(lines, line+"}")
	}
	for _, d := range []Dataset{{}, {Turns: "first"}, {RecordedOutput: true, MaxInput: 5}} {
		want, err := datasetFrom(d, "d.jsonl", strings.Join(lines, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw} {
			got, err := datasetFrom(d, "d.parquet", parquetOf(t, codec, 70, rows...))
			if err != nil {
				t.Fatal(err)
			}
			checkDataset(t, got)
			if !reflect.DeepEqual(got.rows, want.rows) || !reflect.DeepEqual(got.facts.Dropped, want.facts.Dropped) || got.facts.Rows != 500 || got.facts.Format != "messages, parquet" {
				t.Errorf("%v %v: %+v, as JSONL %+v", d, codec, got.facts, want.facts)
			}
		}
	}
}

// TestParquetColumns: texts, lengths and limits in columns of their own, with nulls.
func TestParquetColumns(t *testing.T) {
	type row struct {
		Question string  `parquet:"question,dict"`
		About    *string `parquet:"about,optional"`
		Answer   *string `parquet:"answer,optional"`
		Tokens   int32   `parquet:"tokens"`
		Limit    *int64  `parquet:"max_tokens,optional"`
	}
	data := parquetOf(t, &parquet.Snappy, 10, row{"One two?", new("Be brief."), new("Three"), 40, nil}, row{"Four?", nil, nil, 50, new(int64(9))}, row{" ", nil, nil, 60, nil})
	got, err := datasetFrom(Dataset{}, "d.parquet", data)
	if err != nil {
		t.Fatal(err)
	}
	want := []datasetRow{
		{messages: []Message{{"user", "One two?"}}, sent: 1, answers: []int{1}, words: 2},
		{messages: []Message{{"user", "Four?"}}, sent: 1, answers: []int{0}, maxTokens: 9, words: 1},
	}
	if !reflect.DeepEqual(got.rows, want) || got.facts.Dropped[DropEmptyPrompt] != 1 || got.facts.Format != "prompts, parquet" {
		t.Errorf("%+v\nof %+v", got.rows, got.facts)
	}
	got, err = datasetFrom(Dataset{Columns: &DatasetColumns{Prompt: "question", System: "about", Output: "tokens"}}, "d.parquet", data)
	if err != nil {
		t.Fatal(err)
	}
	if r := &got.rows[0]; textOf(Request{Messages: r.prompt()}) != "system: Be brief.\nuser: One two?" || r.answer() != 40 {
		t.Errorf("%+v", got.rows)
	}
	if r := &got.rows[1]; textOf(Request{Messages: r.prompt()}) != "user: Four?" || r.answer() != 50 {
		t.Errorf("%+v", got.rows)
	}
}

func TestParquetErrors(t *testing.T) {
	type plain struct {
		ID     int64  `parquet:"id"`
		Prompt string `parquet:"prompt"`
	}
	sound := parquetOf(t, &parquet.Uncompressed, 10, plain{1, "One?"}, plain{2, "Two?"})
	badText := parquetOf(t, &parquet.Uncompressed, 10, plain{1, "One?"}, plain{2, "Two\xff"})
	prompts := Dataset{Columns: &DatasetColumns{Prompt: "id"}}
	cases := []struct {
		name, data string
		dataset    Dataset
		want       string
	}{
		{"not a column", sound, Dataset{Columns: &DatasetColumns{Prompt: "question"}}, "d.parquet: no column holds a prompt: it has the columns id, prompt: name it, such as columns: {prompt: id}"},
		{"another format", sound, Dataset{Format: "sharegpt"}, "d.parquet: no column holds a prompt: it has the columns id, prompt: name it, such as columns: {prompt: id}"},
		{"a number for a prompt", sound, prompts, "d.parquet: column id is of type INT(64,true): want texts; or name another, such as columns: {prompt: question}"},
		{"a text for messages", sound, Dataset{Columns: &DatasetColumns{Messages: "prompt"}}, "d.parquet: column prompt is of type STRING: want a list of {role, content} or {from, value}, all texts"},
		{"no UTF-8", badText, Dataset{}, "d.parquet: row 2: a text that is not in UTF-8"},
		{"cut off", sound[:len(sound)-20], Dataset{}, "d.parquet is no readable parquet file: "},
		{"nothing but the beginning", "PAR1", Dataset{}, "d.parquet is no readable parquet file: "},
		{"packed once more", packed(t, sound)["gzip"], Dataset{}, "d.parquet is a parquet file that is packed once more: unpack it"},
		{"no role", parquetOf(t, &parquet.Snappy, 10, parquetTalk{Messages: []parquetMessage{says("user", "a"), {nil, new("b")}}}), Dataset{}, "d.parquet: row 1: message 2 has no role: want system, user or assistant"},
		{"no prompt at all", parquetOf(t, &parquet.Snappy, 10, struct {
			ID int64 `parquet:"id"`
		}{1}), Dataset{}, "d.parquet: cannot tell what to send: the first row has the columns id: name what holds the prompt, such as columns: {prompt: id}"},
		{"no rows", parquetOf[plain](t, &parquet.Snappy, 10), Dataset{}, "d.parquet: the dataset has no rows"},
		{"scores", parquetOf(t, &parquet.Snappy, 10, parquetTalk{}), Dataset{Columns: &DatasetColumns{Messages: "scores"}}, "d.parquet: column scores is a group of scores.list.element DOUBLE: want a list of {role, content} or {from, value}, all texts"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := datasetFrom(c.dataset, "d.parquet", c.data)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestParquetOfAnotherWriter: files that Apache Arrow has written (internal/oracle makes them) hold what their JSON twins hold.
func TestParquetOfAnotherWriter(t *testing.T) {
	files, err := filepath.Glob("testdata/datasets/arrow-*.parquet")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		var all [2]*dataset
		for i, name := range []string{file, strings.TrimSuffix(file, ".parquet") + ".jsonl"} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if all[i], err = datasetFrom(Dataset{}, name, string(data)); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(all[0].rows, all[1].rows) || !reflect.DeepEqual(all[0].facts.Dropped, all[1].facts.Dropped) {
			t.Errorf("%s: %+v\n%+v\nas JSONL %+v\n%+v", file, all[0].facts, all[0].rows, all[1].facts, all[1].rows)
		}
	}
}

// TestParquetDamaged: a file of which any byte is wrong gives an error that names it, or rows that add up; it takes the program
// neither down nor its memory.
func TestParquetDamaged(t *testing.T) {
	sound := parquetOf(t, &parquet.Snappy, 2, parquetTalk{Messages: []parquetMessage{says("user", "One?"), says("assistant", "Two.")}}, parquetTalk{Prompt: new("a")}, parquetTalk{Prompt: new("b c")})
	refused := 0
	for i := range sound {
		for _, wrong := range []byte{0, 0x7f, 0xff, sound[i] ^ 0x40, sound[i] + 1} {
			data := []byte(sound)
			data[i] = wrong
			got, err := datasetFrom(Dataset{Format: "messages"}, "d.parquet", string(data))
			if err == nil {
				checkDataset(t, got)
			} else if refused++; !strings.HasPrefix(err.Error(), "d.parquet") {
				t.Errorf("byte %d, now %#x: %v", i, wrong, err)
			}
		}
	}
	for n := range sound {
		if _, err := datasetFrom(Dataset{Format: "messages"}, "d.parquet", sound[:n]); err == nil {
			t.Errorf("cut off after %d of %d bytes: accepted", n, len(sound))
		}
	}
	if refused < len(sound) {
		t.Errorf("%d of %d damages were refused", refused, 5*len(sound))
	}
}

// FuzzDatasetParquet: rows of any texts, with nulls and empty lists, give in parquet what they give as JSONL.
func FuzzDatasetParquet(f *testing.F) {
	f.Add("How are you?", "Well.", "Be brief.", []byte{0, 1, 2, 0x18, 0xff})
	f.Add("", " \n", "\x00", []byte{3, 7, 0x24, 0x10})
	f.Fuzz(func(t *testing.T, a, b, c string, shapes []byte) {
		texts := []*string{&a, &b, &c, nil}
		roles := []string{"user", "assistant", "system", "someone"}
		var rows []parquetTalk
		var lines []string
		for _, text := range texts[:3] {
			*text = strings.ToValidUTF8(*text, "?")
		}
		for i, shape := range shapes[:min(len(shapes), 100)] {
			row := parquetTalk{ID: int64(i)}
			for m := range int(shape & 3) {
				at := int(shape>>2) + m
				row.Messages = append(row.Messages, parquetMessage{&roles[at%7&3], texts[at%4]})
			}
			if shape&0x80 != 0 {
				row.Prompt = texts[int(shape>>4)&3]
			}
			line, err := json.Marshal(map[string]any{"messages": row.Messages, "prompt": row.Prompt})
			if err != nil {
				t.Fatal(err)
			}
			rows, lines = append(rows, row), append(lines, string(line))
		}
		want, wantErr := datasetFrom(Dataset{Format: "messages"}, "d", strings.Join(lines, "\n"))
		got, err := datasetFrom(Dataset{Format: "messages"}, "d", parquetOf(t, &parquet.Zstd, 7, rows...))
		if err != nil || wantErr != nil {
			if len(rows) > 0 && fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("%v, as JSONL %v", err, wantErr)
			}
			return
		}
		checkDataset(t, got)
		if !reflect.DeepEqual(got.rows, want.rows) || !reflect.DeepEqual(got.facts.Dropped, want.facts.Dropped) {
			t.Errorf("%+v\n%+v\nas JSONL %+v\n%+v", got.facts, got.rows, want.facts, want.rows)
		}
	})
}
