package endpoint

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// tokenServer answers as a server does that was asked for tokens, and keeps what it was asked.
func tokenServer(t *testing.T, answers map[string]string) (*httptest.Server, *[]string) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = append(asked, r.URL.RequestURI()+" "+r.Header.Get("Authorization")+" "+string(b))
		answer, ok := answers[r.URL.Path]
		if strings.Contains(string(b), `"content":"<s>`) {
			answer = answers["templated"]
		}
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case strings.HasPrefix(answer, "400 "):
			w.WriteHeader(http.StatusBadRequest)
			answer = answer[4:]
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

// TestTokenizer: every server is asked in its own form, at its root, with the key, and its answer is read.
func TestTokenizer(t *testing.T) {
	vllm := map[string]string{"/tokenize": `{"count":12,"max_model_len":4096,"tokens":[1,2],"token_strs":null}`}
	llama := map[string]string{"/tokenize": `{"tokens":[]}`, "/apply-template": `{"prompt":"<s>Hello"}`, "templated": `{"tokens":[1,15043,{"id":7,"piece":"x"}]}`}
	for _, c := range []struct {
		name, api, base string
		body            map[string]any
		answers         map[string]string
		want            int
		source, err     string
		asked           []string
	}{
		{"vLLM", "openai-chat", "/v1", map[string]any{"chat_template_kwargs": map[string]any{"enable_thinking": false}, "seed": 1}, vllm, 12, "vLLM /tokenize", "",
			[]string{`/tokenize Bearer k {"chat_template_kwargs":{"enable_thinking":false},"messages":[{"role":"user","content":"Hello"}],"model":"m"}`}},
		{"vLLM behind a path", "openai-completions", "/serve/v1/", nil, map[string]string{"/serve/tokenize": `{"count":3}`}, 3, "vLLM /tokenize", "",
			[]string{`/serve/tokenize Bearer k {"model":"m","prompt":"Hello"}`}},
		{"llama.cpp", "", "/v1", nil, llama, 3, "llama.cpp /apply-template and /tokenize", "",
			[]string{`/tokenize Bearer k {"messages":[{"role":"user","content":"Hello"}],"model":"m"}`, `/apply-template Bearer k {"messages":[{"role":"user","content":"Hello"}]}`,
				`/tokenize Bearer k {"add_special":true,"content":"<s>Hello","parse_special":true}`}},
		{"llama.cpp's own API", "llamacpp", "", nil, map[string]string{"/tokenize": `{"tokens":[5]}`}, 1, "llama.cpp /tokenize", "",
			[]string{`/tokenize Bearer k {"add_special":true,"content":"Hello","parse_special":true}`}},
		{"none", "openai-chat", "/v1", nil, map[string]string{}, 0, "", "no tokenizer that can be asked: status 404", nil},
		{"something else", "openai-chat", "/v1", nil, map[string]string{"/tokenize": `[{"id":1}]`}, 0, "", "no tokenizer that can be asked", nil},
		{"refused", "openai-chat", "/v1", nil, map[string]string{"/tokenize": `400 {"error":{"message":"too long"}}`}, 0, "", "status 400: too long", nil},
		{"no template", "openai-chat", "/v1", nil, map[string]string{"/tokenize": `{"tokens":[]}`, "/apply-template": `{}`}, 0, "", "no tokenizer that can be asked", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, asked := tokenServer(t, c.answers)
			tk, err := OpenTokenizer(Config{Approach: workload.Approach{API: c.api, URL: s.URL + c.base, Model: "m", Body: c.body}, Key: "k", Epoch: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			defer tk.Close()
			req := &workload.Request{Messages: []workload.Message{{Role: "user", Content: "Hello"}}}
			n, err := tk.Count(t.Context(), req)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(c.err, "no tokenizer") != errors.Is(err, ErrNoTokenizer) {
					t.Errorf("%d, %v", n, err)
				}
				return
			}
			if err != nil || n != c.want || tk.Source() != c.source {
				t.Errorf("%d tokens by %s, want %d by %s (%v)", n, tk.Source(), c.want, c.source, err)
			}
			if got := strings.Join(*asked, "\n"); got != strings.Join(c.asked, "\n") {
				t.Errorf("asked\n%s\nwant\n%s", got, strings.Join(c.asked, "\n"))
			}
			if c.source != "vLLM /tokenize" { // it need not find out again
				if _, err := tk.Count(t.Context(), req); err != nil || len(*asked) > len(c.asked)+2 {
					t.Errorf("%d requests for two counts: %v", len(*asked), err)
				}
			}
		})
	}
}

// TestTokenizerOfOtherAPIs: what has none says so before anything is sent.
func TestTokenizerOfOtherAPIs(t *testing.T) {
	for _, api := range []string{"anthropic-messages", "gemini", "tgi"} {
		_, err := OpenTokenizer(Config{Approach: workload.Approach{API: api, URL: "http://127.0.0.1:1", Model: "m"}, Epoch: time.Now()})
		if !errors.Is(err, ErrNoTokenizer) || !strings.Contains(err.Error(), api) {
			t.Errorf("%s: %v", api, err)
		}
	}
}

// FuzzTokenized: any answer gives a count that could be one, and the counts are those of encoding/json.
func FuzzTokenized(f *testing.F) {
	for _, s := range []string{`{"count":12,"tokens":[1,2]}`, `{"tokens":[]}`, `{"tokens":[{"id":1}]}`, `{"count":-1}`, `{"count":1e300}`, `{"count":null,"tokens":null}`, `[1]`, `{"tokens":{"a":1}}`, ``, `{"count"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := parseCount(b)
		if n < 0 || n > maxCount || !ok && n != 0 {
			t.Errorf("count %d, %t", n, ok)
		}
		n, ok = parseTokens(b)
		var want struct {
			Tokens []json.RawMessage `json:"tokens"`
		}
		if err := json.Unmarshal(b, &want); err == nil && ok && !strings.Contains(strings.ToLower(string(b)), `\u`) && strings.Count(strings.ToLower(string(b)), `"tokens"`) == 1 && n != len(want.Tokens) {
			t.Errorf("%d tokens, encoding/json finds %d in %q", n, len(want.Tokens), b)
		}
	})
}
