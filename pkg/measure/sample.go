package measure

import (
	"encoding/json"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// Sample is one row of the record: everything known of one request. Stamps are nanoseconds since the block's time 0.
// A missing stamp is absent from the JSON, never 0.
type Sample struct {
	Index    int    `json:"i"`
	Approach string `json:"approach"`
	Block    int    `json:"block"`
	Phase    Phase  `json:"phase"`
	// TrafficClass is the request's class in a mix; class below is how it ended.
	TrafficClass string `json:"traffic_class,omitempty"`

	Scheduled    Stamp `json:"scheduled,omitzero"`
	Dispatched   Stamp `json:"dispatched,omitzero"`
	ConnectStart Stamp `json:"connect_start,omitzero"` // only where a connection was dialled
	Connected    Stamp `json:"connected,omitzero"`
	Sent         Stamp `json:"sent,omitzero"`
	Headers      Stamp `json:"headers,omitzero"`
	FirstEvent   Stamp `json:"first_event,omitzero"`
	FirstToken   Stamp `json:"first_token,omitzero"`
	FirstVisible Stamp `json:"first_visible,omitzero"`
	LastToken    Stamp `json:"last_token,omitzero"`
	Done         Stamp `json:"done,omitzero"`

	Class      endpoint.Class `json:"class"`
	Error      string         `json:"error,omitempty"`
	Status     int            `json:"status,omitempty"`
	Finish     string         `json:"finish,omitempty"`
	RetryAfter time.Duration  `json:"retry_after,omitempty"` // ns
	Protocol   string         `json:"protocol,omitempty"`
	RequestID  string         `json:"request_id,omitempty"` // the server's name for the request

	Events        int   `json:"events,omitempty"`   // stream events of any kind, comments excluded
	Chunks        int   `json:"chunks,omitempty"`   // events that carried generated text
	Reads         int   `json:"reads,omitempty"`    // network reads that carried generated text
	Comments      int   `json:"comments,omitempty"` // SSE comments
	UnknownEvents int   `json:"unknown_events,omitempty"`
	ReasoningSeen bool  `json:"reasoning_seen,omitempty"` // reasoning text was streamed
	MaxGap        Stamp `json:"max_gap,omitzero"`         // the stall: longest chunk gap, ns

	AskedInput  int `json:"asked_input,omitempty"`
	AskedOutput int `json:"asked_output,omitempty"`
	// Cacheable are the asked input tokens that an earlier request has brought into an unlimited prefix cache.
	Cacheable int `json:"cacheable_tokens,omitempty"`
	// Turn is which turn of its conversation the request is, from 1, of Turns planned; the turns of one conversation have one
	// Index. Think is how long the user thought before it, from the end of the turn before to Scheduled, in ns. Context are the
	// tokens of the conversation before it. SessionEnd, on the last turn that was sent, says how the conversation ended.
	Turn       int                 `json:"turn,omitempty"`
	Turns      int                 `json:"turns,omitempty"`
	Think      Stamp               `json:"think,omitzero"`
	Context    int                 `json:"context_tokens,omitempty"`
	SessionEnd workload.SessionEnd `json:"session_end,omitempty"`

	InputTokens  *int   `json:"input_tokens,omitempty"`
	CachedInput  *int   `json:"cached_input_tokens,omitempty"`
	OutputTokens *int   `json:"output_tokens,omitempty"`
	Reasoning    *int   `json:"reasoning_tokens,omitempty"`
	Basis        string `json:"basis,omitempty"` // of OutputTokens: usage or chunks

	ServerSource  string `json:"server_source,omitempty"`
	ServerQueue   Stamp  `json:"server_queue,omitzero"` // ns, as the server reports it
	ServerPrefill Stamp  `json:"server_prefill,omitzero"`
	ServerDecode  Stamp  `json:"server_decode,omitzero"`
	ServerTotal   Stamp  `json:"server_total,omitzero"` // from the request's arrival to the end of the answer

	Prompt json.RawMessage `json:"prompt,omitempty"` // only with output.keep_text
	Answer string          `json:"answer,omitempty"` // only with output.keep_text

	// Stamps is what stamped the arrivals of the answer: kernel or clock (endpoint.StampsKernel, StampsClock).
	Stamps string `json:"stamps,omitempty"`

	// The parts of a new connection, between ConnectStart and Connected (endpoint.SetUp). ns
	SetUpDNS   Stamp `json:"setup_dns,omitzero"`
	SetUpTCP   Stamp `json:"setup_tcp,omitzero"`
	SetUpProxy Stamp `json:"setup_proxy,omitzero"`
	SetUpTLS   Stamp `json:"setup_tls,omitzero"`

	// RateLimits are the limits that a refusal (429) told of.
	RateLimits []endpoint.RateLimit `json:"rate_limits,omitempty"`

	gaps gapList
	late time.Duration // of the first token's read
	// spread is the number of tokens that an event of unknown size is taken to hold: the request's own mean.
	spread float64
}

// Phase is the part of a block in which a request was scheduled.
type Phase string

// The phases that hold requests.
const (
	Warmup  Phase = "warmup"
	Measure Phase = "measure"
	// LightLoad is before the block's time 0: requests sent one at a time. Their stamps count from the start of this phase.
	LightLoad Phase = "light_load"
)
