package endpoint

import (
	"io"
	"slices"
	"testing"
	"time"
)

const llamaTimings = `"timings":{"cache_n":4,"prompt_n":5,"prompt_ms":8.996,"predicted_n":2,"predicted_ms":10.748}`

func init() {
	event := func(json string) string { return "data: " + json + "\n\n" }
	samples[LlamaCpp] = sample{
		mime: "text/event-stream",
		text: func(piece string) string {
			return event(`{"index":0,"content":"` + piece + `","tokens":[],"stop":false,"id_slot":-1,"tokens_evaluated":9}`)
		},
		last: []string{event(`{"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"m","tokens_predicted":2,"tokens_evaluated":9,` +
			`"generation_settings":{"stop":[]},"prompt":"{\"stop\":true}","has_new_line":false,"truncated":false,"stop_type":"limit","stopping_word":"","tokens_cached":10,` + llamaTimings + `}`)},
		noUsage: []string{event(`{"content":"","stop":true,"stop_type":"limit"}`)},
		failure: []string{event(`{"error":{"code":503,"message":"overloaded","type":"unavailable_error"}}`), "error: {\"message\":\"overloaded\"}\n\n", event(`{"error":"overloaded"}`)},
		harmless: []string{event(`{"content":"","stop":false,"error":null}`), event(`{"content":"","stop":false,"prompt_progress":{"total":9,"cache":0,"processed":4,"time_ms":1}}`),
			event(`{"something":"new"}`), event("[DONE]")},
		document:       `{"index":0,"content":"Hello","stop":true,"stop_type":"limit","tokens_predicted":2,"tokens_evaluated":9,` + llamaTimings + `}`,
		failedDocument: `{"error":{"message":"overloaded"}}`,
		finish:         "limit",
		usage:          [4]int{9, 4, 2, -1},
		comment:        ":\n\n",
	}
}

// tokensOf are the tokens of the events with text.
func (p *played) tokensOf() (n []int) {
	for _, e := range p.seen.all {
		if e.Kind.Generated() {
			n = append(n, e.Tokens)
		}
	}
	return n
}

// The tokens of an event are what the running count has grown by: an event lists the id of its last token alone. The
// times are milliseconds.
func TestLlamaCppTokens(t *testing.T) {
	s := samples[LlamaCpp]
	s.approach.API = LlamaCpp
	events := []string{
		`data: {"content":"a","tokens":[],"stop":false,"tokens_predicted":1}` + "\n\n",
		`data: {"content":"","tokens":[],"stop":false,"tokens_predicted":2}` + "\n\n", // half of a character
		`data: {"content":"é","tokens":[],"stop":false,"tokens_predicted":3}` + "\n\n",
		`data: {"content":"bc","tokens":[8],"stop":false,"tokens_predicted":5}` + "\n\n",
		`data: {"content":"d","stop":false}` + "\n\n",
	}
	p := s.play(t, headOf(200, s.mime), one(append(events, s.last...)), io.EOF, true)
	if got, want := p.tokensOf(), []int{1, 2, 2, 0}; p.Class != OK || p.Text != "aébcd" || !slices.Equal(got, want) {
		t.Errorf("%s %q, tokens %v, want %v", p.Class, p.Text, got, want)
	}
	checkTimes(t, p.Server, "llama.cpp timings", times{queue: -1, prefill: 8996 * time.Microsecond, decode: 10748 * time.Microsecond, total: -1})
}
