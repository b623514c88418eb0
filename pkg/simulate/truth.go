package simulate

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// The outcomes of requests that no fault hit. A fault's kind is the outcome of the request that it hit.
const (
	OutcomeOK          = "ok"
	OutcomeRateLimited = "rate_limited" // 429
	OutcomeQueueFull   = "queue_full"   // 503
	OutcomeCancelled   = "cancelled"    // the client left, or the server was closed
)

// Truth is what really happened to one request, in the order of its instants. A zero time, and a duration that depends
// on one, is an instant that did not come.
//
// FirstToken and LastToken are due at the client: half a round trip after the model made the token. FirstWritten and
// LastWritten are when the server handed them to the network, which ideally is the same instant; between that and the
// client's read lies the real network. With an answer that is not streamed both are the instant of the one write.
type Truth struct {
	ID       string    `json:"id"`
	Outcome  string    `json:"outcome"`
	Received time.Time `json:"received"` // the request's last byte was read
	Arrived  time.Time `json:"arrived"`  // half a round trip later: the model sees it
	Admitted time.Time `json:"admitted,omitzero"`
	// PrefillDone is when the model made the first token.
	PrefillDone  time.Time `json:"prefill_done,omitzero"`
	FirstToken   time.Time `json:"first_token,omitzero"`
	LastToken    time.Time `json:"last_token,omitzero"`
	FirstWritten time.Time `json:"first_written,omitzero"`
	LastWritten  time.Time `json:"last_written,omitzero"`

	Queue   time.Duration `json:"queue_ns"`   // Admitted - Arrived
	Prefill time.Duration `json:"prefill_ns"` // PrefillDone - Admitted
	Decode  time.Duration `json:"decode_ns"`  // LastToken - FirstToken

	InputTokens  int `json:"input_tokens"`
	CachedTokens int `json:"cached_tokens"`
	OutputTokens int `json:"output_tokens"` // that were due, not that were asked for

	// TokenTimes are when each token was due at the client, WriteTimes when each was written, both counted from
	// Received. Only with Options.TokenTimes.
	TokenTimes []time.Duration `json:"token_times_ns,omitempty"`
	WriteTimes []time.Duration `json:"write_times_ns,omitempty"`

	// Lag is the longest that a write came after it was due: the server's own error.
	Lag time.Duration `json:"lag_ns"`
}

// truthLog keeps the latest records.
type truthLog struct {
	mu    sync.Mutex
	limit int
	next  int // where the next goes once the limit is reached
	ring  []Truth
}

func (l *truthLog) add(t Truth) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < l.limit {
		l.ring = append(l.ring, t)
		return
	}
	l.ring[l.next] = t
	l.next = (l.next + 1) % l.limit
}

// all is oldest first.
func (l *truthLog) all() []Truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(slices.Clone(l.ring[l.next:]), l.ring[:l.next]...)
}

func writeTruth(w io.Writer, records []Truth) error {
	enc := json.NewEncoder(w)
	for i := range records {
		if err := enc.Encode(&records[i]); err != nil {
			return err
		}
	}
	return nil
}
