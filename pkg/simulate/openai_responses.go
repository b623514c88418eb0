package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// openAIResponses is the OpenAI responses API.
var openAIResponses = &language{parse: parseResponses, shape: openAIError}

// responsesInput is a text, or a list of messages.
type responsesInput []string

func (in *responsesInput) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*in = responsesInput{s}
		return nil
	}
	var list []chatMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return errors.New("input is neither a string nor a list of messages")
	}
	for _, m := range list {
		*in = append(*in, m.Content...)
	}
	return nil
}

func parseResponses(_ *http.Request, body []byte) (*asked, error) {
	var r struct {
		Model           string         `json:"model"`
		Instructions    string         `json:"instructions"`
		Input           responsesInput `json:"input"`
		Stream          bool           `json:"stream"`
		MaxOutputTokens *int           `json:"max_output_tokens"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("the body is not a responses request: %w", err)
	}
	if len(r.Input) == 0 {
		return nil, errors.New("input is empty")
	}
	a := &asked{model: r.Model, stream: r.Stream, limit: r.MaxOutputTokens, texts: r.Input}
	if r.Instructions != "" {
		a.texts = append([]string{r.Instructions}, a.texts...)
	}
	a.speak = func(c *call) speech { return &responseWriter{call: c} }
	return a, nil
}

// responseWriter writes the events of a response.
type responseWriter struct {
	*call
	sequence int
}

func (w *responseWriter) mime() string { return sseMime }

// event opens an event, up to its own members.
func (w *responseWriter) event(b []byte, kind string) []byte {
	b = fmt.Appendf(b, "event: %s\ndata: {\"type\":%q,\"sequence_number\":%d", kind, kind, w.sequence)
	w.sequence++
	return b
}

const eventEnd = "}\n\n"

// object is the response with a status, and with its output where that is whole.
func (w *responseWriter) object(b []byte, status string, whole bool) []byte {
	b = fmt.Appendf(b, `{"id":"resp_%s","object":"response","created_at":%d,"status":%q,"model":`, w.id, w.received.Unix(), status)
	b = appendString(b, w.asked.model)
	if status == "incomplete" {
		b = append(b, `,"incomplete_details":{"reason":"max_output_tokens"}`...)
	}
	if !whole {
		return append(b, `,"output":[],"usage":null}`...)
	}
	t := &w.truth
	b = append(b, `,"output":[`...)
	b = append(w.item(b, true), ']')
	return fmt.Appendf(b, `,"usage":{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":%d}}`,
		t.InputTokens, t.CachedTokens, t.OutputTokens, t.InputTokens+t.OutputTokens)
}

// item is the one message of the output.
func (w *responseWriter) item(b []byte, whole bool) []byte {
	b = append(b, `{"type":"message","id":"msg_`+w.id+`","role":"assistant","status":"`...)
	if !whole {
		return append(b, `in_progress","content":[]}`...)
	}
	b = append(b, `completed","content":[{"type":"output_text","annotations":[],"text":"`...)
	return append(text(b, 0, w.truth.OutputTokens), `"}]}`...)
}

func (w *responseWriter) open(b []byte) []byte {
	for _, kind := range []string{"response.created", "response.in_progress"} {
		b = append(w.event(b, kind), `,"response":`...)
		b = append(w.object(b, "in_progress", false), eventEnd...)
	}
	b = append(w.event(b, "response.output_item.added"), `,"output_index":0,"item":`...)
	b = append(w.item(b, false), eventEnd...)
	b = append(w.event(b, "response.content_part.added"), `,"output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}`...)
	return append(b, eventEnd...)
}

func (w *responseWriter) tokens(b []byte, from, to int) []byte {
	b = append(w.event(b, "response.output_text.delta"), `,"item_id":"msg_`+w.id+`","output_index":0,"content_index":0,"delta":"`...)
	return append(text(b, from, to), `"`+eventEnd...)
}

func (w *responseWriter) close(b []byte) []byte {
	b = append(w.event(b, "response.output_text.done"), `,"item_id":"msg_`+w.id+`","output_index":0,"content_index":0,"text":"`...)
	b = append(text(b, 0, w.truth.OutputTokens), `"`+eventEnd...)
	b = append(w.event(b, "response.output_item.done"), `,"output_index":0,"item":`...)
	b = append(w.item(b, true), eventEnd...)
	b = append(w.event(b, "response."+w.status()), `,"response":`...)
	return append(w.object(b, w.status(), true), eventEnd...)
}

// status is how the response ended: one that reached its limit is not complete.
func (w *responseWriter) status() string {
	if w.job.finish == finishLength {
		return "incomplete"
	}
	return "completed"
}

func (w *responseWriter) fail(b []byte, message string) []byte {
	b = append(w.event(b, "error"), `,"code":"server_error","param":null,"message":`...)
	return append(appendString(b, message), eventEnd...)
}

func (w *responseWriter) garble(b []byte) []byte {
	return append(w.event(b, "response.output_text.delta"), ",\"delta\":\"brok\n\n"...)
}

func (w *responseWriter) whole(b []byte) []byte { return w.object(b, w.status(), true) }
