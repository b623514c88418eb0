package workload

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// datasetRow is one line of a dataset.
type datasetRow struct {
	messages  []Message
	maxTokens int // 0: the row does not say
	words     int
}

// datasetLine is a line as it is written.
type datasetLine struct {
	Prompt    *string   `json:"prompt"`
	Messages  []Message `json:"messages"`
	MaxTokens *int      `json:"max_tokens"`
}

// readDataset reads a JSONL file of {"prompt": "..."} or {"messages": [...]}, each with an optional "max_tokens".
// Other fields are left alone, blank lines skipped. An error names file and line.
func readDataset(path string) ([]datasetRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("prompts.dataset: %w", err)
	}
	defer f.Close()
	rows, err := parseDataset(f, path)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s: the dataset has no rows", path)
	}
	return rows, err
}

func parseDataset(in io.Reader, name string) ([]datasetRow, error) {
	var rows []datasetRow
	r := bufio.NewReaderSize(in, 64<<10)
	for line := 1; ; line++ {
		b, err := r.ReadBytes('\n')
		if line == 1 {
			b = bytes.TrimPrefix(b, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(b)) > 0 {
			row, perr := parseDatasetRow(b)
			if perr != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, line, perr)
			}
			rows = append(rows, row)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
}

// rowForm is what a row looks like.
const rowForm = `{"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}`

func parseDatasetRow(b []byte) (datasetRow, error) {
	var raw datasetLine
	if err := json.Unmarshal(b, &raw); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return datasetRow{}, fmt.Errorf("%s is of type %s: want %s", cmp.Or(wrong.Field, "the row"), wrong.Value, rowForm)
		}
		return datasetRow{}, fmt.Errorf("not a row (%w): want %s", err, rowForm)
	}
	row := datasetRow{messages: raw.Messages}
	switch {
	case raw.Prompt == nil && raw.Messages == nil:
		return row, errors.New("neither prompt nor messages: want " + rowForm)
	case raw.Prompt != nil && raw.Messages != nil:
		return row, errors.New("both prompt and messages: give one")
	case raw.Prompt != nil:
		row.messages = []Message{{Role: "user", Content: *raw.Prompt}}
	}
	if raw.MaxTokens != nil {
		if row.maxTokens = *raw.MaxTokens; row.maxTokens < 1 || row.maxTokens > longest {
			return row, fmt.Errorf("max_tokens is %d: want 1 to %d, or no max_tokens", row.maxTokens, longest)
		}
	}
	for i, m := range row.messages {
		if m.Role == "" {
			return row, fmt.Errorf("message %d has no role: want system, user or assistant", i+1)
		}
		row.words += len(strings.Fields(m.Content))
	}
	if row.words == 0 {
		return row, errors.New("the prompt is empty")
	}
	return row, nil
}
