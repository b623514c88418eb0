package oracle

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// llamaServer is the base URL of a running llama-server, such as http://127.0.0.1:8080/v1.
const llamaServer = "INFBENCH_LLAMA_SERVER"

type all []endpoint.Event

func (a *all) Observe(e endpoint.Event) { *a = append(*a, e) }

func (a all) first(k endpoint.Kind) (time.Duration, bool) {
	for _, e := range a {
		if e.Kind == k {
			return e.At, true
		}
	}
	return 0, false
}

// Against a real server: the same text and usage as the official SDK, and times that fit what the server says of
// itself.
func TestRealLlamaServer(t *testing.T) {
	url := os.Getenv(llamaServer)
	if url == "" {
		t.Skip("set " + llamaServer + " to the base URL of a running llama-server")
	}
	prompt := "Tell me a story about " + strings.Repeat("a dog and ", 40) + "a cat."
	client := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("k"), option.WithMaxRetries(0))
	sdk, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "small", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		MaxCompletionTokens: openai.Int(40), Temperature: openai.Float(0), Seed: openai.Int(1)}, option.WithJSONSet("cache_prompt", false))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	for name, a := range map[string]workload.Approach{
		"streamed":              {},
		"with progress":         {Body: map[string]any{"return_progress": true, "timings_per_token": true}},
		"continuous usage":      {Body: map[string]any{"stream_options": map[string]any{"continuous_usage_stats": true}}},
		"new connections":       {Connections: workload.Connections{Reuse: "never"}},
		"in one piece":          {Stream: &no},
		"old name of the limit": {MaxTokensField: "max_tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			body := map[string]any{"temperature": 0, "seed": 1, "cache_prompt": false}
			for k, v := range a.Body {
				body[k] = v
			}
			a.URL, a.Model, a.Body = url, "small", body
			epoch := time.Now()
			e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, KeepText: true})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			var obs all
			begun := time.Since(epoch)
			r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: prompt}}, MaxTokens: 40}, &obs)
			if r.Class != endpoint.OK || r.Text != sdk.Choices[0].Message.Content || r.Finish != sdk.Choices[0].FinishReason ||
				r.Usage.Input == nil || int64(*r.Usage.Input) != sdk.Usage.PromptTokens || r.Usage.Output == nil || int64(*r.Usage.Output) != sdk.Usage.CompletionTokens {
				t.Errorf("%+v\nSDK %+v", r, sdk)
			}
			sent, _ := obs.first(endpoint.Sent)
			token, _ := obs.first(endpoint.Answer)
			done, _ := obs.first(endpoint.Done)
			if r.Server.Prefill == nil || r.Server.Decode == nil {
				t.Fatalf("no timings of the server: %+v", r.Server)
			}
			// From begun on this is certain. The stamp of sent can wait for a processor while the server has begun.
			if token-begun < *r.Server.Prefill || done-begun < *r.Server.Prefill+*r.Server.Decode {
				t.Errorf("begun %s, first token %s, done %s: less than the server's own %s and %s", begun, token, done, *r.Server.Prefill, *r.Server.Decode)
			}
			if r.UnknownEvents != 0 {
				t.Errorf("%d events were not understood", r.UnknownEvents)
			}
			t.Logf("TTFT %s (prefill %s), E2E %s (prefill + decode %s), %d events", token-sent, *r.Server.Prefill, done-sent, *r.Server.Prefill+*r.Server.Decode, len(obs))
		})
	}

	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url, Model: "small"}, Epoch: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var obs all
	long := workload.Request{Messages: []workload.Message{{Role: "user", Content: strings.Repeat("word ", 100_000)}}}
	if r := e.Do(t.Context(), &long, &obs); r.Class != endpoint.HTTPStatus || r.Status != 400 || !strings.Contains(r.Error, "context") {
		t.Errorf("a prompt larger than the context: %s %q", r.Class, r.Error)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(30*time.Millisecond, func() { cancel(endpoint.ErrUnfinished) })
	if r := e.Do(ctx, &workload.Request{Messages: []workload.Message{{Role: "user", Content: prompt}}, MaxTokens: 3000}, &obs); r.Class != endpoint.Unfinished {
		t.Errorf("cancelled: %s %q", r.Class, r.Error)
	}
}
