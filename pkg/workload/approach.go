package workload

// Approach is one way of serving the traffic: an endpoint, the levers it is run with, and how it is called.
// Either URL (a real endpoint) or Simulate (an embedded one) is set.
type Approach struct {
	Name string `yaml:"name" json:"name"`
	// API is the wire format. Default openai-chat.
	API string `yaml:"api,omitempty" json:"api,omitempty"`
	// URL is the API's base, as its SDKs take it: https://api.openai.com/v1. ${ENV} is expanded.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// Model is sent as the request's model.
	Model string `yaml:"model,omitempty" json:"model,omitempty"`
	// KeyEnv is the name of the environment variable that holds the API key. The key itself never stands in a file.
	KeyEnv string `yaml:"key_env,omitempty" json:"key_env,omitempty"`
	// Stream asks for a streamed answer. Default true.
	Stream *bool `yaml:"stream,omitempty" json:"stream,omitempty"`
	// Headers are sent with every request.
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
	// Body fields are merged into every request's JSON body, after ours: a null removes a field of ours.
	Body map[string]any `yaml:"body,omitempty" json:"body,omitempty"`
	// MaxTokensField is the name of the body field for the output length: max_completion_tokens (default) or
	// max_tokens.
	MaxTokensField string      `yaml:"max_tokens_field,omitempty" json:"max_tokens_field,omitempty"`
	Timeouts       Timeouts    `yaml:"timeouts,omitempty" json:"timeouts,omitzero"`
	Connections    Connections `yaml:"connections,omitempty" json:"connections,omitzero"`
	// Levers are what distinguishes this approach (model, quantization, caching, batching, ...), for the report.
	Levers   map[string]string `yaml:"levers,omitempty" json:"levers,omitempty"`
	Simulate *Simulation       `yaml:"simulate,omitempty" json:"simulate,omitempty"`
}

// Streaming reports whether the approach asks for a streamed answer.
func (a *Approach) Streaming() bool { return a.Stream == nil || *a.Stream }

// Timeouts end a request that takes too long; each is an error class of its own. Zero takes the default, named
// beside each field.
type Timeouts struct {
	Connect    Duration `yaml:"connect,omitempty" json:"connect,omitempty"`         // 10s: DNS, TCP and TLS together
	FirstToken Duration `yaml:"first_token,omitempty" json:"first_token,omitempty"` // 60s from the last byte sent
	Idle       Duration `yaml:"idle,omitempty" json:"idle,omitempty"`               // 60s without any byte
	Total      Duration `yaml:"total,omitempty" json:"total,omitempty"`             // 300s from dispatch
}

// Connections is the connection policy.
type Connections struct {
	// Reuse is keep-alive (default: an idle connection is used again) or never (a new connection per request).
	Reuse string `yaml:"reuse,omitempty" json:"reuse,omitempty"`
}

// Simulation is the model of an embedded endpoint. Profile fills every field; a field that is set here wins.
// Package simulate documents the model.
type Simulation struct {
	Profile string `yaml:"profile,omitempty" json:"profile,omitempty"`
	// Network is the round trip between client and server: half before the request is seen, half before each byte of
	// the answer is.
	Network Duration `yaml:"network,omitempty" json:"network,omitempty"`
	// Slots is the batch limit: how many requests decode together. The others wait in one FIFO queue.
	Slots int `yaml:"slots,omitempty" json:"slots,omitempty"`
	// QueueLimit rejects (503) what would wait behind this many requests. 0: no limit.
	QueueLimit int `yaml:"queue_limit,omitempty" json:"queue_limit,omitempty"`
	// Overhead is the fixed part of every prefill.
	Overhead Duration `yaml:"overhead,omitempty" json:"overhead,omitempty"`
	// PrefillPerToken is the prefill time of one uncached prompt token.
	PrefillPerToken Duration `yaml:"prefill_per_token,omitempty" json:"prefill_per_token,omitempty"`
	// DecodeStep is the time of one decode step with one sequence in the batch.
	DecodeStep Duration `yaml:"decode_step,omitempty" json:"decode_step,omitempty"`
	// DecodePerSequence is added to the step for each further sequence in the batch.
	DecodePerSequence Duration `yaml:"decode_per_sequence,omitempty" json:"decode_per_sequence,omitempty"`
	// TokensPerStep is how many tokens one step yields on average (speculative decoding). Default 1.
	TokensPerStep float64 `yaml:"tokens_per_step,omitempty" json:"tokens_per_step,omitempty"`
	// Speed divides every compute time (quantization, a faster part). Default 1.
	Speed float64 `yaml:"speed,omitempty" json:"speed,omitempty"`
	// Service, where set, replaces the model by one service time drawn per request: fixed or exponential.
	Service *ServiceTime `yaml:"service,omitempty" json:"service,omitempty"`
	// PrefixCacheTokens is the size of the prefix cache. 0: no cache.
	PrefixCacheTokens int `yaml:"prefix_cache_tokens,omitempty" json:"prefix_cache_tokens,omitempty"`
	// RateLimit rejects (429 with Retry-After) above this rate.
	RateLimit Rate `yaml:"rate_limit,omitempty" json:"rate_limit,omitempty"`
	// Background is load of other tenants on the same slots.
	Background *Background `yaml:"background,omitempty" json:"background,omitempty"`
	Faults     []Fault     `yaml:"faults,omitempty" json:"faults,omitempty"`
}

// ServiceTime is a service time law for tests against queueing theory.
type ServiceTime struct {
	Law  string   `yaml:"law" json:"law"` // fixed or exponential
	Mean Duration `yaml:"mean" json:"mean"`
}

// Background is load of other tenants: Poisson arrivals of fixed size.
type Background struct {
	Rate   Rate `yaml:"rate" json:"rate"`
	Input  int  `yaml:"input" json:"input"`
	Output int  `yaml:"output" json:"output"`
}

// Fault is an injected failure. Kind is stall (the whole server stands still At for For), or one that hits a request
// with Probability: http_500, http_503, error_event, error_body, truncate, malformed, empty, hang, reset.
type Fault struct {
	Kind        string   `yaml:"kind" json:"kind"`
	Probability float64  `yaml:"probability,omitempty" json:"probability,omitempty"`
	At          Duration `yaml:"at,omitempty" json:"at,omitempty"`
	For         Duration `yaml:"for,omitempty" json:"for,omitempty"`
}
