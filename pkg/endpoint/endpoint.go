// Package endpoint sends one request to an inference API and tells an observer what came back and when.
// There is one file per API, over a reader of server-sent events or of JSON lines. It knows HTTP and knows no statistics.
package endpoint

import (
	"context"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Endpoint sends requests to one target over one API. It is safe for concurrent use.
type Endpoint interface {
	// Do issues exactly one attempt (no hidden retries) and returns when it is over. Events are observed one at a time, in
	// the order in which they happened, before Do returns, though not always on the calling goroutine: an observer that
	// takes long holds other requests up. A failure is a Result with a Class
	// other than OK, never a panic or a second return value: a failed request is a measurement too. An answer that is
	// not streamed is one event, at its last byte.
	//
	// A caller that ends a request cancels ctx with ErrUnfinished, ErrAbandoned or ErrCancelled as the cause.
	Do(ctx context.Context, req *workload.Request, obs Observer) Result
	// Close drops idle connections.
	Close()
}

// Prewarmer is an endpoint that can open connections ahead of the requests.
type Prewarmer interface {
	// Prewarm opens n connections, several at a time, and lets them rest until a request takes them; after 4 s of rest one
	// is closed. The first that fails ends it, with an error that says how many are open; those stay.
	Prewarm(ctx context.Context, n int) error
}

// Observer is told what happened to one request.
type Observer interface {
	Observe(Event)
}

// Event is one thing that happened. Its time is that of the network read (or write) that made it happen, not of the
// parser that found it.
type Event struct {
	Kind Kind
	// At is the monotonic time since the endpoint's epoch.
	At time.Duration
	// Read numbers the network read that completed the event: events with the same number arrived together.
	Read uint32
	// Tokens is how many generated tokens the event holds where the wire says so, else 0.
	Tokens int
	// Late is how long after the bytes came they were read, where the kernel stamps arrivals; else 0. It is the client's
	// own lag, and not in At.
	Late time.Duration
}

// Kind is a kind of event.
type Kind uint8

// The kinds of events, in the order in which a request may see them. Not every request sees each.
const (
	// ConnectStart: no idle connection; a new one is being dialled. Where few may dial at once, the wait lies before it.
	ConnectStart Kind = iota + 1
	// Connected: a connection is at hand (new or reused).
	Connected
	// Sent: the last request byte was written.
	Sent
	// Headers: the first response byte was read.
	Headers
	// Comment: an SSE comment or an empty line (keep-alive). Not a stream event and not a token.
	Comment
	// Other: a stream event that carries no generated text (role, ping, usage, finish, unknown).
	Other
	// Reasoning: generated text that the user does not read.
	Reasoning
	// Answer: generated text that the user reads.
	Answer
	// Tool: tool-call name or arguments.
	Tool
	// Done: the protocol's terminal event, the event that ended the stream as a failure, or the end of a response that
	// is not a stream. A response that breaks off, or that one of our clocks ended, has none.
	Done
)

// Generated reports whether the kind carries generated tokens.
func (k Kind) Generated() bool { return k == Reasoning || k == Answer || k == Tool }

// Class says how a request ended. Every failure has exactly one.
type Class string

// The classes.
const (
	OK                Class = "ok"
	ConnectFailed     Class = "connect"
	ClientLimit       Class = "client_limit" // our own machine had no file descriptor or port left to connect with
	TLSFailed         Class = "tls"
	TimeoutConnect    Class = "timeout_connect"
	TimeoutFirstToken Class = "timeout_first_token"
	TimeoutIdle       Class = "timeout_idle"
	TimeoutTotal      Class = "timeout_total"
	HTTPStatus        Class = "http_status"
	RateLimited       Class = "rate_limited"
	StreamError       Class = "stream_error" // an error object inside a 200 response
	Truncated         Class = "truncated"    // the stream ended without the protocol's terminal event
	Malformed         Class = "malformed"    // the response breaks its own grammar
	Empty             Class = "empty"        // a complete response with no generated text
	Cancelled         Class = "cancelled"    // by us: the run was stopped
	Unfinished        Class = "unfinished"   // by us: still running at the end of the drain
	Abandoned         Class = "abandoned"    // by us: its user had no more patience
)

// Result is what is known of a request when it is over.
type Result struct {
	Class Class
	// Error is the failure in words, with the server's own message where it sent one; no secrets.
	Error string
	// Status is the HTTP status, 0 when no response came.
	Status int
	// Finish is the finish reason as the API spells it.
	Finish string
	// RetryAfter is what a 429 or 503 asked for; 0 when it did not.
	RetryAfter time.Duration
	// RateLimits are the limits that a 429 told of.
	RateLimits []RateLimit
	// RequestID is the server's own name for the request, where it sent one: what its operators ask for.
	RequestID string
	// Protocol is the negotiated HTTP version, such as HTTP/1.1.
	Protocol string
	Usage    Usage
	Server   ServerTiming
	// NewConnection reports that the request had to dial.
	NewConnection bool
	SetUp         SetUp
	// UnknownEvents counts stream events that were tolerated without being understood.
	UnknownEvents int
	// Text is the answer, only where the endpoint was asked to keep it.
	Text string
	// Stamps says what stamped the arrivals of the answer: StampsKernel or StampsClock. Empty without an answer.
	Stamps string
}

// What stamps an arrival: the kernel when it receives the bytes, or our clock right after the read.
const (
	StampsKernel = "kernel"
	StampsClock  = "clock"
)

// Usage is the server's own token count. A nil field was not reported.
type Usage struct {
	Input       *int // all prompt tokens, cached ones included
	CachedInput *int // the part of Input that a prefix cache served
	Output      *int // all generated tokens, reasoning included
	Reasoning   *int // the part of Output that was reasoning
}

// ServerTiming is what the server says of itself. A nil field was not reported.
type ServerTiming struct {
	Source  string // where it stood, such as "llama.cpp timings"
	Queue   *time.Duration
	Prefill *time.Duration
	Decode  *time.Duration
	Total   *time.Duration // from the request's arrival to the end of the answer
}
