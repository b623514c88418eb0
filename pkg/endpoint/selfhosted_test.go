package endpoint

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// asked is the path and the body of a request, as the server sees it.
func asked(t *testing.T, a workload.Approach, req *workload.Request) (path string, body map[string]any, header http.Header) {
	t.Helper()
	e, err := Open(Config{Approach: a, Key: "sk-secret", Epoch: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := e.(*remote).encode(req)
	if err != nil || json.Unmarshal(b, &body) != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return e.(*remote).path, body, e.(*remote).header
}

// What each API is asked: where the prompt, the length and the scenario's own options stand.
func TestSelfHostedRequests(t *testing.T) {
	req := &workload.Request{MaxTokens: 7, Messages: []workload.Message{{Role: "system", Content: "be <kind>"}, {Role: "user", Content: "hi"}}}
	messages := `[{"role":"system","content":"be <kind>"},{"role":"user","content":"hi"}]`
	own := &workload.Generic{Path: "/v9/<model>/ask", Text: "t", Body: map[string]any{"q": "### <prompt>\n### answer (<max_tokens>, <model>, <think>):", "m": "<messages>",
		"n": "<max_tokens>", "s": "<stream>", "list": []any{"<max_tokens>", "<model>", 1}}}
	no := false
	for _, tt := range []struct {
		api    string
		stream bool
		body   map[string]any
		path   string
		want   string
	}{
		{OllamaChat, true, map[string]any{"options": map[string]any{"seed": 1, "temperature": 0}, "keep_alive": "10m"}, "/api/chat",
			`{"model":"m/x","stream":true,"messages":` + messages + `,"options":{"num_predict":7,"seed":1,"temperature":0},"keep_alive":"10m"}`},
		{OllamaGenerate, false, map[string]any{"raw": true, "options": map[string]any{"num_predict": nil}}, "/api/generate",
			`{"model":"m/x","stream":false,"prompt":"be <kind>\n\nhi","options":{},"raw":true}`},
		{LlamaCpp, true, map[string]any{"ignore_eos": true, "seed": 1}, "/completion",
			`{"prompt":"be <kind>\n\nhi","stream":true,"cache_prompt":false,"n_predict":7,"ignore_eos":true,"seed":1}`},
		{TGI, true, map[string]any{"parameters": map[string]any{"do_sample": false, "seed": 1}}, "/generate_stream",
			`{"inputs":"be <kind>\n\nhi","parameters":{"details":true,"max_new_tokens":7,"do_sample":false,"seed":1}}`},
		{TGI, false, nil, "/generate", `{"inputs":"be <kind>\n\nhi","parameters":{"details":true,"max_new_tokens":7}}`},
		{SGLang, true, map[string]any{"sampling_params": map[string]any{"ignore_eos": true, "min_new_tokens": 7}}, "/generate",
			`{"text":"be <kind>\n\nhi","stream":true,"sampling_params":{"max_new_tokens":7,"ignore_eos":true,"min_new_tokens":7}}`},
		{Triton, true, map[string]any{"parameters": map[string]any{"ignore_eos": true}, "max_tokens": 7}, "/v2/models/m%2Fx/generate_stream",
			`{"text_input":"be <kind>\n\nhi","parameters":{"stream":true,"max_tokens":7,"ignore_eos":true},"max_tokens":7}`},
		{Triton, false, nil, "/v2/models/m%2Fx/generate", `{"text_input":"be <kind>\n\nhi","parameters":{"stream":false,"max_tokens":7}}`},
		{Generic, true, map[string]any{"extra": true}, "/v9/m%2Fx/ask",
			`{"q":"### be <kind>\n\nhi\n### answer (7, m/x, <think>):","m":` + messages + `,"n":7,"s":true,"list":[7,"m/x",1],"extra":true}`},
	} {
		a := workload.Approach{API: tt.api, URL: "http://h:1", Model: "m/x", Body: tt.body}
		if tt.api == Generic {
			a.Generic = own
		}
		if !tt.stream {
			a.Stream = &no
		}
		path, body, header := asked(t, a, req)
		var want map[string]any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatalf("%s: %v", tt.want, err)
		}
		if path != tt.path || !reflect.DeepEqual(body, want) || header.Get("Authorization") != "Bearer sk-secret" {
			t.Errorf("%s: %s %v, want %s %v", tt.api, path, body, tt.path, want)
		}
	}
}

// A length that is not asked for is not sent; a cache is used only where the scenario allows it.
func TestSelfHostedRequestsWithoutLength(t *testing.T) {
	req := &workload.Request{CacheAllowed: true, Messages: []workload.Message{{Role: "user", Content: "hi"}}}
	_, body, _ := asked(t, workload.Approach{API: LlamaCpp, URL: "http://h:1"}, req)
	if _, limited := body["n_predict"]; limited || body["cache_prompt"] != true {
		t.Errorf("%v", body)
	}
	own := &workload.Generic{Path: "/a", Text: "t", Body: map[string]any{"q": "<prompt>", "n": "<max_tokens>", "o": map[string]any{"n": "<max_tokens>"}}}
	_, body, _ = asked(t, workload.Approach{API: Generic, URL: "http://h:1", Generic: own}, req)
	if want := map[string]any{"q": "hi", "o": map[string]any{}}; !reflect.DeepEqual(body, want) {
		t.Errorf("%v, want %v", body, want)
	}
}

// Lines over the network, through our own HTTP and through net/http: the model's name that is a part of the path, each
// line with its own time, and the connection kept.
func TestSelfHostedOverTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := samples[OllamaChat]
		var accept string
		steps := []step{{0, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"}}
		for _, unit := range s.units("Hel", "lo") {
			steps = append(steps, step{time.Second, chunked(unit)})
		}
		r, obs := call(t, workload.Approach{API: OllamaChat}, append(steps, step{0, "0\r\n\r\n"}), func(r *http.Request, _ []byte) { accept = r.Header.Get("Accept") })
		var at []time.Duration
		for _, e := range obs.all {
			if e.Kind == Answer || e.Kind == Done {
				at = append(at, e.At.Round(time.Second))
			}
		}
		if want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; r.Class != OK || r.Text != "Hello" || !slices.Equal(at, want) || accept != "application/x-ndjson" {
			t.Errorf("%+v at %v, accepting %s", r, at, accept)
		}
	})
}

// Nothing is allocated for an event of the native APIs. The one that a scenario describes copies an event, so that its
// paths may lead anywhere, and what it takes out of it.
func TestSelfHostedEventsAllocateLittle(t *testing.T) {
	for name, limit := range map[string]float64{OllamaChat: 0, OllamaGenerate: 0, LlamaCpp: 0, SGLang: 0, TGI: 0, Triton: 0, Generic: 2} {
		s := samples[name]
		r, obs := openReply(t, name, &s)
		wire := []byte(chunked(strings.Replace(s.text("word"), `"stop":false`, `"stop":false,"tokens_predicted":7`, 1)))
		number := uint32(1)
		if n := testing.AllocsPerRun(1000, func() {
			number++
			r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true})
		}); n > limit || obs.tokens < 1000 {
			t.Errorf("%s: %v allocations per event, want at most %v; %d events with text", name, n, limit, obs.tokens)
		}
	}
}
