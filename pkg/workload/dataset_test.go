package workload

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// datasetFrom reads a dataset of one file.
func datasetFrom(d Dataset, name, data string) (*dataset, error) {
	f, err := newDataFile(name, strings.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	defer f.close()
	all := &dataset{facts: DatasetFacts{Path: name, Dropped: map[string]int{}}}
	if all.facts.Format, err = all.read(f, &d); err != nil {
		return nil, err
	}
	all.facts.Used = len(all.rows)
	return all, all.check()
}

func TestDatasetRows(t *testing.T) {
	text := "\ufeff" + `{"prompt": "How are you?", "max_tokens": 12, "id": 7}` + "\r\n\n  \n" +
		`{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Well?"}]}`
	got, err := datasetFrom(Dataset{}, "d.jsonl", text)
	if err != nil {
		t.Fatal(err)
	}
	want := []datasetRow{
		{messages: []Message{{"user", "How are you?"}}, sent: 1, answers: []int{0}, maxTokens: 12, words: 3},
		{messages: []Message{{"system", "Be brief."}, {"user", "Well?"}}, sent: 2, answers: []int{0}, words: 3},
	}
	if !reflect.DeepEqual(got.rows, want) {
		t.Errorf("got %+v\nwant %+v", got.rows, want)
	}
}

// talk is a conversation of two turns behind a system message, in the form of a format.
const talk = `[{"from": "system", "value": "Be brief."}, {"from": "human", "value": "One two?"}, {"from": "gpt", "value": "Three four five."}, ` +
	`{"from": "human", "value": "Six?"}, {"from": "gpt", "value": "Seven eight."}]`

// TestDatasetFormats: what each format sends, and which answer length it has recorded.
func TestDatasetFormats(t *testing.T) {
	inOpenAI := strings.NewReplacer("from", "role", "value", "content", "human", "user", "gpt", "assistant").Replace(talk)
	cases := []struct {
		name, file, text string
		dataset          Dataset
		format, want     string
		answer           int
	}{
		{"prompt", "d.jsonl", `{"prompt": "One two?", "response": "Three four."}`, Dataset{}, "prompts", "user: One two?", 2},
		{"question", "d.jsonl", `{"question": "One two?", "answer": "Three."}`, Dataset{}, "prompts", "user: One two?", 1},
		{"text", "d.jsonl", `{"text": "One two?"}`, Dataset{}, "prompts", "user: One two?", 0},
		{"messages", "d.jsonl", `{"messages": ` + inOpenAI + `}`, Dataset{}, "messages",
			"system: Be brief.\nuser: One two?\nassistant: Three four five.\nuser: Six?", 2},
		{"messages, the first turn", "d.jsonl", `{"messages": ` + inOpenAI + `}`, Dataset{Turns: "first"}, "messages", "system: Be brief.\nuser: One two?", 3},
		{"messages beside a prompt", "d.jsonl", `{"prompt": "One two?", "messages": ` + inOpenAI + `}`, Dataset{Turns: "first"}, "messages", "system: Be brief.\nuser: One two?", 3},
		{"the prompt beside messages", "d.jsonl", `{"prompt": "One two?", "messages": ` + inOpenAI + `}`, Dataset{Format: "prompts"}, "prompts", "user: One two?", 0},
		{"parts", "d.jsonl", `{"messages": [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two?"}]}]}`, Dataset{}, "messages", "user: One\ntwo?", 0},
		{"sharegpt", "d.json", `[{"id": "a", "conversations": ` + talk + `}]`, Dataset{}, "sharegpt", "system: Be brief.\nuser: One two?", 3},
		{"sharegpt on lines", "d.jsonl", `{"conversations": ` + talk + `}`, Dataset{}, "sharegpt", "system: Be brief.\nuser: One two?", 3},
		{"sharegpt of all turns", "d.json", "\ufeff [\n" + `{"conversations": ` + talk + `} ] `, Dataset{Turns: "all"}, "sharegpt",
			"system: Be brief.\nuser: One two?\nassistant: Three four five.\nuser: Six?", 2},
		{"items", "d.json", `[{"items": ` + talk + `}]`, Dataset{}, "sharegpt", "system: Be brief.\nuser: One two?", 3},
		{"items with a system message", "d.jsonl", `{"items": [{"role": "user", "content": "One?"}], "system": "Be kind."}`, Dataset{}, "sharegpt", "system: Be kind.\nuser: One?", 0},
		{"conversation", "d.jsonl", `{"conversation": ` + inOpenAI + `}`, Dataset{}, "sharegpt", "system: Be brief.\nuser: One two?", 3},
		{"alpaca", "d.json", `[{"instruction": "Say it again.", "input": "One two.", "output": "One two!"}]`, Dataset{}, "alpaca", "user: Say it again.\n\nOne two.", 2},
		{"alpaca without input", "d.jsonl", `{"instruction": "Count.", "input": "", "output": "One two three", "system": "Be brief."}`, Dataset{}, "alpaca", "system: Be brief.\nuser: Count.", 3},
		{"lines", "d.txt", "\n  One two? \r\n\n", Dataset{}, "text", "user: One two?", 0},
		{"lines that look like more", "d.jsonl", `{"prompt": "One"}`, Dataset{Format: "text"}, "text", `user: {"prompt": "One"}`, 0},
		{"csv", "d.csv", "\ufeffid,prompt,output,max_tokens\n1,\"One\ntwo?\",Three.,7\n", Dataset{}, "prompts, csv", "user: One\ntwo?", 1},
		{"csv of another name", "d.tsv", "id,q\n1,One two?\n", Dataset{Format: "csv", Columns: &DatasetColumns{Prompt: "q"}}, "prompts, csv", "user: One two?", 0},
		{"alpaca in csv", "d.csv", "instruction,input,output\nSay it.,One,One\n", Dataset{}, "alpaca, csv", "user: Say it.\n\nOne", 1},
		{"columns", "d.jsonl", `{"q": "One two?", "a": 17, "s": "Be brief."}`, Dataset{Columns: &DatasetColumns{Prompt: "q", Output: "a", System: "s"}}, "prompts", "system: Be brief.\nuser: One two?", 17},
		{"paths", "d.jsonl", `{"data": {"q": "One two?", "a": "Three"}}`, Dataset{Columns: &DatasetColumns{Prompt: "data.q", Output: "data.a"}}, "prompts", "user: One two?", 1},
		{"a column of messages", "d.jsonl", `{"dialog": ` + talk + `}`, Dataset{Columns: &DatasetColumns{Messages: "dialog"}, Turns: "first"}, "messages", "system: Be brief.\nuser: One two?", 3},
		{"a column of sharegpt", "d.jsonl", `{"dialog": ` + talk + `}`, Dataset{Format: "sharegpt", Columns: &DatasetColumns{Messages: "dialog"}}, "sharegpt", "system: Be brief.\nuser: One two?", 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for packing, data := range packed(t, c.text) {
				got, err := datasetFrom(c.dataset, c.file, data)
				if err != nil {
					t.Fatalf("%s: %v", packing, err)
				}
				if len(got.rows) != 1 || got.facts.Format != c.format {
					t.Fatalf("%s: %d rows of %s, want 1 of %s", packing, len(got.rows), got.facts.Format, c.format)
				}
				row := &got.rows[0]
				if text := textOf(Request{Messages: row.prompt()}); text != c.want || row.answer() != c.answer {
					t.Errorf("%s: got  %q, answer %d\nwant %q, answer %d", packing, text, row.answer(), c.want, c.answer)
				}
				if n := len(strings.Fields(messageText(row.prompt()))); n != row.words {
					t.Errorf("%s: %d words, counted %d", packing, n, row.words)
				}
			}
		})
	}
}

func messageText(messages []Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Content)
	}
	return strings.Join(all, "\n")
}

// packed is a file as it may lie on a disk.
func packed(t testing.TB, text string) map[string]string {
	t.Helper()
	var z, s bytes.Buffer
	gz := gzip.NewWriter(&z)
	zs, err := zstd.NewWriter(&s)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{gz, zs} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"plain": text, "gzip": z.String(), "zstd": s.String()}
}

// TestDatasetTurns: a session gets all of a row's turns and the lengths of their answers, however little the prompt is.
func TestDatasetTurns(t *testing.T) {
	for _, turns := range []string{"first", "all"} {
		got, err := datasetFrom(Dataset{Turns: turns}, "d.json", `[{"conversations": `+talk+`}, {"conversations": [{"from": "user", "value": "Alone"}]}, `+
			`{"conversations": [{"from": "user", "value": "A?"}, {"from": "gpt", "value": "B."}, {"from": "user", "value": " "}, {"from": "gpt", "value": "C."}]}]`)
		if err != nil {
			t.Fatal(err)
		}
		if want := []datasetTurn{{"One two?", 3}, {"Six?", 2}}; !reflect.DeepEqual(got.rows[0].turns(), want) || got.rows[0].system() != "Be brief." {
			t.Errorf("%s: %q %v, want %v", turns, got.rows[0].system(), got.rows[0].turns(), want)
		}
		if want := []datasetTurn{{"Alone", 0}}; !reflect.DeepEqual(got.rows[1].turns(), want) || got.rows[1].system() != "" {
			t.Errorf("%s: %q %v, want %v", turns, got.rows[1].system(), got.rows[1].turns(), want)
		}
		if n := len(got.rows); (turns == "first") != (n == 3) || n == 3 && !reflect.DeepEqual(got.rows[2].turns(), []datasetTurn{{"A?", 1}}) {
			t.Errorf("%s: a message with nothing in it: %d rows, %+v", turns, n, got.rows)
		}
		held := 0 // the texts of answers that are never sent
		for _, m := range got.rows[0].messages {
			if m.Role == "assistant" {
				held += len(m.Content)
			}
		}
		if (turns == "first") != (held == 0) {
			t.Errorf("%s: %d bytes of answers are held", turns, held)
		}
	}
}

// TestDatasetDrops: rows that cannot be sent are left out and counted, each for one reason.
func TestDatasetDrops(t *testing.T) {
	rows := []struct{ row, reason string }{
		{`{"conversations": [{"from": "human", "value": "One two?"}, {"from": "gpt", "value": "Three."}]}`, ""},
		{`{"conversations": []}`, DropEmptyPrompt},
		{`{"conversations": null}`, DropEmptyPrompt},
		{`{"conversations": [{"from": "human", "value": " \n"}, {"from": "gpt", "value": "Three."}]}`, DropEmptyPrompt},
		{`{"conversations": [{"from": "gpt", "value": "One."}, {"from": "human", "value": "Two?"}]}`, DropAssistant},
		{`{"conversations": [{"from": "system", "value": "One."}]}`, DropNoUser},
		{`{"conversations": [{"from": "someone", "value": "One."}]}`, DropRole},
		{`{"conversations": [{"from": "human", "value": "One"}, {"from": "function_call", "value": "{}"}]}`, DropNotText},
		{`{"conversations": [{"from": "human", "value": "One"}, {"from": "gpt", "value": null, "tool_calls": [{"id": 1}]}]}`, DropNotText},
		{`{"conversations": [{"from": "human", "value": [{"type": "image_url", "image_url": {"url": "x"}}]}]}`, DropNotText},
		{`{"conversations": [{"from": "human", "value": "One?"}]}`, DropNoAnswer},
		{`{"conversations": [{"from": "human", "value": "One?"}, {"from": "gpt", "value": ""}]}`, DropNoAnswer},
		{`{"conversations": [{"from": "human", "value": "One?"}], "max_tokens": 5}`, ""},
		{`{"conversations": [{"from": "human", "value": "One two three four?"}, {"from": "gpt", "value": "Five."}]}`, DropLong},
		{`{"conversations": [{"from": "human", "value": "One?"}, {"from": "gpt", "value": "Two."}]}`, DropLimit},
	}
	var text []string
	want := map[string]int{}
	for _, r := range rows {
		text = append(text, r.row)
		if r.reason != "" {
			want[r.reason]++
		}
	}
	got, err := datasetFrom(Dataset{RecordedOutput: true, MaxInput: 3, Limit: 2}, "d.jsonl", strings.Join(text, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := got.facts
	if !reflect.DeepEqual(f.Dropped, want) || f.Rows != len(rows) || f.Used != 2 || len(got.rows) != 2 {
		t.Errorf("got %+v\nwant %d rows, 2 used, %v", f, len(rows), want)
	}
	_, err = datasetFrom(Dataset{}, "d.jsonl", `{"prompt": " "}`+"\n"+`{"prompt": null}`)
	if want := "d.jsonl: none of its 2 rows can be used (2 empty prompt): look at a row, and at prompts.dataset"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestDatasetErrors: a wrong row gives an error that names file and line, what was found and what is wanted.
func TestDatasetErrors(t *testing.T) {
	const form = `want {"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}`
	const broken = form + ", one row per line, or all of them in one list"
	cases := []struct{ name, row, want string }{
		{"no JSON", `How are you?`, `d.jsonl:2: not a row (invalid character 'H' looking for beginning of value): ` + broken},
		{"half a row", `{"prompt": "a`, `d.jsonl:2: not a row (unexpected end of JSON input): ` + broken},
		{"not in UTF-8", "{\"prompt\": \"a\xff\"}", `d.jsonl:2: not in UTF-8: convert the file`},
		{"very deep", strings.Repeat("[", 20000), `d.jsonl:2: not a row (invalid character '[' exceeded max depth): ` + broken},
		{"a list", `["a"]`, `d.jsonl:2: the row is a list: ` + form},
		{"a number for a text", `{"prompt": 7}`, `d.jsonl:2: the prompt is a number: want a text`},
		{"a text for messages", `{"messages": "a"}`, `d.jsonl:2: messages is a text: want a list of messages, as in {"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}`},
		{"a text for a message", `{"messages": ["a"]}`, `d.jsonl:2: message 1 is a text: want {"role": ..., "content": ...}`},
		{"a number for a content", `{"messages": [{"role": "user", "content": 7}]}`, `d.jsonl:2: the content of message 1 is a number: want a text`},
		{"a number for a part", `{"messages": [{"role": "user", "content": [7]}]}`, `d.jsonl:2: a part of the content of message 1 is a number: want a text`},
		{"nothing to send", `{"a": "b"}`, `d.jsonl:2: neither prompt nor messages: ` + form},
		{"no role", `{"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}`, `d.jsonl:2: message 2 has no role: want system, user or assistant`},
		{"no output", `{"prompt": "a", "max_tokens": 0}`, `d.jsonl:2: max_tokens is 0: want 1 to 10000000, or no max_tokens`},
		{"negative output", `{"prompt": "a", "max_tokens": -1}`, `d.jsonl:2: max_tokens is -1: want 1 to 10000000, or no max_tokens`},
		{"huge output", `{"prompt": "a", "max_tokens": 10000001}`, `d.jsonl:2: max_tokens is 10000001: want 1 to 10000000, or no max_tokens`},
		{"half a token", `{"prompt": "a", "max_tokens": 1.5}`, `d.jsonl:2: max_tokens is 1.5: want 1 to 10000000, or no max_tokens`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := datasetFrom(Dataset{}, "d.jsonl", `{"prompt": "a"}`+"\n"+c.row+"\n")
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestDatasetFileErrors: what is wrong with a file as a whole, and with those that have no lines.
func TestDatasetFileErrors(t *testing.T) {
	column := Dataset{Columns: &DatasetColumns{Prompt: "q"}}
	gz := packed(t, strings.Repeat(`{"prompt": "a"}`+"\n", 100))["gzip"]
	cases := []struct {
		name, file, text string
		dataset          Dataset
		want             string
	}{
		{"empty", "d.jsonl", "", Dataset{}, "d.jsonl is empty"},
		{"blank", "d.jsonl", "\n \n", Dataset{}, "d.jsonl: the dataset has no rows"},
		{"an empty list", "d.json", "[]", Dataset{}, "d.json: the dataset has no rows"},
		{"keys that nobody knows", "d.jsonl", `{"id": 1, "query": "a"}`, Dataset{}, "d.jsonl:1: cannot tell what to send: the first row has the columns id, query: name what holds the prompt, such as columns: {prompt: id}"},
		{"no key", "d.jsonl", `{}`, Dataset{}, "d.jsonl:1: cannot tell what to send: the first row has no columns: name what holds the prompt, such as columns: {prompt: question}"},
		{"a list of texts", "d.json", `["a"]`, Dataset{}, "d.json: row 1: the row is a text: want " + rowForm},
		{"a list that is cut off", "d.json", `[{"prompt": "a"}, {"prompt": "b`, Dataset{}, "d.json: the list ends within row 2: the file is cut off; fetch it again"},
		{"a list without an end", "d.json", `[{"prompt": "a"}`, Dataset{}, "d.json: the list ends within row 2: the file is cut off; fetch it again"},
		{"more after the list", "d.json", `[{"prompt": "a"}] {"prompt": "b"}`, Dataset{}, "d.json: there is more after the list of 1 rows: want one list"},
		{"a broken list", "d.json", `[{"prompt": "a"}, {"prompt" "b"}]`, Dataset{}, "d.json: row 2: not a row (invalid character '\"' after object key): correct or remove it"},
		{"no UTF-8 in a list", "d.json", "[{\"prompt\": \"\xff\"}]", Dataset{}, "d.json: row 1: not in UTF-8: convert the file"},
		{"a wrong row of a list", "d.json", `[{"prompt": "a"}, {"prompt": 7}]`, Dataset{}, "d.json: row 2: the prompt is a number: want a text"},
		{"no UTF-8 in lines", "d.txt", "a\nb\xff\n", Dataset{}, "d.txt:2: not in UTF-8: convert the file"},
		{"a column that is missing", "d.csv", "id,p\n1,a\n", column, "d.csv:1: no column holds a prompt: the header has the columns id, p: name it, such as columns: {prompt: id}"},
		{"a row that is short", "d.csv", "id,q\n1,a\n2\n", column, "d.csv:3: wrong number of fields: correct the row"},
		{"a quote that stays open", "d.csv", "id,q\n1,\"a\n", column, "d.csv:2: extraneous or missing \" in quoted-field: correct the row"},
		{"a limit in words", "d.csv", "q,max_tokens\na,many\n", column, "d.csv:2: max_tokens is many: want 1 to 10000000, or an empty cell"},
		{"no UTF-8 in a cell", "d.csv", "q\na\n\xff\n", column, "d.csv:3: not in UTF-8: convert the file"},
		{"cut off within gzip", "d.jsonl.gz", gz[:len(gz)-9], Dataset{}, "d.jsonl.gz is cut off after line 100: its compressed data end early; fetch the file again"},
		{"no header", "d.csv", "\ufeff", column, "d.csv is empty: it should begin with a header"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := datasetFrom(c.dataset, c.file, c.text)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	broken := errors.New("disk on fire")
	f := &dataFile{name: "d.jsonl", raw: hashing(failing{broken}), done: func() {}}
	f.text = bufio.NewReader(io.MultiReader(strings.NewReader(`{"prompt": "a"}`+"\n"), failing{broken}))
	all := &dataset{facts: DatasetFacts{Dropped: map[string]int{}}}
	if _, err := all.read(f, &Dataset{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestDatasetRowBound: a file without line ends does not fill the memory.
func TestDatasetRowBound(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB of text")
	}
	long := strings.Repeat("a", maxRow+1<<20)
	for name, text := range map[string]string{"d.txt": "a\n" + long, "d.jsonl": `{"prompt": "a"}` + "\n" + `{"prompt": "` + long, "d.json": `[{"prompt": "` + long, "d.csv": "prompt\n\"" + long} {
		if _, err := datasetFrom(Dataset{}, name, text); err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDataset: whatever a file holds, it gives an error with its place, or rows that can be sent; every row that was read is used
// or dropped, and a compressed file is read as a plain one.
func FuzzDataset(f *testing.F) {
	f.Add("d.jsonl", "", `{"prompt": "How are you?", "max_tokens": 12}`+"\n\n"+`{"messages": [{"role": "user", "content": "Well?"}]}`)
	f.Add("d.jsonl", "", "\ufeff{\"prompt\": \"\\ud800\"}\r\n{")
	f.Add("d.json", "sharegpt", `[{"conversations": `+talk+`}, {"items": null}]`)
	f.Add("d.jsonl", "alpaca", `{"instruction": "a", "input": "b", "output": "c"}`)
	f.Add("d.txt", "", "a\n b \n")
	f.Add("d.csv", "csv", "prompt,max_tokens\n\"a\nb\",3\n")
	place := regexp.MustCompile(`^(?s)d(\.|:).+`)
	f.Fuzz(func(t *testing.T, name, format, data string) {
		if !regexp.MustCompile(`^d\.(jsonl|json|txt|csv)$`).MatchString(name) {
			name = "d.jsonl"
		}
		d := Dataset{Format: format, RecordedOutput: len(data)%2 == 0}
		if !regexp.MustCompile(`^(|prompts|messages|sharegpt|alpaca|text|csv)$`).MatchString(format) {
			d.Format = ""
		}
		got, err := datasetFrom(d, name, data)
		if err != nil {
			if !place.MatchString(err.Error()) {
				t.Errorf("no place: %q", err)
			}
		} else {
			checkDataset(t, got)
		}
		if strings.HasPrefix(data, string(gzipMagic)) || strings.HasPrefix(data, string(zstdMagic)) || strings.HasPrefix(data, string(parquetMagic)) {
			return
		}
		again, againErr := datasetFrom(d, name, packed(t, data)["gzip"])
		if fmt.Sprint(err) != fmt.Sprint(againErr) || !reflect.DeepEqual(got, again) {
			t.Errorf("packed: %v, plain: %v", againErr, err)
		}
	})
}

// checkDataset holds what was read to what is promised.
func checkDataset(t *testing.T, s *dataset) {
	t.Helper()
	dropped := 0
	for _, n := range s.facts.Dropped {
		dropped += n
	}
	if s.facts.Rows != s.facts.Used+dropped || s.facts.Used != len(s.rows) || s.facts.Used == 0 {
		t.Errorf("%+v with %d rows held", s.facts, len(s.rows))
	}
	for i := range s.rows {
		row := &s.rows[i]
		prompt := row.prompt()
		if len(prompt) == 0 || prompt[len(prompt)-1].Role != "user" || row.words < 1 || row.maxTokens < 0 || row.maxTokens > longest || row.answer() < 0 {
			t.Errorf("%+v", row)
		}
		if turns := row.turns(); len(turns) != len(row.answers) || len(turns) == 0 {
			t.Errorf("turns %+v of %+v", turns, row)
		}
		for _, m := range prompt {
			if blank(m.Content) || m.Role != "user" && m.Role != "assistant" && m.Role != "system" && m.Role != "developer" {
				t.Errorf("%+v", prompt)
			}
		}
	}
}
