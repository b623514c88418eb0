package endpoint

import (
	"context"
	"testing"
	"time"
)

// A stream that waits for its next event holds no buffer, and one that waits in the middle of an event keeps what it has,
// whatever others write into the buffers that were given back.
func TestWaitingStreamHoldsNoBuffer(t *testing.T) {
	ctx, clocks := startDeadlines(context.Background(), limits{total: time.Hour})
	defer clocks.stop()
	events := chunked(vllmEvent(1)) + chunked(": a comment\n\n"+vllmEvent(2)) + chunked("event: x\r") + chunked(vllmEvent(3)+usageEvent+doneEvent) + "0\r\n\r\n"
	scribble := func() {
		b := buffers.Get().(*[]byte)
		for i := range *b {
			(*b)[i] = 'x'
		}
		buffers.Put(b)
	}
	for cut := range len(events) {
		r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: &tokenCount{}, judge: chatJudge(true, true)}}
		take := func(s string) bool {
			over := r.take(arrival{bytes: []byte(s), number: 1, kernel: true})
			scribble()
			return over
		}
		take(sseHead + chunked(roleEvent))
		if r.x.buf != nil {
			t.Fatal("a stream between two events holds a buffer")
		}
		take(events[:cut])
		if whole := len(chunked(vllmEvent(1))); cut > 20 && cut < whole-20 && r.x.buf == nil {
			t.Fatalf("cut at %d, inside an event: no buffer holds its beginning", cut)
		}
		over := take(events[cut:])
		if res := r.result(); !over || res.Class != OK || res.Text != " word1 word2 word3" {
			t.Fatalf("cut at %d: over %v, %s %q: %q", cut, over, res.Class, res.Error, res.Text)
		}
		if r.x.buf != nil {
			t.Fatal("a reply that is over holds a buffer")
		}
	}
}
