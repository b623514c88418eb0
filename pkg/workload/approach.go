package workload

import "github.com/infbench/infbench/pkg/workload/internal/strict"

// Approach is one way of serving the traffic: an endpoint, the levers it is run with, and how it is called.
// Either URL (a real endpoint) or Simulate (an embedded one) is set.
type Approach struct {
	// Name is what reports call the approach: small letters, digits and hyphens.
	Name string `yaml:"name" json:"name" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$,hint=use a-z 0-9 and - only,example=self-hosted"`
	// Provider fills url, api, key_env, key_header, max_tokens_field and body with what is known of a vendor or server; what
	// is written here wins.
	Provider string `yaml:"provider,omitempty" json:"provider,omitempty" jsonschema:"enum=anthropic,enum=azure,enum=bedrock,enum=deepseek,enum=fireworks,enum=gemini,enum=groq,enum=llamacpp,enum=mistral,enum=nim,enum=ollama,enum=openai,enum=openrouter,enum=sglang,enum=tgi,enum=together,enum=vllm,example=openai"`
	// API is the wire format. Default openai-chat, or the provider's own. docs/apis.md describes each.
	API string `yaml:"api,omitempty" json:"api,omitempty" jsonschema:"enum=anthropic-messages,enum=bedrock-converse,enum=gemini,enum=generic,enum=llamacpp,enum=ollama-chat,enum=ollama-generate,enum=openai-chat,enum=openai-completions,enum=openai-responses,enum=sglang,enum=tgi,enum=triton,default=openai-chat"`
	// Generic describes the API where that is generic.
	Generic *Generic `yaml:"generic,omitempty" json:"generic,omitempty"`
	// URL is the API's base, as its SDKs take it: https://api.openai.com/v1. ${ENV} is expanded.
	URL string `yaml:"url,omitempty" json:"url,omitempty" jsonschema:"minLength=1,example=http://127.0.0.1:8000/v1"`
	// Model is sent as the request's model.
	Model string `yaml:"model,omitempty" json:"model,omitempty" jsonschema:"minLength=1"`
	// KeyEnv is the name of the environment variable that holds the API key. The key itself never stands in a file.
	KeyEnv string `yaml:"key_env,omitempty" json:"key_env,omitempty" jsonschema:"pattern=^[A-Za-z_][A-Za-z0-9_]*$,hint=write the name of an environment variable,example=OPENAI_API_KEY"`
	// Region is the region of Amazon's that requests are signed for (bedrock-converse). Default: the one in the URL.
	Region string `yaml:"region,omitempty" json:"region,omitempty" jsonschema:"pattern=^[a-z0-9-]+$,hint=write it as in us-east-1,example=us-east-1"`
	// KeyHeader is the header that carries the key, as it stands. Default: the API's own (Authorization, as a bearer's, or
	// x-api-key, x-goog-api-key).
	KeyHeader string `yaml:"key_header,omitempty" json:"key_header,omitempty" jsonschema:"pattern=^[A-Za-z0-9-]+$,hint=write the name of a header,example=api-key"`
	// Stream asks for a streamed answer. Default true.
	Stream *bool `yaml:"stream,omitempty" json:"stream,omitempty" jsonschema:"default=true"`
	// Headers are sent with every request.
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
	// EnvHeaders are the names of the headers that an environment variable is part of.
	EnvHeaders []string `yaml:"-" json:"-"`
	// Body fields are merged into every request's JSON body, after ours: a null removes a field of ours.
	Body map[string]any `yaml:"body,omitempty" json:"body,omitempty"`
	// MaxTokensField is the name of the body field for the output length: max_completion_tokens (default) or
	// max_tokens.
	MaxTokensField string      `yaml:"max_tokens_field,omitempty" json:"max_tokens_field,omitempty" jsonschema:"enum=max_completion_tokens,enum=max_tokens,default=max_completion_tokens"`
	Timeouts       Timeouts    `yaml:"timeouts,omitempty" json:"timeouts,omitzero"`
	Connections    Connections `yaml:"connections,omitempty" json:"connections,omitzero"`
	TLS            TLS         `yaml:"tls,omitempty" json:"tls,omitzero"`
	// Telemetry reads the server's own metrics page while it is measured. Default: not at all.
	Telemetry *Telemetry `yaml:"telemetry,omitempty" json:"telemetry,omitempty"`
	// Levers are what distinguishes this approach (model, quantization, caching, batching, ...), for the report.
	Levers map[string]string `yaml:"levers,omitempty" json:"levers,omitempty"`
	// Simulate starts an embedded endpoint in place of URL.
	Simulate *Simulation `yaml:"simulate,omitempty" json:"simulate,omitempty"`
}

// Streaming reports whether the approach asks for a streamed answer.
func (a *Approach) Streaming() bool { return a.Stream == nil || *a.Stream }

// forget drops the default of a field that the approach's API does not have: a record is read again as it was written.
func (a *Approach) forget(p strict.Place) {
	if a.API != "openai-chat" && !p.Field("max_tokens_field").Present() {
		a.MaxTokensField = ""
	}
}

// Timeouts end a request that takes too long; each is an error class of its own. Zero takes the default, named
// beside each field.
type Timeouts struct {
	Connect    Duration `yaml:"connect,omitempty" json:"connect,omitempty" jsonschema:"exclusiveMinimum=0,default=10s"`         // 10s: DNS, TCP and TLS together
	FirstToken Duration `yaml:"first_token,omitempty" json:"first_token,omitempty" jsonschema:"exclusiveMinimum=0,default=60s"` // 60s from the last byte sent
	Idle       Duration `yaml:"idle,omitempty" json:"idle,omitempty" jsonschema:"exclusiveMinimum=0,default=60s"`               // 60s without any byte
	Total      Duration `yaml:"total,omitempty" json:"total,omitempty" jsonschema:"exclusiveMinimum=0,default=300s"`            // 300s from dispatch
}

// Connections is the connection policy.
type Connections struct {
	// Reuse is keep-alive (default: an idle connection is used again) or never (a new connection per request).
	Reuse string `yaml:"reuse,omitempty" json:"reuse,omitempty" jsonschema:"enum=keep-alive,enum=never,default=keep-alive"`
	// Protocol is http1 (default: one request at a time on a connection), h2 (HTTP/2 over TLS, many at a time) or h2c
	// (HTTP/2 without TLS, which the server must expect).
	Protocol string `yaml:"protocol,omitempty" json:"protocol,omitempty" jsonschema:"enum=http1,enum=h2,enum=h2c"`
	// Proxy is none (default), environment (HTTP_PROXY, HTTPS_PROXY and NO_PROXY), or the URL of an HTTP proxy. ${ENV} is
	// expanded.
	Proxy string `yaml:"proxy,omitempty" json:"proxy,omitempty" jsonschema:"minLength=1,example=http://127.0.0.1:3128"`
	// UnixSocket is the path of a socket that is dialled in place of the URL's host and port, which the request still
	// names.
	UnixSocket string `yaml:"unix_socket,omitempty" json:"unix_socket,omitempty" jsonschema:"minLength=1,example=/run/vllm.sock"`
	// DialConcurrency is how many connections may be in the making at once, TCP and TLS. A request that waits for its
	// turn to dial is late by that, and its latency shows it: as set-up, before its connection begins. It takes a
	// connection that comes free meanwhile. 0: no limit.
	DialConcurrency int `yaml:"dial_concurrency,omitempty" json:"dial_concurrency,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	// Prewarm is how many connections are opened before time 0. They rest as any other does: what no request takes within
	// 4s is closed, before the server closes it.
	Prewarm int `yaml:"prewarm,omitempty" json:"prewarm,omitempty" jsonschema:"minimum=0,maximum=1000000"`
}

// Simulation is the model of an embedded endpoint. Profile fills every field; a field that is set here wins.
// Package simulate documents the model.
type Simulation struct {
	// Profile is a named set of figures: hosted-large, hosted-small, self-hosted or edge.
	Profile string `yaml:"profile,omitempty" json:"profile,omitempty" jsonschema:"enum=hosted-large,enum=hosted-small,enum=self-hosted,enum=edge"`
	// Network is the round trip between client and server: half before the request is seen, half before each byte of
	// the answer is.
	Network Duration `yaml:"network,omitempty" json:"network,omitempty"`
	// Slots is the batch limit: how many requests decode together. The others wait in one FIFO queue.
	Slots int `yaml:"slots,omitempty" json:"slots,omitempty" jsonschema:"minimum=1,maximum=1000000"`
	// QueueLimit rejects (503) what would wait behind this many requests. 0: no limit.
	QueueLimit int `yaml:"queue_limit,omitempty" json:"queue_limit,omitempty" jsonschema:"minimum=0"`
	// Overhead is the fixed part of every prefill.
	Overhead Duration `yaml:"overhead,omitempty" json:"overhead,omitempty"`
	// PrefillPerToken is the prefill time of one uncached prompt token.
	PrefillPerToken Duration `yaml:"prefill_per_token,omitempty" json:"prefill_per_token,omitempty"`
	// PrefillNoise is the standard deviation of the logarithm of every prefill's time, drawn per request. 0: none.
	PrefillNoise float64 `yaml:"prefill_noise,omitempty" json:"prefill_noise,omitempty" jsonschema:"minimum=0,maximum=3,example=0.05"`
	// ProcessorSharing lets the requests that hold a slot share the processor in equal parts: the more there are, the slower each
	// prefill goes. Nobody then waits but for a slot.
	ProcessorSharing bool `yaml:"processor_sharing,omitempty" json:"processor_sharing,omitempty"`
	// DecodeStep is the time of one decode step with one sequence in the batch.
	DecodeStep Duration `yaml:"decode_step,omitempty" json:"decode_step,omitempty"`
	// DecodePerSequence is added to the step for each further sequence in the batch.
	DecodePerSequence Duration `yaml:"decode_per_sequence,omitempty" json:"decode_per_sequence,omitempty"`
	// TokensPerStep is how many tokens one step yields on average (speculative decoding). Default 1.
	TokensPerStep float64 `yaml:"tokens_per_step,omitempty" json:"tokens_per_step,omitempty" jsonschema:"minimum=1,maximum=1000"`
	// Speed divides every compute time (quantization, a faster part). Default 1.
	Speed float64 `yaml:"speed,omitempty" json:"speed,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1000"`
	// Service, where set, replaces the model by one service time drawn per request: fixed or exponential.
	Service *ServiceTime `yaml:"service,omitempty" json:"service,omitempty"`
	// PrefixCacheTokens is the size of the prefix cache. 0: no cache.
	PrefixCacheTokens int `yaml:"prefix_cache_tokens,omitempty" json:"prefix_cache_tokens,omitempty" jsonschema:"minimum=0"`
	// TokensPerWord is how many prompt tokens a word is on average, rounded down over the prompt. Default 1.
	TokensPerWord float64 `yaml:"tokens_per_word,omitempty" json:"tokens_per_word,omitempty" jsonschema:"minimum=0.01,maximum=100"`
	// TemplateTokens is what the chat template adds to every prompt, at its beginning.
	TemplateTokens int `yaml:"template_tokens,omitempty" json:"template_tokens,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	// RateLimit rejects (429 with Retry-After) above this rate.
	RateLimit Rate `yaml:"rate_limit,omitempty" json:"rate_limit,omitempty" jsonschema:"exclusiveMinimum=0,example=10/s"`
	// Background is load of other tenants on the same slots.
	Background *Background `yaml:"background,omitempty" json:"background,omitempty"`
	// Faults are failures to inject. The probabilities of those that hit single requests add up to at most 1.
	Faults []Fault `yaml:"faults,omitempty" json:"faults,omitempty"`
	// Report is what an answer says of the server's own times: none (default), vllm (per-request metrics, with the
	// queue) or llama.cpp (timings, without it).
	Report string `yaml:"report,omitempty" json:"report,omitempty" jsonschema:"enum=none,enum=vllm,enum=llama.cpp"`
}

// ServiceTime is a service time law for tests against queueing theory.
type ServiceTime struct {
	Law  string   `yaml:"law" json:"law" jsonschema:"required,enum=fixed,enum=exponential"`
	Mean Duration `yaml:"mean" json:"mean" jsonschema:"required,exclusiveMinimum=0,example=100ms"`
}

// Background is load of other tenants: Poisson arrivals of fixed size.
type Background struct {
	Rate   Rate `yaml:"rate" json:"rate" jsonschema:"required,exclusiveMinimum=0,example=2/s"`
	Input  int  `yaml:"input" json:"input" jsonschema:"required,minimum=1,maximum=10000000,example=500"`
	Output int  `yaml:"output" json:"output" jsonschema:"required,minimum=1,maximum=10000000,example=200"`
}

// Fault is an injected failure. Kind is stall (the whole server stands still At for For), or one that hits a request
// with Probability: http_500, http_503, error_event, error_body, truncate, malformed, empty, hang, reset.
type Fault struct {
	Kind        string   `yaml:"kind" json:"kind" jsonschema:"required,enum=stall,enum=http_500,enum=http_503,enum=error_event,enum=error_body,enum=truncate,enum=malformed,enum=empty,enum=hang,enum=reset"`
	Probability float64  `yaml:"probability,omitempty" json:"probability,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1,example=0.01"`
	At          Duration `yaml:"at,omitempty" json:"at,omitempty"`
	For         Duration `yaml:"for,omitempty" json:"for,omitempty" jsonschema:"exclusiveMinimum=0,example=2s"`
}
