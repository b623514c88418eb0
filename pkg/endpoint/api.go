package endpoint

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// api is one wire format, made for one approach: how a request is written, and who reads the answer.
type api struct {
	path   string      // behind the base URL, with a query where the API wants one
	header http.Header // the API's own, its key among them
	// body is what a request asks, as a JSON object. The scenario's body fields are merged into it.
	body    func(req *workload.Request) map[string]any
	manner  *manner
	dialect func(res *Result) dialect
	sign    signer   // nil: the header says all
	secrets []string // that the header does not hold
}

// apis opens each API by its name in a scenario.
var apis = map[string]func(*Config) (*api, error){
	AnthropicMessages: anthropicMessages,
	BedrockConverse:   bedrockConverse,
	Gemini:            gemini,
	Generic:           genericAPI,
	LlamaCpp:          llamaCpp,
	OllamaChat:        ollamaChat,
	OllamaGenerate:    ollamaGenerate,
	OpenAIChat:        openAIChat,
	OpenAICompletions: openAICompletions,
	OpenAIResponses:   openAIResponses,
	SGLang:            sgLang,
	TGI:               textGeneration,
	Triton:            tritonServer,
}

// APIs lists the names of the APIs.
func APIs() []string { return slices.Sorted(maps.Keys(apis)) }

// Open makes the endpoint of an approach. It dials nothing. An error names what the approach has wrong.
func Open(cfg Config) (Endpoint, error) {
	name := cfg.Approach.API
	if name == "" {
		name = OpenAIChat
	}
	open := apis[name]
	if open == nil {
		return nil, fmt.Errorf("api %q is not known: there are %s", name, strings.Join(APIs(), ", "))
	}
	a := &cfg.Approach
	if _, ok := a.Body["stream"]; ok {
		return nil, fmt.Errorf("body.stream: set stream: %v beside body, so that the answer is read as what was asked for", a.Body["stream"])
	}
	api, err := open(&cfg)
	if err != nil {
		return nil, err
	}
	e := &remote{api: api, override: a.Body, stream: a.Streaming(), keepText: cfg.KeepText}
	if _, err := e.encode(&workload.Request{}); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if name := a.KeyHeader; name != "" && cfg.Key != "" {
		for _, theirs := range keyHeaders {
			api.header.Del(theirs)
		}
		api.header.Set(name, cfg.Key)
	}
	api.header.Set("Accept", "application/json")
	if e.stream {
		api.header.Set("Accept", api.manner.mime)
	}
	if e.client, err = newClient(&cfg, api); err != nil {
		return nil, err
	}
	return e, nil
}

// remote is the endpoint of an approach: an API over the network.
type remote struct {
	*api
	client   *client
	override map[string]any // the scenario's part of every body
	stream   bool
	keepText bool
}

// Close implements Endpoint.
func (e *remote) Close() { e.client.close() }

// Prewarm implements Prewarmer.
func (e *remote) Prewarm(ctx context.Context, n int) error { return e.client.carrier.prewarm(ctx, n) }

// encode is the request's JSON.
func (e *remote) encode(req *workload.Request) ([]byte, error) {
	return encode(merge(e.body(req), e.override))
}

// Do implements Endpoint.
func (e *remote) Do(ctx context.Context, req *workload.Request, obs Observer) Result {
	return e.client.post(ctx, func() ([]byte, error) { return e.encode(req) }, obs, func(x *exchange) answer {
		return &response{exchange: x, dialect: e.dialect(&x.res), manner: e.manner, streamed: e.stream, keepText: e.keepText}
	})
}

// keyHeaders are those in which APIs carry a key: another one that is asked for replaces them.
var keyHeaders = []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"}

// bearer is the usual header with a key.
func bearer(key string) http.Header {
	if key == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + key}}
}
