package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server on an in-memory network and a client of it, for a synctest bubble.
type rig struct {
	t      *testing.T
	server *Running
	client *http.Client
	start  time.Time
}

func newRig(t *testing.T, sim workload.Simulation, opts Options) *rig {
	t.Helper()
	l := memnet.Listen()
	opts.TokenTimes = true
	s, err := Serve(context.Background(), l, sim, opts)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{DialContext: l.Dial, DisableCompression: true, MaxIdleConnsPerHost: 1000}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		s.Stop()
	})
	return &rig{t: t, server: s, client: &http.Client{Transport: tr}, start: time.Now()}
}

// seen is what a client saw of one answer. Times count from when it was sent.
type seen struct {
	id      string
	status  int
	header  http.Header
	head    time.Duration
	chunks  []chunkSeen // those with content
	finish  string
	usage   *usageSeen
	metrics map[string]float64
	timings map[string]float64
	failure string // an error object's message
	done    bool   // [DONE]
	end     time.Duration
	text    string
	err     error
}

type chunkSeen struct {
	at     time.Duration
	tokens int
}

type usageSeen struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

type chunkJSON struct {
	Choices []struct {
		Delta        struct{ Content string }
		Message      struct{ Content string }
		FinishReason string `json:"finish_reason"`
		TokenIDs     []int  `json:"token_ids"`
	}
	Usage   *usageSeen
	Metrics map[string]float64
	Timings map[string]float64
	Error   *struct{ Message string }
}

// prompt is n words, different for every key.
func prompt(key string, n int) string {
	return strings.TrimSpace(strings.Repeat(key+" ", n))
}

// ask sends one streamed request and reads its answer to the end.
func (r *rig) ask(ctx context.Context, id, text string, output int) *seen {
	return r.send(ctx, id, fmt.Sprintf(`{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":%d,"messages":[{"role":"user","content":%q}]}`, output, text))
}

func (r *rig) send(ctx context.Context, id, body string) *seen {
	s := &seen{id: id}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sim/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return s
	}
	req.Header.Set("X-Request-Id", id)
	sent := time.Now()
	resp, err := r.client.Do(req)
	if err != nil {
		s.err, s.end = err, time.Since(sent)
		return s
	}
	defer resp.Body.Close()
	s.status, s.header, s.head = resp.StatusCode, resp.Header, time.Since(sent)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		s.events(resp.Body, sent)
	} else {
		var b []byte
		b, s.err = io.ReadAll(resp.Body)
		if s.err == nil {
			s.err = s.take(b, time.Since(sent))
		}
	}
	s.end = time.Since(sent)
	return s
}

func (s *seen) events(body io.Reader, sent time.Time) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		switch {
		case !ok && len(lines.Bytes()) > 0:
			s.err = fmt.Errorf("line %q", lines.Bytes())
		case ok && string(data) == "[DONE]":
			s.done = true
		case ok && s.err == nil:
			s.err = s.take(data, time.Since(sent))
		}
	}
	if err := lines.Err(); err != nil {
		s.err = err
	}
}

func (s *seen) take(data []byte, at time.Duration) error {
	var c chunkJSON
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	if c.Error != nil {
		s.failure = c.Error.Message
	}
	if len(c.Choices) == 1 {
		text := c.Choices[0].Delta.Content + c.Choices[0].Message.Content
		if text != "" {
			s.chunks = append(s.chunks, chunkSeen{at: at, tokens: len(strings.Fields(text))})
			s.text += text
		}
		if f := c.Choices[0].FinishReason; f != "" {
			s.finish = f
		}
	}
	if c.Usage != nil {
		s.usage = c.Usage
	}
	if c.Metrics != nil {
		s.metrics = c.Metrics
	}
	if c.Timings != nil {
		s.timings = c.Timings
	}
	return nil
}

// tokens are the times of all tokens.
func (s *seen) tokens() []time.Duration {
	var all []time.Duration
	for _, c := range s.chunks {
		for range c.tokens {
			all = append(all, c.at)
		}
	}
	return all
}

// truth is the record of a request.
func (r *rig) truth(id string) Truth {
	r.t.Helper()
	synctest.Wait() // a client that left may get to look before the server has noticed
	for _, t := range r.server.Truth() {
		if t.ID == id {
			return t
		}
	}
	r.t.Errorf("no truth of %s", id)
	return Truth{}
}

// every is n times from first on, apart by step.
func every(first, step time.Duration, n int) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = first + time.Duration(i)*step
	}
	return all
}

const millisecond = time.Millisecond

func milli(n float64) workload.Duration { return workload.Duration(n * float64(time.Millisecond)) }
