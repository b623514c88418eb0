package endpoint

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

// conversation has every role.
var conversation = []workload.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "hi"},
	{Role: "assistant", Content: "yes?"}, {Role: "developer", Content: "in <b>"}, {Role: "user", Content: "bye"}}

// What each API writes: where to, with which key, and what it asks.
func TestRequests(t *testing.T) {
	const list = `[{"role":"system","content":"be brief"},{"role":"user","content":"hi"},{"role":"assistant","content":"yes?"},{"role":"developer","content":"in <b>"},{"role":"user","content":"bye"}]`
	const turns = `[{"role":"user","content":"hi"},{"role":"assistant","content":"yes?"},{"role":"user","content":"bye"}]`
	const contents = `"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"yes?"}],"role":"model"},{"parts":[{"text":"bye"}],"role":"user"}]`
	const instruction = `"systemInstruction":{"parts":[{"text":"be brief\n\nin <b>"}]}`
	yes, no := true, false
	for _, tt := range []struct {
		api, base, model    string
		stream              *bool
		max                 int
		target, header, key string
		body                string
	}{
		{AnthropicMessages, "http://mem", "m", &yes, 0, "/v1/messages", "X-Api-Key", "sk-secret",
			`{"max_tokens":4096,"messages":` + turns + `,"model":"m","stream":true,"system":"be brief\n\nin <b>"}`},
		{AnthropicMessages, "http://mem/gateway/?a=b", "m", &no, 7, "/gateway/v1/messages?a=b", "Anthropic-Version", "2023-06-01",
			`{"max_tokens":7,"messages":` + turns + `,"model":"m","stream":false,"system":"be brief\n\nin <b>"}`},
		{Gemini, "http://mem/v1beta", "m", &yes, 7, "/v1beta/models/m:streamGenerateContent?alt=sse", "X-Goog-Api-Key", "sk-secret",
			`{` + contents + `,"generationConfig":{"maxOutputTokens":7},` + instruction + `}`},
		{Gemini, "http://mem/v1beta?a=b", "tunedModels/a/b", &yes, 0, "/v1beta/tunedModels/a%2Fb:streamGenerateContent?a=b&alt=sse", "Accept", "text/event-stream",
			`{` + contents + `,` + instruction + `}`},
		{Gemini, "http://mem/v1beta", "models/m", &no, 0, "/v1beta/models/m:generateContent", "Accept", "application/json",
			`{` + contents + `,` + instruction + `}`},
		{OpenAIChat, "http://mem/v1", "m", &no, 7, "/v1/chat/completions", "Authorization", "Bearer sk-secret",
			`{"max_completion_tokens":7,"messages":` + list + `,"model":"m","stream":false}`},
		{OpenAICompletions, "http://mem/v1", "m", &yes, 7, "/v1/completions", "Authorization", "Bearer sk-secret",
			`{"max_tokens":7,"model":"m","prompt":"be brief\n\nhi\n\nyes?\n\nin <b>\n\nbye","stream":true,"stream_options":{"include_usage":true}}`},
		{OpenAICompletions, "http://mem/v1", "m", &no, 0, "/v1/completions", "Accept", "application/json",
			`{"model":"m","prompt":"be brief\n\nhi\n\nyes?\n\nin <b>\n\nbye","stream":false}`},
		{OpenAIResponses, "http://mem/v1", "m", &yes, 7, "/v1/responses", "Authorization", "Bearer sk-secret",
			`{"input":` + list + `,"max_output_tokens":7,"model":"m","store":false,"stream":true}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := memnet.Listen()
			seen := 0
			go scriptedServer(t, l, []step{{0, headOf(500, "text/plain", "Content-Length: 0")}}, func(r *http.Request, body []byte) {
				seen++
				if r.RequestURI != tt.target || r.Header.Get(tt.header) != tt.key {
					t.Errorf("%s: %s with %v, want %s with %s: %s", tt.api, r.RequestURI, r.Header, tt.target, tt.header, tt.key)
				}
				if string(body) != tt.body {
					t.Errorf("%s: %s\nwant %s", tt.api, body, tt.body)
				}
			})
			e, err := Open(Config{Approach: workload.Approach{API: tt.api, URL: tt.base, Model: tt.model, Stream: tt.stream}, Key: "sk-secret", Epoch: time.Now(), Dial: l.Dial})
			if err != nil {
				t.Fatal(err)
			}
			r := e.Do(t.Context(), &workload.Request{Messages: conversation, MaxTokens: tt.max}, &events{})
			if seen != 1 {
				t.Errorf("%s, %s: %d requests: %s", tt.api, tt.target, seen, r.Error)
			}
			e.Close()
			l.Close()
			synctest.Wait()
		})
	}
}
