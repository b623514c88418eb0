package endpoint

import (
	"io"
	"slices"
	"testing"
	"time"
)

// tgiToken is one event, as TGI writes it: without a blank after the colon.
func tgiToken(text string, special bool, rest string) string {
	kind := "false"
	if special {
		kind = "true"
	}
	return `data:{"index":1,"token":{"id":5,"text":"` + text + `","logprob":-0.1,"special":` + kind + `},` + rest + `}` + "\n\n"
}

const notLast = `"generated_text":null,"details":null`

func init() {
	samples[TGI] = sample{
		mime:     "text/event-stream",
		text:     func(piece string) string { return tgiToken(piece, false, notLast) },
		last:     []string{tgiToken("</s>", true, `"generated_text":"Hello","details":{"finish_reason":"eos_token","generated_tokens":2,"seed":null,"input_length":9}`)},
		noUsage:  []string{tgiToken("</s>", true, `"generated_text":"Hello","details":null`)},
		failure:  []string{`data:{"error":"Model is overloaded","error_type":"overloaded"}` + "\n\n", `data:{"error_type":"overloaded"}` + "\n\n"},
		harmless: []string{tgiToken("", false, notLast), tgiToken("<s>", true, notLast), `data:{"error":null,"token":null}` + "\n\n", `data:{"something":"new"}` + "\n\n"},
		document: `{"generated_text":"Hello","details":{"finish_reason":"eos_token","generated_tokens":2,"seed":null,"prefill":[],"tokens":[]}}`,
		head: []string{"x-compute-type: cpu", "x-compute-time: 0.25", "x-total-time: 250", "x-validation-time: 0", "x-queue-time: 40",
			"x-inference-time: 209", "x-time-per-token: 104", "x-prompt-tokens: 9", "x-generated-tokens: 2"},
		failedDocument: `{"error":"Model is overloaded","error_type":"overloaded"}`,
		finish:         "eos_token",
		usage:          [4]int{9, -1, 2, -1},
		comment:        ":\n\n",
	}
}

// An event is a token. Those without text, special ones or the first bytes of a character, come with the next text: the
// text of the last event counts though it also ends the answer.
func TestTGITokens(t *testing.T) {
	s := samples[TGI]
	s.approach.API = TGI
	events := []string{tgiToken("<think>", true, notLast), tgiToken("a", false, notLast), tgiToken("", false, notLast), tgiToken("é", false, notLast),
		tgiToken("b", false, `"generated_text":"aéb","details":{"finish_reason":"length","generated_tokens":5,"seed":1}`)}
	p := s.play(t, headOf(200, s.mime), one(events), io.EOF, true)
	if got, want := p.tokensOf(), []int{2, 2, 1}; p.Class != OK || p.Text != "aéb" || !slices.Equal(got, want) || *p.Usage.Output != 5 {
		t.Errorf("%s %q, tokens %v, want %v: %+v", p.Class, p.Text, got, want, p.Result)
	}
}

// The times stand in the header, in milliseconds, of an answer in one piece alone.
func TestTGIHeaders(t *testing.T) {
	s := samples[TGI]
	s.approach.API = TGI
	p := s.play(t, headOf(200, "application/json", s.head...), one([]string{s.document}), io.EOF, false)
	checkTimes(t, p.Server, "TGI headers", times{queue: 40 * time.Millisecond, prefill: -1, decode: -1, total: 250 * time.Millisecond})
	p = s.play(t, headOf(200, s.mime, "x-compute-type: cpu", "x-queue-time: many"), one(s.units("a")), io.EOF, true)
	checkTimes(t, p.Server, "", times{-1, -1, -1, -1})
}
