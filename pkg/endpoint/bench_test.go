package endpoint

import (
	"context"
	"fmt"
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

// Nothing is allocated for an event.
func TestEventsAllocateNothing(t *testing.T) {
	r := benchReply(&tokenCount{})
	wire := []byte(chunked(vllmEvent(1)))
	number := uint32(1)
	if n := testing.AllocsPerRun(1000, func() {
		number++
		r.take(arrival{bytes: wire, at: time.Duration(number), number: number, kernel: true})
	}); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}

// openReply is a reply of an API in the middle of a stream.
func openReply(tb testing.TB, name string, s *sample) (*reply, *tokenCount) {
	a := s.approach
	a.API, a.URL, a.Model = name, "http://mem/base", "m"
	e, err := Open(Config{Approach: a, Epoch: time.Now()})
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
