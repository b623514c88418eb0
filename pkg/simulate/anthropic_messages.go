package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// anthropicMessages is the Anthropic messages API.
var anthropicMessages = &language{parse: parseMessages, shape: func(_ int, kind, message string) any {
	return map[string]any{"type": "error", "error": map[string]any{"type": kind, "message": message}}
}}

func parseMessages(_ *http.Request, body []byte) (*asked, error) {
	var r struct {
		Model     string        `json:"model"`
		System    content       `json:"system"`
		Messages  []chatMessage `json:"messages"`
		Stream    bool          `json:"stream"`
		MaxTokens *int          `json:"max_tokens"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("the body is not a messages request: %w", err)
	}
	switch {
	case len(r.Messages) == 0:
		return nil, errors.New("messages: at least one is needed")
	case r.MaxTokens == nil:
		return nil, errors.New("max_tokens: field required")
	}
	a := &asked{model: r.Model, texts: r.System, stream: r.Stream, limit: r.MaxTokens}
	for _, m := range r.Messages {
		a.texts = append(a.texts, m.Content...)
	}
	a.speak = func(c *call) speech { return &messageWriter{c} }
	return a, nil
}

// messageWriter writes the events of a message.
type messageWriter struct{ *call }

func (w *messageWriter) mime() string { return sseMime }

// usage is the opening usage. Cached tokens are not among the input tokens here.
func (w *messageWriter) usage(b []byte, output int) []byte {
	t := &w.truth
	return fmt.Appendf(b, `{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"output_tokens":%d}`,
		t.InputTokens-t.CachedTokens, t.CachedTokens, output)
}

// object opens the message, up to its content.
func (w *messageWriter) object(b []byte) []byte {
	b = append(b, `{"id":"msg_`...)
	b = append(b, w.id...)
	b = append(b, `","type":"message","role":"assistant","model":`...)
	return appendString(b, w.asked.model)
}

func (w *messageWriter) open(b []byte) []byte {
	w.truth.CachedTokens = w.job.cached // told at the start here; it has been known since the request was admitted
	b = append(b, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	b = append(w.object(b), `,"content":[],"stop_reason":null,"usage":`...)
	b = append(w.usage(b, 1), "}}\n\n"...)
	b = append(b, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"...)
	return append(b, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
}

func (w *messageWriter) tokens(b []byte, from, to int) []byte {
	b = append(b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\""...)
	return append(text(b, from, to), "\"}}\n\n"...)
}

func (w *messageWriter) close(b []byte) []byte {
	b = append(b, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"...)
	b = append(b, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\""+w.stop()+"\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":"...)
	b = strconv.AppendInt(b, int64(w.truth.OutputTokens), 10)
	return append(b, "}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

func (w *messageWriter) stop() string {
	if w.job.finish == finishLength {
		return "max_tokens"
	}
	return "end_turn"
}

func (w *messageWriter) fail(b []byte, message string) []byte {
	b = append(b, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"...)
	return append(appendString(b, message), "}}\n\n"...)
}

func (w *messageWriter) garble(b []byte) []byte {
	return append(b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"brok\n\n"...)
}

func (w *messageWriter) whole(b []byte) []byte {
	b = append(w.object(b), `,"content":[{"type":"text","text":"`...)
	b = text(b, 0, w.truth.OutputTokens)
	b = append(b, `"}],"stop_reason":"`+w.stop()+`","stop_sequence":null,"usage":`...)
	return append(w.usage(b, w.truth.OutputTokens), '}')
}
