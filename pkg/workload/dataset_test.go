package workload

import (
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestDatasetRows(t *testing.T) {
	text := "\ufeff" + `{"prompt": "How are you?", "max_tokens": 12, "id": 7}` + "\r\n\n  \n" +
		`{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Well?"}]}`
	got, err := parseDataset(strings.NewReader(text), "d.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want := []datasetRow{
		{messages: []Message{{"user", "How are you?"}}, maxTokens: 12, words: 3},
		{messages: []Message{{"system", "Be brief."}, {"user", "Well?"}}, words: 3},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestDatasetErrors: a wrong row gives an error that names file and line, what was found and what is wanted.
func TestDatasetErrors(t *testing.T) {
	const form = `want {"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}`
	cases := []struct{ name, row, want string }{
		{"no JSON", `How are you?`, `d.jsonl:2: not a row (invalid character 'H' looking for beginning of value): ` + form},
		{"half a row", `{"prompt": "a`, `d.jsonl:2: not a row (invalid character '\n' in string literal): ` + form},
		{"a list", `["a"]`, `d.jsonl:2: the row is of type array: ` + form},
		{"a number for a text", `{"prompt": 7}`, `d.jsonl:2: prompt is of type number: ` + form},
		{"nothing to send", `{"text": "a"}`, `d.jsonl:2: neither prompt nor messages: ` + form},
		{"both", `{"prompt": "a", "messages": []}`, `d.jsonl:2: both prompt and messages: give one`},
		{"empty prompt", `{"prompt": " "}`, `d.jsonl:2: the prompt is empty`},
		{"no messages", `{"messages": []}`, `d.jsonl:2: the prompt is empty`},
		{"no role", `{"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}`, `d.jsonl:2: message 2 has no role: want system, user or assistant`},
		{"no output", `{"prompt": "a", "max_tokens": 0}`, `d.jsonl:2: max_tokens is 0: want 1 to 10000000, or no max_tokens`},
		{"negative output", `{"prompt": "a", "max_tokens": -1}`, `d.jsonl:2: max_tokens is -1: want 1 to 10000000, or no max_tokens`},
		{"huge output", `{"prompt": "a", "max_tokens": 10000001}`, `d.jsonl:2: max_tokens is 10000001: want 1 to 10000000, or no max_tokens`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseDataset(strings.NewReader(`{"prompt": "a"}`+"\n"+c.row+"\n"), "d.jsonl")
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	broken := errors.New("disk on fire")
	if _, err := parseDataset(io.MultiReader(strings.NewReader(`{"prompt": "a"}`+"\n"), failing{broken}), "d.jsonl"); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "d.jsonl:2: ") {
		t.Errorf("got %v", err)
	}
}

// FuzzDataset: whatever a file holds, it gives an error with its line or rows that can be sent.
func FuzzDataset(f *testing.F) {
	f.Add([]byte(`{"prompt": "How are you?", "max_tokens": 12}` + "\n\n" + `{"messages": [{"role": "user", "content": "Well?"}]}`))
	f.Add([]byte("\ufeff{\"prompt\": \"\\ud800\"}\r\n{"))
	line := regexp.MustCompile(`^d\.jsonl:[1-9][0-9]*: .+`)
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parseDataset(strings.NewReader(string(data)), "d.jsonl")
		if err != nil {
			if !line.MatchString(err.Error()) {
				t.Errorf("no line: %q", err)
			}
			return
		}
		for _, row := range rows {
			if len(row.messages) == 0 || row.words < 1 || row.maxTokens < 0 || row.maxTokens > longest {
				t.Errorf("%+v", row)
			}
		}
	})
}
