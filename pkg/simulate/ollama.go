package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The two ways to ask Ollama.
var (
	ollamaChat     = &language{parse: parseOllamaChat, shape: ollamaError}
	ollamaGenerate = &language{parse: parseOllamaGenerate, shape: ollamaError}
)

func ollamaError(_ int, _, message string) any { return map[string]any{"error": message} }

// ollamaRequest is what both have in common. They stream unless told not to.
type ollamaRequest struct {
	Model    string        `json:"model"`
	Messages []chatMessage `json:"messages"`
	Prompt   string        `json:"prompt"`
	System   string        `json:"system"`
	Stream   *bool         `json:"stream"`
	Options  struct {
		NumPredict *int `json:"num_predict"`
	} `json:"options"`
}

func parseOllama(body []byte, chat bool) (*ollamaRequest, *asked, error) {
	r := &ollamaRequest{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, nil, fmt.Errorf("the body is no request: %w", err)
	}
	if r.Model == "" {
		return nil, nil, errors.New("model is required")
	}
	return r, &asked{model: r.Model, stream: r.Stream == nil || *r.Stream, limit: r.Options.NumPredict,
		speak: func(c *call) speech { return &ollamaWriter{call: c, chat: chat} }}, nil
}

func parseOllamaChat(_ *http.Request, body []byte) (*asked, error) {
	r, a, err := parseOllama(body, true)
	if err != nil {
		return nil, err
	}
	if len(r.Messages) == 0 {
		return nil, errors.New("messages is empty: the simulation loads no models")
	}
	for _, m := range r.Messages {
		a.texts = append(a.texts, m.Content...)
	}
	return a, nil
}

func parseOllamaGenerate(_ *http.Request, body []byte) (*asked, error) {
	r, a, err := parseOllama(body, false)
	if err != nil {
		return nil, err
	}
	if r.Prompt == "" {
		return nil, errors.New("prompt is empty: the simulation loads no models")
	}
	a.texts = []string{r.System, r.Prompt}
	return a, nil
}

// ollamaWriter writes the lines of an answer.
type ollamaWriter struct {
	*call
	chat bool
}

func (w *ollamaWriter) mime() string { return "application/x-ndjson" }

// line opens a line with a piece of text.
func (w *ollamaWriter) line(b []byte, from, to int) []byte {
	b = append(b, `{"model":`...)
	b = appendString(b, w.asked.model)
	b = append(b, `,"created_at":"`...)
	b = time.Now().UTC().AppendFormat(b, time.RFC3339Nano)
	if !w.chat {
		b = append(b, `","response":"`...)
		return append(text(b, from, to), '"')
	}
	b = append(b, `","message":{"role":"assistant","content":"`...)
	return append(text(b, from, to), `"}`...)
}

// end is the rest of the last line. Ollama counts the wait for a runner as loading.
func (w *ollamaWriter) end(b []byte) []byte {
	t := &w.truth
	reason := "stop"
	if w.job.finish == finishLength {
		reason = "length"
	}
	return fmt.Appendf(b, `,"done":true,"done_reason":%q,"total_duration":%d,"load_duration":%d,"prompt_eval_count":%d,"prompt_eval_duration":%d,"eval_count":%d,"eval_duration":%d}`,
		reason, t.Queue+t.Prefill+t.Decode, t.Queue, t.InputTokens, t.Prefill, t.OutputTokens, t.Decode)
}

func (w *ollamaWriter) open(b []byte) []byte { return b }

func (w *ollamaWriter) tokens(b []byte, from, to int) []byte {
	return append(w.line(b, from, to), ",\"done\":false}\n"...)
}

func (w *ollamaWriter) close(b []byte) []byte {
	return append(w.end(w.line(b, 0, 0)), '\n')
}

func (w *ollamaWriter) fail(b []byte, message string) []byte {
	b = append(b, `{"error":`...)
	return append(appendString(b, message), "}\n"...)
}

func (w *ollamaWriter) garble(b []byte) []byte {
	return append(b, "{\"message\":{\"content\":\"brok\n"...)
}

func (w *ollamaWriter) whole(b []byte) []byte { return w.end(w.line(b, 0, w.truth.OutputTokens)) }
