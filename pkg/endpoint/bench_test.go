package endpoint

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// tokenCount is the least that an observer can do.
type tokenCount struct{ tokens int }

func (c *tokenCount) Observe(e Event) {
	if e.Kind.Generated() {
		c.tokens++
	}
}

// vllmEvent is an event as vLLM writes it.
func vllmEvent(i int) string {
	return fmt.Sprintf(`data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}]}`, i%10) + "\n\n"
}

// chatJudge reads chat completions.
func chatJudge(streamed, keepText bool) func(*exchange) answer {
	return func(x *exchange) answer {
		return &response{exchange: x, dialect: &chat{res: &x.res}, manner: openAIStream, streamed: streamed, keepText: keepText}
	}
}

// benchReply is a reply in the middle of a stream.
func benchReply(obs Observer) *reply {
	ctx, clocks := startDeadlines(context.Background(), limits{total: time.Hour})
	clocks.stop()
	r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: obs, judge: chatJudge(true, false)}}
	r.take(arrival{bytes: []byte(sseHead + chunked(roleEvent)), number: 1, kernel: true})
	return r
}

// The whole way of an event from the bytes of a network read to the observer: framing of HTTP, grammar of SSE, the chunk's
// JSON.
func BenchmarkEvent(b *testing.B) {
	for _, perRead := range []int{1, 4} {
		b.Run(fmt.Sprintf("per-read-%d", perRead), func(b *testing.B) {
			obs := &tokenCount{}
			r := benchReply(obs)
			var wire []byte
			for i := range perRead {
				wire = append(wire, chunked(vllmEvent(i))...)
			}
			number := uint32(1)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				number++
				if r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true}) {
					b.Fatal(r.result())
				}
			}
			if obs.tokens != b.N*perRead {
				b.Fatalf("%d tokens of %d events", obs.tokens, b.N*perRead)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(obs.tokens), "ns/event")
		})
	}
}

// textReply is a reply of another API in the middle of a stream, and the bytes of a network read with one more event.
func textReply(t testing.TB, api string, obs Observer) (*reply, []byte) {
	s := samples[api]
	a := s.approach
	a.API, a.URL, a.Model = api, "http://mem/base", "m"
	e, err := Open(Config{Approach: a, Key: "sk-secret", Epoch: time.Now()}) // Bedrock wants a key, or credentials and a region
	if err != nil {
		t.Fatal(err)
	}
	ctx, clocks := startDeadlines(context.Background(), limits{total: time.Hour})
	clocks.stop()
	r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: obs, judge: func(x *exchange) answer {
		return &response{exchange: x, dialect: e.(*remote).dialect(&x.res), manner: e.(*remote).manner, streamed: true}
	}}}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", s.mime)
	r.take(arrival{bytes: []byte(head + chunked(strings.Join(s.first, "")+s.text("a"))), number: 1, kernel: true})
	return r, []byte(chunked(s.text(" word")))
}

// The whole way of an event with a piece of text, of each API.
func BenchmarkText(b *testing.B) {
	for _, api := range APIs() {
		b.Run(api, func(b *testing.B) {
			obs := &tokenCount{}
			r, wire := textReply(b, api, obs)
			number := uint32(1)
			b.ReportAllocs()
			for b.Loop() {
				number++
				if r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true}) {
					b.Fatal(r.result())
				}
			}
			if obs.tokens != b.N+1 {
				b.Fatalf("%d tokens of %d events", obs.tokens, b.N)
			}
		})
	}
}

// Nothing is allocated for an event with a piece of text.
func TestEventsAllocateNothing(t *testing.T) {
	check := func(name string, r *reply, wire []byte) {
		number := uint32(1)
		if n := testing.AllocsPerRun(1000, func() {
			number++
			r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true})
		}); n != 0 {
			t.Errorf("%s: %v allocations per event", name, n)
		}
	}
	check("vLLM", benchReply(&tokenCount{}), []byte(chunked(vllmEvent(1))))
	for _, api := range []string{AnthropicMessages, Gemini, OpenAICompletions, OpenAIResponses} {
		r, wire := textReply(t, api, &tokenCount{})
		check(api, r, wire)
	}
}

// openReply is a reply of an API in the middle of a stream.
func openReply(tb testing.TB, name string, s *sample) (*reply, *tokenCount) {
	a := s.approach
	a.API, a.URL, a.Model = name, "http://mem/base", "m"
	e, err := Open(Config{Approach: a, Key: "sk-secret", Epoch: time.Now()}) // Bedrock wants a key, or credentials and a region
	if err != nil {
		tb.Fatal(err)
	}
	defer e.Close()
	api, obs := e.(*remote), &tokenCount{}
	ctx, clocks := startDeadlines(context.Background(), limits{total: time.Hour})
	clocks.stop()
	r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: obs, judge: func(x *exchange) answer {
		return &response{exchange: x, dialect: api.dialect(&x.res), manner: api.manner, streamed: true}
	}}}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + s.mime + "\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, first := range []string{head, chunked(s.text("some")), chunked(s.text("other"))} { // these are pieces, not a text that grows
		r.take(arrival{bytes: []byte(first), number: 1, kernel: true})
	}
	return r, obs
}

// The same way with the events of each API.
func BenchmarkEventOf(b *testing.B) {
	for _, name := range APIs() {
		b.Run(name, func(b *testing.B) {
			s := samples[name]
			r, _ := openReply(b, name, &s)
			wire := []byte(chunked(s.text(" word")))
			number := uint32(1)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				number++
				if r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true}) {
					b.Fatal(r.result())
				}
			}
		})
	}
}
