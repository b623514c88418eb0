package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// answered is what came of one request, and when.
type answered struct {
	endpoint.Result
	events all
	begun  time.Duration
}

// ask sends one request that gives the same answer every time.
func ask(t *testing.T, a workload.Approach, content string, maxTokens int) answered {
	t.Helper()
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := answered{begun: time.Since(epoch)}
	r.Result = e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: content}}, MaxTokens: maxTokens}, &r.events)
	return r
}

// tokens is the sum of what the events say they hold.
func (r *answered) tokens() (n int) {
	for _, e := range r.events {
		n += e.Tokens
	}
	return n
}

// ttft is the time from the last byte of the request to the first token.
func (r *answered) ttft() time.Duration {
	sent, _ := r.events.first(endpoint.Sent)
	token, _ := r.events.first(endpoint.Answer)
	return token - sent
}

// templated is a message with the model's template around it, by the server itself.
func templated(t *testing.T, base, content string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"messages": []workload.Message{{Role: "user", Content: content}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(base+"/apply-template", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var answer struct{ Prompt string }
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || !strings.Contains(answer.Prompt, content) {
		t.Fatalf("no template: %q (%v)", answer.Prompt, err)
	}
	return answer.Prompt
}

// Against a real server: its native API gives what its chat API gives for the same tokens, word for word, whether it is
// streamed, and neither shows a first token earlier than the other.
func TestRealLlamaServerNative(t *testing.T) {
	url := os.Getenv(llamaServer)
	if url == "" {
		t.Skip("set " + llamaServer + " to the base URL of a running llama-server")
	}
	base := strings.TrimSuffix(url, "/v1")
	fixed := map[string]any{"temperature": 0, "seed": 1, "cache_prompt": false}
	chat := workload.Approach{URL: url, Model: "small", Body: fixed}
	native := workload.Approach{API: endpoint.LlamaCpp, URL: base, Body: map[string]any{"temperature": 0, "seed": 1}}
	no := false
	forms := map[string]workload.Approach{"streamed": native}
	whole, plain, ids := native, native, native
	whole.Stream = &no
	plain.Connections.Reuse = "never"
	ids.Body = maps.Clone(native.Body)
	maps.Copy(ids.Body, map[string]any{"return_tokens": true, "return_progress": true, "timings_per_token": true})
	forms["in one piece"], forms["new connections"], forms["all that it can say"] = whole, plain, ids
	var chats, natives []time.Duration
	for i := range 40 {
		content := fmt.Sprintf("%s Tell me a story about %s a cat.", workload.Words()[i], strings.Repeat("a dog and ", 1+i%8))
		prompt := templated(t, base, content)
		want := ask(t, chat, content, 12)
		if want.Class != endpoint.OK {
			t.Fatalf("%s: %s", want.Class, want.Error)
		}
		got := ask(t, native, prompt, 12)
		chats, natives = append(chats, want.ttft()), append(natives, got.ttft())
		sameAnswer(t, content, &got, &want)
		if i%10 != 0 {
			continue
		}
		for name, a := range forms {
			got := ask(t, a, prompt, 12)
			sameAnswer(t, content+" "+name, &got, &want)
		}
	}
	// 1 in 10000 by chance alone. What differs is the template, a few microseconds of it.
	p := mannWhitney(chats, natives)
	slices.Sort(chats)
	slices.Sort(natives)
	t.Logf("median TTFT %s by chat, %s natively; Mann-Whitney p = %.3f", chats[len(chats)/2], natives[len(natives)/2], p)
	if p < 1e-4 {
		t.Errorf("the two APIs show different times to the first token: p = %g\nchat   %v\nnative %v", p, chats, natives)
	}
}

// sameAnswer holds a native answer against one of the chat API to the same tokens.
func sameAnswer(t *testing.T, name string, got, want *answered) {
	t.Helper()
	if got.Class != endpoint.OK || got.Text != want.Text {
		t.Errorf("%s: %s (%s) %q, want %q", name, got.Class, got.Error, got.Text, want.Text)
		return
	}
	if !sameCount(got.Usage.Input, want.Usage.Input) || !sameCount(got.Usage.Output, want.Usage.Output) || got.Finish != "limit" || want.Finish != "length" {
		t.Errorf("%s: %s after %v, want %s after %v", name, got.Finish, got.Usage, want.Finish, want.Usage)
	}
	if got.Usage.CachedInput == nil || *got.Usage.CachedInput != 0 {
		t.Errorf("%s: a part of the prompt came from a cache, or it is not known", name)
	}
	if n := got.tokens(); n > 12 || n < 12-3 { // up to three bytes of a last character are held back for good
		t.Errorf("%s: the events hold %d tokens, want 12", name, n)
	}
	if got.UnknownEvents != 0 || got.Server.Prefill == nil || got.Server.Decode == nil {
		t.Errorf("%s: %d unknown events, times %+v", name, got.UnknownEvents, got.Server)
		return
	}
	// From begun on this is certain: the stamp of sent can wait for a processor while the server has begun.
	token, _ := got.events.first(endpoint.Answer)
	if token-got.begun < *got.Server.Prefill {
		t.Errorf("%s: the first token came after %s, the server's prefill took %s", name, token-got.begun, *got.Server.Prefill)
	}
}

func sameCount(a, b *int) bool { return a != nil && b != nil && *a == *b }
