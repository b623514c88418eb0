package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// ErrNoTokenizer is in the error of a target that cannot be asked how it counts: its API has no way that infbench knows.
var ErrNoTokenizer = errors.New("no tokenizer that can be asked")

// Tokenizer asks a server how many tokens it makes of a prompt, its chat template included: vLLM's /tokenize, or
// /apply-template and /tokenize of llama.cpp's server. Which of the two it is, its first answer tells. It generates
// nothing, and goes the way that requests go. It is for one goroutine.
type Tokenizer struct {
	remote   *remote
	approach *workload.Approach
	http     *http.Client
	root     url.URL // of the server
	llama    bool    // it answered as llama.cpp's does
}

// OpenTokenizer makes the tokenizer of an approach. It dials nothing. An error is ErrNoTokenizer where the approach's API
// has none.
func OpenTokenizer(cfg Config) (*Tokenizer, error) {
	e, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{remote: e.(*remote), approach: &cfg.Approach, llama: cfg.Approach.API == LlamaCpp}
	switch cfg.Approach.API {
	case "", OpenAIChat, OpenAICompletions, LlamaCpp:
	default:
		t.Close()
		return nil, fmt.Errorf("%s: %w", cfg.Approach.API, ErrNoTokenizer)
	}
	base, err := url.Parse(cfg.Approach.URL)
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("url: %w", err)
	}
	t.root = *base
	t.root.Path, t.root.RawPath = strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/v1"), ""
	// An answer that leads elsewhere is an answer, as it is to a request.
	t.http = &http.Client{Transport: newTransport(&cfg, t.remote.client.target), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return t, nil
}

// Close drops idle connections.
func (t *Tokenizer) Close() {
	t.remote.Close()
	if t.http != nil {
		t.http.CloseIdleConnections()
	}
}

// Source says what was asked.
func (t *Tokenizer) Source() string {
	switch {
	case !t.llama:
		return "vLLM /tokenize"
	case t.approach.API == LlamaCpp || t.approach.API == OpenAICompletions:
		return "llama.cpp /tokenize"
	}
	return "llama.cpp /apply-template and /tokenize"
}

// Count is how many tokens the server makes of a request's prompt. An error is ErrNoTokenizer where the server answers as
// none does that infbench knows.
func (t *Tokenizer) Count(ctx context.Context, req *workload.Request) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(t.approach.Timeouts.Total, defaultTotal))
	defer cancel()
	chat := t.approach.API == "" || t.approach.API == OpenAIChat
	if !t.llama {
		fields := map[string]any{"model": t.approach.Model}
		if chat {
			t.template(fields, req)
		} else {
			fields["prompt"] = promptOf(req.Messages)
		}
		b, err := t.post(ctx, "/tokenize", fields)
		if err != nil {
			return 0, err
		}
		n, counted := parseCount(b)
		if counted {
			return n, nil
		}
		if _, listed := parseTokens(b); !listed {
			return 0, fmt.Errorf("POST /tokenize: %w: it answered %s", ErrNoTokenizer, t.remote.client.words(string(b)))
		}
		t.llama = true
	}
	prompt := promptOf(req.Messages)
	if chat {
		fields := map[string]any{}
		t.template(fields, req)
		b, err := t.post(ctx, "/apply-template", fields)
		if err != nil {
			return 0, err
		}
		templated := gjson.GetBytes(b, "prompt")
		if templated.Type != gjson.String {
			return 0, fmt.Errorf("POST /apply-template: %w: it answered %s", ErrNoTokenizer, t.remote.client.words(string(b)))
		}
		prompt = templated.Str
	}
	b, err := t.post(ctx, "/tokenize", map[string]any{"content": prompt, "add_special": true, "parse_special": true})
	if err != nil {
		return 0, err
	}
	n, listed := parseTokens(b)
	if !listed {
		return 0, fmt.Errorf("POST /tokenize: %w: it answered %s", ErrNoTokenizer, t.remote.client.words(string(b)))
	}
	return n, nil
}

// templateFields are those of a chat request's body that its prompt depends on.
var templateFields = []string{"chat_template", "chat_template_kwargs", "add_generation_prompt", "continue_final_message", "tools", "documents"}

// template fills in what a chat template is put around, as a request would have it.
func (t *Tokenizer) template(fields map[string]any, req *workload.Request) {
	fields["messages"] = req.Messages
	for _, name := range templateFields {
		if v, ok := t.approach.Body[name]; ok {
			fields[name] = v
		}
	}
}

// maxTokenized bounds an answer: a list of ten million tokens.
const maxTokenized = 128 << 20

func (t *Tokenizer) post(ctx context.Context, path string, fields map[string]any) ([]byte, error) {
	body, err := encode(fields)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	u := t.root.JoinPath(path)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New(t.remote.client.words(err.Error()))
	}
	target := t.remote.client.target
	r.Header, r.Host = target.header.Clone(), target.host
	r.Header.Set("Accept", "application/json")
	resp, err := t.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("POST %s: %s", path, t.remote.client.words(err.Error()))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenized))
	switch {
	case err != nil:
		return nil, fmt.Errorf("POST %s: the answer broke off: %s", path, t.remote.client.words(err.Error()))
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusMethodNotAllowed:
		return nil, fmt.Errorf("POST %s: %w: status %d", path, ErrNoTokenizer, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("POST %s: status %d: %s", path, resp.StatusCode, t.remote.client.words(errorMessage(b)))
	}
	return b, nil
}

// parseCount reads the number of tokens that vLLM's answer says.
func parseCount(b []byte) (n int, ok bool) {
	if !gjson.ValidBytes(b) {
		return 0, false
	}
	var count *int
	setCount(&count, gjson.GetBytes(b, "count"))
	if count == nil {
		return 0, false
	}
	return *count, true
}

// parseTokens counts the tokens that llama.cpp's answer lists.
func parseTokens(b []byte) (n int, ok bool) {
	if !gjson.ValidBytes(b) {
		return 0, false
	}
	tokens := gjson.GetBytes(b, "tokens")
	if !tokens.IsArray() {
		return 0, false
	}
	tokens.ForEach(func(_, _ gjson.Result) bool { n++; return true })
	return n, true
}
