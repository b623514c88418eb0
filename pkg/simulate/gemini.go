package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// gemini is Google's generateContent API.
var gemini = &language{parse: parseGemini, shape: geminiError}

func geminiError(status int, _, message string) any {
	name := map[int]string{http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
		http.StatusServiceUnavailable: "UNAVAILABLE"}[status]
	if name == "" {
		name = "INTERNAL"
	}
	return map[string]any{"error": map[string]any{"code": status, "message": message, "status": name}}
}

func parseGemini(req *http.Request, body []byte) (*asked, error) {
	type turn struct {
		Parts []struct {
			Text string `json:"text"`
		} `json:"parts"`
	}
	var r struct {
		Contents          []turn `json:"contents"`
		SystemInstruction turn   `json:"systemInstruction"`
		GenerationConfig  struct {
			MaxOutputTokens *int `json:"maxOutputTokens"`
		} `json:"generationConfig"`
	}
	model, method, _ := strings.Cut(req.PathValue("call"), ":")
	if method != "streamGenerateContent" && method != "generateContent" {
		return nil, fmt.Errorf("models have no method %q here: there are streamGenerateContent (with alt=sse) and generateContent", method)
	}
	stream := method == "streamGenerateContent"
	if stream && req.URL.Query().Get("alt") != "sse" {
		return nil, errors.New("the simulation streams with alt=sse only")
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("the body is not a generateContent request: %w", err)
	}
	if len(r.Contents) == 0 {
		return nil, errors.New("contents is not specified")
	}
	a := &asked{model: model, stream: stream, limit: r.GenerationConfig.MaxOutputTokens, speak: func(c *call) speech { return &geminiWriter{c} }}
	for _, t := range append([]turn{r.SystemInstruction}, r.Contents...) {
		for _, p := range t.Parts {
			a.texts = append(a.texts, p.Text)
		}
	}
	return a, nil
}

// geminiWriter writes the chunks of an answer, with the line ends that Google's servers use.
type geminiWriter struct{ *call }

func (w *geminiWriter) mime() string { return "text/event-stream" }

// candidate opens a chunk with a piece of text.
func (w *geminiWriter) candidate(b []byte, from, to int) []byte {
	b = append(b, `{"candidates":[{"content":{"parts":[{"text":"`...)
	return append(text(b, from, to), `"}],"role":"model"},`...)
}

// finish is the rest of the chunk, with the finish reason and the usage.
func (w *geminiWriter) finish(b []byte) []byte {
	reason := "STOP"
	if w.job.finish == finishLength {
		reason = "MAX_TOKENS"
	}
	t := &w.truth
	b = fmt.Appendf(b, `"finishReason":%q,"index":0}],"usageMetadata":{"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d,"cachedContentTokenCount":%d},"modelVersion":`,
		reason, t.InputTokens, t.OutputTokens, t.InputTokens+t.OutputTokens, t.CachedTokens)
	return append(append(appendString(b, w.asked.model), `,"responseId":"`+w.id...), `"}`...)
}

func (w *geminiWriter) open(b []byte) []byte { return b }

func (w *geminiWriter) tokens(b []byte, from, to int) []byte {
	b = w.candidate(append(b, "data: "...), from, to)
	b = fmt.Appendf(b, `"index":0}],"usageMetadata":{"promptTokenCount":%d},"modelVersion":`, w.truth.InputTokens)
	return append(appendString(b, w.asked.model), "}\r\n\r\n"...)
}

func (w *geminiWriter) close(b []byte) []byte {
	b = w.candidate(append(b, "data: "...), 0, 0)
	return append(w.finish(b), "\r\n\r\n"...)
}

func (w *geminiWriter) fail(b []byte, message string) []byte {
	b = append(b, `data: {"error":{"code":503,"status":"UNAVAILABLE","message":`...)
	return append(appendString(b, message), "}}\r\n\r\n"...)
}

func (w *geminiWriter) garble(b []byte) []byte {
	return append(b, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"brok\r\n\r\n"...)
}

func (w *geminiWriter) whole(b []byte) []byte {
	return w.finish(w.candidate(b, 0, w.truth.OutputTokens))
}
