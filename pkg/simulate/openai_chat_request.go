package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// chatRequest is what the simulation understands of a chat completions request; it ignores the rest.
type chatRequest struct {
	Model         string        `json:"model"`
	Messages      []chatMessage `json:"messages"`
	Stream        bool          `json:"stream"`
	StreamOptions struct {
		IncludeUsage         bool `json:"include_usage"`
		ContinuousUsageStats bool `json:"continuous_usage_stats"` // vLLM: a running count in every chunk
	} `json:"stream_options"`
	MaxTokens           *int `json:"max_tokens"`
	MaxCompletionTokens *int `json:"max_completion_tokens"`
	N                   *int `json:"n"`
	ReturnTokenIDs      bool `json:"return_token_ids"` // vLLM: the tokens of every chunk
}

type chatMessage struct {
	Content content `json:"content"`
}

// content is a string, null, or a list of parts of which only the texts count.
type content []string

func (c *content) UnmarshalJSON(b []byte) error {
	*c = nil
	if len(b) > 0 && b[0] == '[' {
		var parts []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(b, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			*c = append(*c, p.Text)
		}
		return nil
	}
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("content is neither a string nor a list of parts")
	}
	if s != nil {
		*c = content{*s}
	}
	return nil
}

// parseChat reads a request.
func parseChat(_ *http.Request, body []byte) (*asked, error) {
	var r chatRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("the body is not a chat completions request: %w", err)
	}
	if r.N != nil && *r.N != 1 {
		return nil, fmt.Errorf("n is %d: the simulation gives one choice", *r.N)
	}
	a := &asked{model: r.Model, stream: r.Stream, limit: r.limit(), speak: func(c *call) speech { return newChatWriter(c, &r) }}
	for _, m := range r.Messages {
		a.texts = append(a.texts, m.Content...)
	}
	if len(r.Messages) == 0 {
		return nil, errors.New("messages is empty: at least one is needed")
	}
	return a, nil
}

// limit is the output length that was asked for, nil where none was.
func (r *chatRequest) limit() *int {
	if r.MaxCompletionTokens != nil {
		return r.MaxCompletionTokens
	}
	return r.MaxTokens
}
