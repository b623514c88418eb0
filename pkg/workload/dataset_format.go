package workload

import (
	"fmt"
	"slices"
	"strings"
)

// dataColumn is what a column of a dataset holds.
type dataColumn int

const (
	promptColumn    dataColumn = iota
	inputColumn                // what an instruction is about
	systemColumn               // a system message
	answerColumn               // the recorded answer, or its length
	messagesColumn             // a conversation
	maxTokensColumn            // what the row itself asks for
	dataColumns
)

// dataFormat says under which names a file has what a row holds; the first name that is there is taken.
type dataFormat struct {
	name    string
	turns   string // how much of a conversation is the prompt
	columns [dataColumns][]string
	file    string // what else is worth saying: "parquet", "csv"
}

// String is how the record names the format.
func (f *dataFormat) String() string {
	if f.file == "" {
		return f.name
	}
	return f.name + ", " + f.file
}

var (
	answerNames = []string{"output", "response", "answer", "completion"}
	limitNames  = []string{"max_tokens"}
)

// The formats, in the order in which a first row is held against them. Hugging Face exports have them as JSONL or parquet.
var dataFormats = []dataFormat{
	{name: "messages", turns: "all", columns: [dataColumns][]string{messagesColumn: {"messages"}, promptColumn: {"prompt"}, maxTokensColumn: limitNames}},
	// ShareGPT itself; items in early exports and OpenChat; conversation in LMSYS-Chat-1M and WildChat, with role and content.
	{name: "sharegpt", turns: "first", columns: [dataColumns][]string{messagesColumn: {"conversations", "items", "conversation"}, systemColumn: {"system"}, maxTokensColumn: limitNames}},
	{name: "alpaca", turns: "all", columns: [dataColumns][]string{promptColumn: {"instruction"}, inputColumn: {"input"}, systemColumn: {"system"}, answerColumn: answerNames, maxTokensColumn: limitNames}},
	{name: "prompts", turns: "all", columns: [dataColumns][]string{promptColumn: {"prompt", "question", "text"}, messagesColumn: {"messages"}, answerColumn: answerNames, maxTokensColumn: limitNames}},
}

// shows reports whether a row with these columns is of the format.
func (f *dataFormat) shows(keys []string) bool {
	need := f.columns[messagesColumn]
	if f.name == "alpaca" || f.name == "prompts" {
		need = f.columns[promptColumn]
	}
	return slices.ContainsFunc(need, func(name string) bool { return slices.Contains(keys, name) })
}

// dataFormatOf is the format that the scenario names, or the one that the columns of the first row show. where begins an error.
func dataFormatOf(d *Dataset, keys []string, where string) (*dataFormat, error) {
	name := d.Format
	if name == "csv" {
		name = "" // which says how the file is written
	}
	if c := d.Columns; name == "" && c != nil {
		switch {
		case c.Messages != "":
			name = "messages"
		case c.Prompt != "":
			name = "prompts"
		}
	}
	for _, f := range dataFormats {
		if f.name == name || name == "" && f.shows(keys) {
			return f.with(d.Columns), nil
		}
	}
	if name != "" {
		return nil, fmt.Errorf("prompts.dataset.format is %q: the formats are prompts, messages, sharegpt, alpaca, text and csv", name)
	}
	return nil, fmt.Errorf("%s: cannot tell what to send: the first row has %s: name what holds the prompt, such as columns: {prompt: %s}",
		where, keyList(keys), example(keys))
}

// with is the format with the columns that the scenario names in the place of its own.
func (f dataFormat) with(c *DatasetColumns) *dataFormat {
	if c == nil {
		return &f
	}
	if c.Prompt != "" {
		f.columns[messagesColumn], f.columns[inputColumn] = nil, nil
	}
	if c.Messages != "" {
		f.columns[promptColumn] = nil
	}
	for column, name := range map[dataColumn]string{promptColumn: c.Prompt, messagesColumn: c.Messages, systemColumn: c.System, answerColumn: c.Output} {
		if name != "" {
			f.columns[column] = []string{name}
		}
	}
	return &f
}

// keyList names the columns of a row in an error.
func keyList(keys []string) string {
	if len(keys) == 0 {
		return "no columns"
	}
	const most = 20
	var names []string
	for _, k := range keys[:min(len(keys), most)] {
		names = append(names, clip(k))
	}
	if len(keys) > most {
		names = append(names, "...")
	}
	return "the columns " + strings.Join(names, ", ")
}

func example(keys []string) string {
	if len(keys) == 0 {
		return "question"
	}
	return clip(keys[0])
}
