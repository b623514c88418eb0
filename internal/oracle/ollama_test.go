package oracle

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// ollamaServer is the base URL of a running Ollama with a model small (scripts/ollama), such as http://127.0.0.1:11434.
const ollamaServer = "INFBENCH_OLLAMA"

// said is what a client made of an answer of Ollama.
type said struct {
	text, finish            string
	input, output           int
	prefill, decode, total  time.Duration
	answers, thoughts, uses int // events
	failed                  bool
}

// byOllama asks with Ollama's own client.
func byOllama(t *testing.T, base, name, prompt string, stream bool, options map[string]any) (s said) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	take := func(piece, thinking, reason string, calls int, m api.Metrics) {
		text.WriteString(piece)
		switch {
		case piece != "":
			s.answers++
		case thinking != "":
			s.thoughts++
		case calls > 0:
			s.uses++
		}
		if reason != "" {
			s.finish, s.input, s.output = reason, m.PromptEvalCount, m.EvalCount
			s.prefill, s.decode, s.total = m.PromptEvalDuration, m.EvalDuration, m.TotalDuration
		}
	}
	client := api.NewClient(u, http.DefaultClient)
	if name == endpoint.OllamaChat {
		err = client.Chat(t.Context(), &api.ChatRequest{Model: "small", Messages: []api.Message{{Role: "user", Content: prompt}}, Stream: &stream, Options: options},
			func(r api.ChatResponse) error {
				take(r.Message.Content, r.Message.Thinking, r.DoneReason, len(r.Message.ToolCalls), r.Metrics)
				return nil
			})
	} else {
		err = client.Generate(t.Context(), &api.GenerateRequest{Model: "small", Prompt: prompt, Stream: &stream, Options: options},
			func(r api.GenerateResponse) error {
				take(r.Response, r.Thinking, r.DoneReason, len(r.ToolCalls), r.Metrics)
				return nil
			})
	}
	s.text, s.failed = text.String(), err != nil
	return s
}

// ofOurs is the same of our answer.
func ofOurs(r *answered) said {
	count := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	took := func(d *time.Duration) time.Duration {
		if d == nil {
			return 0
		}
		return *d
	}
	s := said{text: r.Text, finish: r.Finish, input: count(r.Usage.Input), output: count(r.Usage.Output), failed: r.Class != endpoint.OK && r.Class != endpoint.Empty,
		prefill: took(r.Server.Prefill), decode: took(r.Server.Decode), total: took(r.Server.Total)}
	for _, e := range r.events {
		switch e.Kind {
		case endpoint.Answer:
			s.answers++
		case endpoint.Reasoning:
			s.thoughts++
		case endpoint.Tool:
			s.uses++
		}
	}
	return s
}

// ollamaStreams are answers as Ollama v0.17.4 writes them; the first two are those of a real server.
var ollamaStreams = map[string][]string{
	endpoint.OllamaChat: {
		`{"model":"small","created_at":"2026-11-25T14:11:26.55267875Z","message":{"role":"assistant","content":" los"},"done":false}
{"model":"small","created_at":"2026-11-25T14:11:26.561963777Z","message":{"role":"assistant","content":" foot"},"done":false}
{"model":"small","created_at":"2026-11-25T14:11:26.590088049Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","total_duration":452193934,"load_duration":308287973,"prompt_eval_count":19,"prompt_eval_duration":104637494,"eval_count":2,"eval_duration":36031477}
`,
		`{"model":"m","message":{"role":"assistant","content":"","thinking":"hm \u003cb\u003e"},"done":false}
{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"content":"x","done":true}}}]},"done":false}
{"model":"m","message":{"role":"assistant","content":"é\"\n"},"done":false}
{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":900,"eval_count":3,"eval_duration":800}
`,
		`{"model":"m","message":{"role":"assistant","content":"a"},"done":false}
{"error":"an error was encountered while running the model"}
`,
		`{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}
`,
	},
	endpoint.OllamaGenerate: {
		`{"model":"small","created_at":"2026-11-25T14:11:26.618765996Z","response":" los","done":false}
{"model":"small","created_at":"2026-11-25T14:11:26.626485602Z","response":" foot","done":false}
{"model":"small","created_at":"2026-11-25T14:11:26.649796646Z","response":"","done":true,"done_reason":"length","context":[5752,5754,5743],"total_duration":50459502,"load_duration":8444405,"prompt_eval_count":19,"prompt_eval_duration":7765354,"eval_count":2,"eval_duration":30760359}
`,
		`{"model":"m","response":"","thinking":"hm","done":false}
{"model":"m","response":"a","done":false}
{"model":"m","response":"","done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":2}`,
	},
}

// The same bytes in small pieces: Ollama's own client and ours find the same in them.
func TestSameAsOllamasClient(t *testing.T) {
	for name, streams := range ollamaStreams {
		for i, stream := range streams {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/x-ndjson")
				for at := range stream {
					io.WriteString(w, stream[at:at+1])
					if stream[at] == '\n' || at%37 == 0 {
						w.(http.Flusher).Flush()
					}
				}
			}))
			want := byOllama(t, s.URL, name, "hi", true, nil)
			r := ask(t, workload.Approach{API: name, URL: s.URL, Model: "small"}, "hi", 0)
			s.Close()
			if got := ofOurs(&r); got != want {
				t.Errorf("%s %d:\n  its own client %+v\n  ours           %+v (%s)", name, i, want, got, r.Error)
			}
		}
	}
}

// Against a real server: both native APIs and the OpenAI-compatible one give the text that Ollama's own client gets, with
// usage and times that fit.
func TestRealOllama(t *testing.T) {
	base := os.Getenv(ollamaServer)
	if base == "" {
		t.Skip("set " + ollamaServer + " to the base URL of a running Ollama with a model small (scripts/ollama)")
	}
	const length = 16
	options := map[string]any{"temperature": 0, "seed": 1}
	limited := map[string]any{"temperature": 0, "seed": 1, "num_predict": length}
	no := false
	native := func(name string, stream *bool) workload.Approach {
		return workload.Approach{API: name, URL: base, Model: "small", Stream: stream, Body: map[string]any{"options": options}}
	}
	forms := map[string]workload.Approach{
		"chat": native(endpoint.OllamaChat, nil), "chat in one piece": native(endpoint.OllamaChat, &no),
		"generate": native(endpoint.OllamaGenerate, nil), "generate in one piece": native(endpoint.OllamaGenerate, &no),
		"OpenAI": {URL: base + "/v1", Model: "small", MaxTokensField: "max_tokens", Body: options},
	}
	for i := range 3 {
		prompt := fmt.Sprintf("%s Tell me a story about %s a cat.", workload.Words()[100*i], strings.Repeat("a dog and ", 1+5*i))
		// The first answer fills the server's cache, which cannot be turned off: all others are computed alike.
		byOllama(t, base, endpoint.OllamaChat, prompt, true, limited)
		want := byOllama(t, base, endpoint.OllamaChat, prompt, true, limited)
		if want.failed || want.text == "" || want.output != length {
			t.Fatalf("its own client: %+v", want)
		}
		for name, a := range forms {
			r := ask(t, a, prompt, length)
			got := ofOurs(&r)
			if r.Class != endpoint.OK || got.text != want.text || got.finish != "length" || got.input != want.input || got.output != length {
				t.Errorf("%s: %s (%s) %+v\nwant %+v", name, r.Class, r.Error, got, want)
			}
			if r.UnknownEvents != 0 {
				t.Errorf("%s: %d events were not understood", name, r.UnknownEvents)
			}
			if a.API != "" {
				checkOllamaTimes(t, name, &r)
			}
		}
	}
	r := ask(t, workload.Approach{API: endpoint.OllamaChat, URL: base, Model: "none-such"}, "hi", 1)
	if r.Class != endpoint.HTTPStatus || r.Status != http.StatusNotFound || !strings.Contains(r.Error, "none-such") {
		t.Errorf("a model that is not there: %s %q", r.Class, r.Error)
	}
	// It is never told to stop: it is given up.
	a := native(endpoint.OllamaGenerate, nil)
	a.Timeouts.Total = workload.Duration(300 * time.Millisecond)
	if r := ask(t, a, "go on", 4000); r.Class != endpoint.TimeoutTotal {
		t.Errorf("given up: %s %q", r.Class, r.Error)
	}
}

// checkOllamaTimes holds what the server says of itself against what we saw.
func checkOllamaTimes(t *testing.T, name string, r *answered) {
	t.Helper()
	s := r.Server
	if s.Queue == nil || s.Prefill == nil || s.Decode == nil || s.Total == nil {
		t.Errorf("%s: times are missing: %+v", name, s)
		return
	}
	done, _ := r.events.first(endpoint.Done)
	token, _ := r.events.first(endpoint.Answer)
	var wrong []error
	if *s.Queue+*s.Prefill+*s.Decode != *s.Total {
		wrong = append(wrong, errors.New("the parts are not the whole"))
	}
	if done-r.begun < *s.Total { // from begun on this is certain
		wrong = append(wrong, fmt.Errorf("done after %s", done-r.begun))
	}
	if token-r.begun < *s.Prefill {
		wrong = append(wrong, fmt.Errorf("first token after %s", token-r.begun))
	}
	if err := errors.Join(wrong...); err != nil {
		t.Errorf("%s: the server says queue %s, prefill %s, decode %s, total %s: %v", name, *s.Queue, *s.Prefill, *s.Decode, *s.Total, err)
	}
}
