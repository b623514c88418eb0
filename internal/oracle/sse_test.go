package oracle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tmaxmax/go-sse"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// randomStream writes a chat stream in every form that the grammar of server-sent events allows.
func randomStream(rng *rand.Rand) string {
	var b strings.Builder
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	end := func() string {
		if strings.HasSuffix(b.String(), "\r") {
			return pick("\r\n", "\r") // an LF would belong to that line
		}
		return pick("\n", "\r\n", "\r")
	}
	line := func(s string) {
		b.WriteString(s)
		b.WriteString(end())
	}
	b.WriteString(pick("", "\xef\xbb\xbf"))
	for i := range rng.IntN(8) {
		for range rng.IntN(3) { // what must not change anything
			line(pick(": keep-alive", ":", "id: 7", "retry: 10", "nonsense", "dat: {}", "event: x", ""))
		}
		text := pick(`a`, `\n`, `é`, `\u00e9\ud83d\ude00`, `\"}`, `data: `, ` `) + fmt.Sprint(i)
		lines := []string{`{"choices":[{"delta":`, `{"content":"` + text + `"}`, `}]}`}
		if rng.IntN(2) == 0 {
			lines = []string{strings.Join(lines, "")}
		}
		for _, l := range lines {
			line(pick("data: ", "data:") + l)
		}
		line("")
		if rng.IntN(20) == 0 {
			b.WriteString("data: {\"choices\":[") // cut: not an event
			return b.String()
		}
	}
	line("data: [DONE]")
	line("")
	return b.String()
}

// An independent reader of the standard finds the same events in the same bytes, in whatever pieces they come.
func TestSameEventsAsGoSSE(t *testing.T) {
	var current atomic.Pointer[string]
	rng := rand.New(rand.NewPCG(1, 2))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		stream := *current.Load()
		for i := range len(stream) {
			io.WriteString(w, stream[i:i+1])
			if i%13 == 0 || stream[i] == '\r' {
				w.(http.Flusher).Flush()
			}
		}
	}))
	defer s.Close()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: s.URL + "/v1"}, Epoch: time.Now(), KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 400 {
		stream := randomStream(rng)
		current.Store(&stream)
		var text strings.Builder
		answers, finished := 0, false
		for ev, err := range sse.Read(strings.NewReader(stream), nil) {
			if err != nil {
				t.Fatalf("%q: go-sse: %v", stream, err)
			}
			finished = finished || ev.Data == "[DONE]"
			if piece := gjson.Get(ev.Data, "choices.0.delta.content").Str; piece != "" {
				text.WriteString(piece)
				answers++
			}
		}
		var got answerCount
		r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: "hi"}}}, &got)
		want := endpoint.OK
		switch {
		case !finished:
			want = endpoint.Truncated
		case answers == 0:
			want = endpoint.Empty
		}
		if r.Class != want || r.Text != text.String() || int(got) != answers {
			t.Fatalf("%q:\n %s %q in %d events, %s\nwant %s %q in %d", stream, r.Class, r.Text, got, r.Error, want, text.String(), answers)
		}
	}
}

type answerCount int

func (c *answerCount) Observe(e endpoint.Event) {
	if e.Kind == endpoint.Answer {
		*c++
	}
}
