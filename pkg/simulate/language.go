package simulate

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/infbench/infbench/pkg/workload"
)

// language is the wire format of one API.
type language struct {
	// parse reads a request.
	parse func(r *http.Request, body []byte) (*asked, error)
	// shape is the body of an error response.
	shape func(status int, kind, message string) any
}

// refuse writes an error response.
func (l *language) refuse(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, l.shape(status, kind, message))
}

// speech writes one answer. Every method appends to b.
type speech interface {
	mime() string                         // of a stream
	open(b []byte) []byte                 // what comes before the first token
	tokens(b []byte, from, to int) []byte // one event with tokens from..to-1
	close(b []byte) []byte                // what follows the last token: finish reason, usage, the terminal event
	fail(b []byte, message string) []byte // an error in the stream
	garble(b []byte) []byte               // an event that breaks the grammar
	whole(b []byte) []byte                // an answer in one piece
}

const sseMime = "text/event-stream; charset=utf-8"

const (
	maxBody   = 16 << 20
	maxOutput = 1 << 20 // tokens
)

// asked is what the simulation understands of a request; it ignores the rest.
type asked struct {
	model  string
	texts  []string
	stream bool
	limit  *int // the output length that was asked for, nil where none was
	speak  func(*call) speech
}

func (a *asked) check() error {
	if n := a.limit; n != nil && (*n < 1 || *n > maxOutput) {
		return fmt.Errorf("the output length is %d: it must be 1 to %d", *n, maxOutput)
	}
	return nil
}

// job is the request as the model sees it.
func (a *asked) job(sim *workload.Simulation) *job {
	h := newPromptHash(sim)
	for _, text := range a.texts {
		h.write(text)
	}
	j := &job{input: h.tokens, finish: finishLength, out: newStream(!a.stream)}
	if sim.PrefixCacheTokens > 0 {
		j.prompt = h
	}
	if a.limit != nil {
		j.output = *a.limit
	}
	return j
}

// vocabulary is the words of every answer. A word is a token.
var vocabulary = [...]string{"the", "queue", "grows", "when", "arrivals", "come", "faster", "than", "service", "and", "every",
	"token", "waits", "its", "turn", "in", "a", "batch", "until", "one", "slot", "is", "free", "again", "then", "time", "moves",
	"on", "as", "before", "with", "less"}

// word is token i of an answer; 7 is coprime to the vocabulary's size, so that all words come round.
func word(i int) int { return i * 7 % len(vocabulary) }

// text is the words of tokens from..to-1, each but the answer's first after a space.
func text(b []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, vocabulary[word(i)]...)
	}
	return b
}

// appendString appends s as JSON.
func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		quoted = []byte(`""`) // a string can always be encoded
	}
	return append(b, quoted...)
}
