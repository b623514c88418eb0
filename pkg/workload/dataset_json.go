package workload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// jsonSource gives JSON values, one per row.
type jsonSource interface {
	// pull gives the next value, valid JSON in valid UTF-8, or io.EOF. It is valid until the next call.
	pull() ([]byte, error)
	place() string
}

// jsonLines are values on lines of their own. Lines of blanks are none.
type jsonLines struct{ *lineReader }

func (l *jsonLines) place() string { return fmt.Sprintf("%s:%d", l.name, l.line) }

func (l *jsonLines) pull() ([]byte, error) {
	for {
		line, err := l.lineReader.next()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			if err == nil {
				err = soundJSON(line, l.place())
			}
			return line, err
		}
	}
}

// soundJSON reports what is no JSON. encoding/json bounds how deep values may lie in one another, which what reads them
// afterwards does not.
func soundJSON(text []byte, place string) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%s: not in UTF-8: convert the file", place)
	}
	if json.Valid(text) {
		return nil
	}
	var v json.RawMessage
	return fmt.Errorf("%s: not a row (%w): want %s, one row per line, or all of them in one list", place, json.Unmarshal(text, &v), rowForm)
}

// jsonList are the values of one list.
type jsonList struct {
	name  string
	row   int // of the last value given, from 1
	in    *rowLimiter
	dec   *json.Decoder
	value json.RawMessage
}

func newJSONList(f *dataFile) *jsonList {
	f.skipMark()
	l := &jsonList{name: f.name, in: &rowLimiter{r: f.text}}
	l.dec = json.NewDecoder(l.in)
	return l
}

func (l *jsonList) place() string { return fmt.Sprintf("%s: row %d", l.name, l.row) }

func (l *jsonList) pull() ([]byte, error) {
	l.in.again()
	if l.row == 0 {
		if _, err := l.dec.Token(); err != nil { // the bracket
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	}
	l.row++
	if !l.dec.More() {
		return nil, l.end()
	}
	if err := l.dec.Decode(&l.value); err != nil {
		return nil, l.mistake(err)
	}
	return l.value, soundJSON(l.value, l.place())
}

// end makes sure that the list has an end, and that nothing comes after it.
func (l *jsonList) end() error {
	if _, err := l.dec.Token(); err != nil {
		return l.mistake(err)
	}
	if _, err := l.dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: there is more after the list of %d rows: want one list", l.name, l.row-1)
	}
	return io.EOF
}

func (l *jsonList) mistake(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the list ends within row %d: the file is cut off; fetch it again", l.name, l.row)
	}
	return fmt.Errorf("%s: not a row (%w): correct or remove it", l.place(), err)
}

// jsonRows are the rows of JSON values.
type jsonRows struct {
	jsonSource
	format  *dataFormat
	pending []byte // the first row, which was looked at already
}

func openJSON(source jsonSource, d *Dataset) (dataRows, *dataFormat, error) {
	first, err := source.pull()
	if errors.Is(err, io.EOF) {
		return noRows{}, &dataFormat{name: cmp.Or(d.Format, "prompts")}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	row := gjson.ParseBytes(first)
	if !row.IsObject() {
		return nil, nil, fmt.Errorf("%s: the row is %s: want %s", source.place(), jsonKind(row), rowForm)
	}
	var keys []string
	row.ForEach(func(key, _ gjson.Result) bool {
		keys = append(keys, key.Str)
		return true
	})
	format, err := dataFormatOf(d, keys, source.place())
	if err != nil {
		return nil, nil, err
	}
	return &jsonRows{jsonSource: source, format: format, pending: slices.Clone(first)}, format, nil
}

// noRows is a file that has none.
type noRows struct{}

func (noRows) next(*rawRow) error { return io.EOF }
func (noRows) place() string      { return "" }
func (noRows) close()             {}

func (r *jsonRows) close() {}

func (r *jsonRows) next(row *rawRow) error {
	text := r.pending
	if r.pending = nil; text == nil {
		var err error
		if text, err = r.pull(); err != nil {
			return err
		}
	}
	object := gjson.ParseBytes(text)
	if !object.IsObject() {
		return fmt.Errorf("%s: the row is %s: want %s", r.place(), jsonKind(object), rowForm)
	}
	for column, v := range r.cells(object) {
		if v.Exists() {
			if err := row.set(dataColumn(column), v); err != nil {
				return fmt.Errorf("%s: %w", r.place(), err)
			}
		}
	}
	return nil
}

// cells finds the columns of a row.
func (r *jsonRows) cells(object gjson.Result) [dataColumns]gjson.Result {
	var cells [dataColumns]gjson.Result
	var best [dataColumns]int // which of the names was found, from 1
	object.ForEach(func(key, value gjson.Result) bool {
		for column, names := range r.format.columns {
			if at := slices.Index(names, key.Str) + 1; at > 0 && (best[column] == 0 || at <= best[column]) {
				cells[column], best[column] = value, at
			}
		}
		return true
	})
	for column, names := range r.format.columns {
		if best[column] == 0 && len(names) == 1 && strings.Contains(names[0], ".") {
			cells[column] = object.Get(names[0])
		}
	}
	return cells
}

// set puts a value into a row.
func (r *rawRow) set(column dataColumn, v gjson.Result) error {
	if v.Type == gjson.Null {
		r.null = true
		return nil
	}
	r.has[column] = true
	switch column {
	case messagesColumn:
		return r.setMessages(v)
	case maxTokensColumn:
		n, err := strconv.Atoi(v.Raw)
		if v.Type != gjson.Number || err != nil || n < 1 || n > longest {
			return fmt.Errorf("max_tokens is %s: want 1 to %d, or no max_tokens", clip(v.Raw), longest)
		}
		r.maxTokens = n
	case answerColumn: // it is not sent: what is no text and no length is none
		if n, err := strconv.Atoi(v.Raw); err == nil && v.Type == gjson.Number && n > 0 && n <= longest {
			r.answer = n
		} else if v.Type == gjson.String {
			r.texts[column] = v.Str
		}
	default:
		if v.Type != gjson.String {
			return fmt.Errorf("%s is %s: want a text", columnNames[column], jsonKind(v))
		}
		r.texts[column] = strings.Clone(v.Str) // which may be a part of the whole row
	}
	return nil
}

// columnNames are what errors call a column.
var columnNames = [dataColumns]string{promptColumn: "the prompt", inputColumn: "the input", systemColumn: "the system message",
	answerColumn: "the answer", messagesColumn: "messages", maxTokensColumn: "max_tokens"}

// setMessages reads a conversation, whose messages have role and content, or from and value.
func (r *rawRow) setMessages(v gjson.Result) (err error) {
	if !v.IsArray() {
		return fmt.Errorf("messages is %s: want a list of messages, as in %s", jsonKind(v), rowForm)
	}
	n := 0
	v.ForEach(func(_, m gjson.Result) bool {
		n++
		if !m.IsObject() {
			err = fmt.Errorf("message %d is %s: want {\"role\": ..., \"content\": ...}", n, jsonKind(m))
			return false
		}
		var message rawMessage
		if message, err = readMessage(m, n); err != nil {
			return false
		}
		r.messages = append(r.messages, message)
		return true
	})
	r.noMessages()
	return err
}

// readMessage reads message n.
func readMessage(v gjson.Result, n int) (m rawMessage, err error) {
	var role, content gjson.Result
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "role", "from":
			role = value
		case "content", "value":
			content = value
		case "tool_calls", "function_call":
			m.other = m.other || value.Type != gjson.Null && value.Raw != "[]"
		}
		return true
	})
	if role.Type != gjson.String || role.Str == "" {
		return m, fmt.Errorf("message %d has no role: want system, user or assistant", n)
	}
	m.role = role.Str
	switch {
	case content.Type == gjson.String:
		m.content = content.Str
	case content.IsArray():
		m.content, err = joinParts(&m, content, n)
	case content.Type != gjson.Null:
		err = fmt.Errorf("the content of message %d is %s: want a text", n, jsonKind(content))
	}
	return m, err
}

// joinParts is the text of a content that is a list of parts.
func joinParts(m *rawMessage, parts gjson.Result, n int) (string, error) {
	var texts []string
	var err error
	parts.ForEach(func(_, part gjson.Result) bool {
		switch text := part.Get("text"); {
		case part.Type == gjson.String:
			texts = append(texts, part.Str)
		case !part.IsObject():
			err = fmt.Errorf("a part of the content of message %d is %s: want a text", n, jsonKind(part))
			return false
		case text.Type == gjson.String && (part.Get("type").Str == "text" || part.Get("type").Str == "input_text"):
			texts = append(texts, text.Str)
		default:
			m.other = true
		}
		return true
	})
	return strings.Join(texts, "\n"), err
}

// jsonKind is what a value is, for errors.
func jsonKind(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "a list"
	case v.Type == gjson.String:
		return "a text"
	case v.Type == gjson.Number:
		return "a number"
	case v.Type == gjson.Null:
		return "null"
	}
	return "true or false"
}
