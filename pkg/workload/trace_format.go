package workload

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// traceFormat says where a file with one row per line has what a row holds.
type traceFormat struct {
	name    string
	jsonl   bool
	unit    string // of the times, as traceClock has it
	columns [cellCount]column
	block   int  // tokens per prefix block; 0 without blocks
	tail    bool // whether what is left of a prompt after its whole blocks may have no id
}

// short reports whether this many blocks cannot make up a prompt.
func (f *traceFormat) short(blocks, input int) bool {
	tokens := blocks * f.block
	if f.tail && blocks > 0 {
		tokens += f.block - 1
	}
	return tokens < input
}

// The published formats that have one row per request. Columns are found by name, since releases insert some.
var traceFormats = []traceFormat{
	{ // Azure LLM inference, 2023 (no zone, 7-digit fractions, CRLF) and 2024 (microseconds and a zone)
		name: "azure", unit: "rfc3339",
		columns: [cellCount]column{timeCell: {name: "TIMESTAMP"}, inputCell: {name: "ContextTokens"}, outputCell: {name: "GeneratedTokens"}},
	},
	{ // BurstGPT 1 to 3; the third has sessions
		name: "burstgpt", unit: "s",
		columns: [cellCount]column{timeCell: {name: "Timestamp"}, inputCell: {name: "Request tokens"}, outputCell: {name: "Response tokens"},
			sessionCell: {name: "Session ID", optional: true}},
	},
	{ // Mooncake, FAST 2025
		name: "mooncake", jsonl: true, unit: "ms", block: 512,
		columns: [cellCount]column{timeCell: {name: "timestamp"}, inputCell: {name: "input_length"}, outputCell: {name: "output_length"},
			blocksCell: {name: "hash_ids"}},
	},
	{ // Qwen-Bailian: the turns of a conversation are linked
		name: "bailian", jsonl: true, unit: "s", block: 16, tail: true,
		columns: [cellCount]column{timeCell: {name: "timestamp"}, inputCell: {name: "input_length"}, outputCell: {name: "output_length"},
			chatCell: {name: "chat_id"}, parentCell: {name: "parent_chat_id", optional: true}, turnCell: {name: "turn", optional: true},
			blocksCell: {name: "hash_ids", optional: true}},
	},
}

const servegen = "servegen"

// TraceFormats names the formats that a trace may have.
func TraceFormats() []string {
	var names []string
	for _, f := range traceFormats {
		names = append(names, f.name)
	}
	return append(names, servegen, "csv", "jsonl")
}

// formatOf is the format that the options name, or else the one that the first line shows.
func formatOf(t *Trace, name string, first string) (*traceFormat, error) {
	format := t.Format
	if format == "" {
		if format = detectFormat(first); format == "" {
			return nil, fmt.Errorf("%s: cannot tell the format by its first line %q: give format, one of %s; csv and jsonl with columns",
				name, clip(first), strings.Join(TraceFormats(), ", "))
		}
	}
	for i := range traceFormats {
		if traceFormats[i].name == format {
			return &traceFormats[i], nil
		}
	}
	switch format {
	case servegen:
		return &traceFormat{name: servegen}, nil
	case "csv", "jsonl":
		return genericFormat(format, t.Columns)
	}
	return nil, fmt.Errorf("format is %q: the formats are %s", t.Format, strings.Join(TraceFormats(), ", "))
}

// genericFormat has the columns that the scenario names.
func genericFormat(name string, c *TraceColumns) (*traceFormat, error) {
	const path = "columns"
	if c == nil || c.Time == "" {
		return nil, fmt.Errorf("%s.time is missing: name the column that holds the time, such as {time: ts, unit: s}", path)
	}
	f := &traceFormat{name: name, jsonl: name == "jsonl", unit: c.Unit, columns: [cellCount]column{
		timeCell: {name: c.Time}, inputCell: {name: c.Input}, outputCell: {name: c.Output}, sessionCell: {name: c.Session, optional: true}}}
	if f.unit == "" {
		f.unit = "s"
	}
	if _, ok := timeUnits[f.unit]; !ok && f.unit != "rfc3339" {
		return nil, fmt.Errorf("%s.unit is %q, want s, ms, us, ns or rfc3339", path, f.unit)
	}
	return f, nil
}

// detectFormat tells a format by the first line of a file, or gives nothing where that is not clear.
func detectFormat(first string) string {
	if strings.HasPrefix(first, "{") {
		row := gjson.Parse(first)
		switch has := func(key string) bool { return row.Get(key).Exists() }; {
		case !gjson.Valid(first) || !has("timestamp") || !has("input_length"):
		case has("chat_id"):
			return "bailian"
		case has("hash_ids"):
			return "mooncake"
		}
		return ""
	}
	names := map[string]bool{}
	fields := strings.Split(first, ",")
	for _, f := range fields {
		names[strings.ToLower(strings.Trim(f, ` "`))] = true
	}
	switch {
	case names["timestamp"] && names["contexttokens"]:
		return "azure"
	case names["timestamp"] && names["request tokens"]:
		return "burstgpt"
	case isClientLine(fields):
		return servegen
	}
	return ""
}
