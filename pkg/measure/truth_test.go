package measure_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// These tests hold the record against what the simulated server itself says of each request. All of the way is real
// (net/http on both sides, our client, the runner, the files of the run directory), only the network and the clock are
// virtual, so that nothing but an error of ours can come between the two: they must agree to the nanosecond.

const (
	truthWarmup = time.Second
	truthLength = 7 * time.Second
)

// drive sends an open loop of about rate per second to a simulated server, and reads the run directory back.
func drive(t *testing.T, sim workload.Simulation, a workload.Approach, rate float64) (*measure.Record, []*measure.Sample, map[string]simulate.Truth) {
	t.Helper()
	l := memnet.Listen()
	server, err := simulate.Serve(t.Context(), l, sim, simulate.Options{Seed: 5, TokenTimes: true})
	if err != nil {
		t.Fatal(err)
	}
	if a.URL, err = server.Base(a.API); err != nil {
		t.Fatal(err)
	}
	a.Name, a.Model = "a", "m"
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, Dial: l.Dial})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // the epochs of the endpoint and of the block are not the same
	rec, rows := record(t, &measure.Runner{}, measure.Block{Approach: a.Name, Simulated: true, Endpoint: e, Epoch: epoch,
		Phases: workload.Phases{Warmup: workload.Duration(truthWarmup), Measure: workload.Duration(truthLength - truthWarmup), Drain: workload.Duration(time.Minute)},
		Times:  poisson(rate, truthLength), Request: promptOf})
	e.Close()
	server.Stop()
	truths := map[string]simulate.Truth{}
	for _, tr := range server.Truth() {
		truths[tr.ID] = tr
	}
	return rec, rows, truths
}

// record runs one block into a fresh run directory and reads it back.
func record(t *testing.T, r *measure.Runner, b measure.Block) (*measure.Record, []*measure.Sample) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := measure.Create(dir, &measure.Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test", Phases: b.Phases}})
	if err != nil {
		t.Fatal(err)
	}
	r.Writer = w
	if err := r.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	return read(t, dir)
}

func read(t *testing.T, dir string) (*measure.Record, []*measure.Sample) {
	t.Helper()
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*measure.Sample
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, s)
	}
	return rec, rows
}

func poisson(rate float64, until time.Duration) (times []time.Duration) {
	rng := rand.New(rand.NewPCG(1, 2))
	for at := time.Duration(0); at < until; at += time.Duration(rng.ExpFloat64() / rate * float64(time.Second)) {
		times = append(times, at)
	}
	return times
}

// promptOf makes requests of many lengths; every other one begins like the ones before it, for the prefix cache.
func promptOf(i int) workload.Request {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	lead := strings.Repeat("shared ", 100)
	if i%2 == 1 {
		lead = strings.Repeat(string(rune('a'+i%26))+string(rune('a'+i/26%26))+" ", 100)
	}
	text := lead + strings.Repeat("word ", rng.IntN(200))
	return workload.Request{Index: i, Messages: []workload.Message{{Role: "user", Content: text}}, MaxTokens: 1 + rng.IntN(60)}
}

// counted asks for a running token count with every chunk, which is the only way to know what each holds.
var counted = map[string]any{"stream_options": map[string]any{"continuous_usage_stats": true}}

type truthCase struct {
	name     string
	sim      workload.Simulation
	approach workload.Approach
	rate     float64
	outcomes []string // that must be among the truths, so that the test shows what it says
}

func TestRecordAgreesWithTheServersTruth(t *testing.T) {
	ms := func(n float64) workload.Duration { return workload.Duration(n * float64(time.Millisecond)) }
	small := workload.Simulation{Network: ms(3), Slots: 4, Overhead: ms(20.3), PrefillPerToken: ms(0.0417), DecodeStep: ms(5.01), DecodePerSequence: ms(0.33), Report: "vllm"}
	with := func(change func(*workload.Simulation)) workload.Simulation {
		s := small
		change(&s)
		return s
	}
	no := false
	tests := []truthCase{
		{name: "a queue before four slots", sim: small},
		{name: "no reuse of connections", sim: small, approach: workload.Approach{Connections: workload.Connections{Reuse: "never"}}},
		{name: "not streamed", sim: small, approach: workload.Approach{Stream: &no}},
		{name: "speculative decoding, counted", sim: with(func(s *workload.Simulation) { s.TokensPerStep = 2.7 }), approach: workload.Approach{Body: counted}},
		{name: "speculative decoding, not counted", sim: with(func(s *workload.Simulation) { s.TokensPerStep = 2.7 })},
		{name: "prefix cache", sim: with(func(s *workload.Simulation) { s.PrefixCacheTokens = 2000 })},
		{name: "quantized", sim: with(func(s *workload.Simulation) { s.Speed = 1.7 })},
		{name: "other tenants", sim: with(func(s *workload.Simulation) {
			s.Slots, s.Background = 16, &workload.Background{Rate: 20, Input: 100, Output: 20}
		})},
		{name: "exponential service", sim: with(func(s *workload.Simulation) { s.Service = &workload.ServiceTime{Law: "exponential", Mean: ms(100)} })},
		{name: "stall", sim: with(func(s *workload.Simulation) {
			s.Faults = []workload.Fault{{Kind: "stall", At: ms(3000), For: ms(2000)}}
		})},
		{name: "rate limit", sim: with(func(s *workload.Simulation) { s.RateLimit = 8 }), rate: 30, outcomes: []string{simulate.OutcomeRateLimited}},
		{name: "full queue", sim: with(func(s *workload.Simulation) { s.QueueLimit = 2 }), rate: 60, outcomes: []string{simulate.OutcomeQueueFull}},
		{name: "faults", sim: with(func(s *workload.Simulation) {
			s.Slots = 16
			for _, kind := range slices.Sorted(maps.Keys(faultClasses)) {
				s.Faults = append(s.Faults, workload.Fault{Kind: kind, Probability: 0.07})
			}
		}), approach: workload.Approach{Timeouts: workload.Timeouts{FirstToken: ms(4000)}}, rate: 40,
			outcomes: []string{"http_500", "http_503", "error_event", "error_body", "truncate", "malformed", "empty", "reset", "hang"}},
	}
	for _, profile := range simulate.Profiles() {
		tests = append(tests, tests[0])
		p := &tests[len(tests)-1]
		p.name, p.sim = "profile "+profile, workload.Simulation{Profile: profile}
	}
	faulty := tests[slices.IndexFunc(tests, func(c truthCase) bool { return c.name == "faults" })]
	for _, api := range []string{"anthropic-messages", "gemini", "ollama-chat", "ollama-generate", "openai-responses"} {
		plain, whole, broken := tests[0], tests[0], faulty
		plain.name, plain.approach = api, workload.Approach{API: api}
		whole.name, whole.approach = api+", not streamed", workload.Approach{API: api, Stream: &no}
		broken.name, broken.approach.API = api+", faults", api
		tests = append(tests, plain, whole, broken)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec, rows, truths := drive(t, tt.sim, tt.approach, cmp.Or(tt.rate, 10))
				if len(rows) != len(truths) || len(rows) < 50 {
					t.Fatalf("%d rows, %d truths", len(rows), len(truths))
				}
				seen := map[string]int{}
				for _, s := range rows {
					tr, ok := truths[s.RequestID]
					if !ok {
						t.Fatalf("request %d: the server knows no %q", s.Index, s.RequestID)
					}
					seen[tr.Outcome]++
					compareRow(t, rec.Manifest.Blocks[0].Started, s, &tr)
				}
				for _, o := range append(tt.outcomes, simulate.OutcomeOK) {
					if seen[o] == 0 {
						t.Errorf("no request ended as %s: %v", o, seen)
					}
				}
				compareGaps(t, rec, rows, truths, tt.sim.TokensPerStep > 1 && tt.approach.Body == nil)
			})
		})
	}
}

// faultClasses says what a fault must be recorded as.
var faultClasses = map[string]endpoint.Class{
	"http_500": endpoint.HTTPStatus, "http_503": endpoint.HTTPStatus, "error_event": endpoint.StreamError, "error_body": endpoint.StreamError,
	"truncate": endpoint.Truncated, "malformed": endpoint.Malformed, "empty": endpoint.Empty, "reset": endpoint.Truncated, "hang": endpoint.TimeoutFirstToken,
}

func classOf(outcome string) endpoint.Class {
	switch outcome {
	case simulate.OutcomeOK:
		return endpoint.OK
	case simulate.OutcomeRateLimited:
		return endpoint.RateLimited
	case simulate.OutcomeQueueFull:
		return endpoint.HTTPStatus
	}
	return faultClasses[outcome]
}

// compareRow holds one row against the truth of the same request; zero is the block's time 0.
func compareRow(t *testing.T, zero time.Time, s *measure.Sample, tr *simulate.Truth) {
	t.Helper()
	since := func(at time.Time) measure.Stamp {
		if at.IsZero() {
			return measure.Stamp{}
		}
		return measure.At(at.Sub(zero))
	}
	same := func(name string, got, want measure.Stamp) {
		t.Helper()
		if got != want {
			t.Errorf("request %d (%s): %s is %v, the server says %v", s.Index, tr.Outcome, name, got, want)
		}
	}
	if want := classOf(tr.Outcome); s.Class != want {
		t.Errorf("request %d: %s (%s), want %s for %s", s.Index, s.Class, s.Error, want, tr.Outcome)
	}
	if (s.RetryAfter > 0) != (tr.Outcome == simulate.OutcomeRateLimited) {
		t.Errorf("request %d (%s): retry after %s", s.Index, tr.Outcome, s.RetryAfter)
	}
	phase := measure.Measure
	if d, _ := s.Scheduled.Get(); d < truthWarmup {
		phase = measure.Warmup
	}
	if s.Phase != phase || s.Dispatched != s.Scheduled {
		t.Errorf("request %d: phase %s, scheduled %v, dispatched %v", s.Index, s.Phase, s.Scheduled, s.Dispatched)
	}
	same("sent", s.Sent, since(tr.Received))
	same("first token", s.FirstToken, since(tr.FirstWritten))
	same("first visible token", s.FirstVisible, since(tr.FirstWritten))
	same("last token", s.LastToken, since(tr.LastWritten))
	if tr.Lag != 0 {
		t.Errorf("request %d: the server was %s late in virtual time", s.Index, tr.Lag)
	}
	if s.OK() {
		compareLatencies(t, s, tr, same)
	}
}

// compareLatencies holds the metrics of a successful request against the truth.
func compareLatencies(t *testing.T, s *measure.Sample, tr *simulate.Truth, same func(string, measure.Stamp, measure.Stamp)) {
	t.Helper()
	metric := func(m workload.Metric) measure.Stamp {
		if d, ok := s.Latency(m); ok {
			return measure.At(d)
		}
		return measure.Stamp{}
	}
	delay := s.Sent.Sub(s.Scheduled)
	wait, _ := delay.Get()
	ttft := tr.FirstWritten.Sub(tr.Received)
	same("service TTFT", metric(workload.ServiceTTFT), measure.At(ttft))
	same("TTFT", metric(workload.TTFT), measure.At(wait+ttft))
	same("E2E", metric(workload.E2E), measure.At(wait+tr.LastWritten.Sub(tr.Received)))
	gaps := gapsOf(tr)
	stall := measure.Stamp{}
	for _, g := range gaps {
		if d, ok := stall.Get(); !ok || g.length > d {
			stall = measure.At(g.length)
		}
	}
	same("stall", metric(workload.Stall), stall)
	if len(gaps) > 0 {
		same("TPOT", metric(workload.TPOT), measure.At(tr.LastWritten.Sub(tr.FirstWritten)/time.Duration(tr.OutputTokens-1)))
	}
	if s.Chunks != len(gaps)+1 || s.Reads != s.Chunks || s.Basis != measure.BasisUsage || *s.OutputTokens != tr.OutputTokens ||
		*s.InputTokens != tr.InputTokens {
		t.Errorf("request %d: %d chunks in %d reads, tokens %d -> %d (%s); the server says %d chunks, %d -> %d", s.Index,
			s.Chunks, s.Reads, *s.InputTokens, *s.OutputTokens, s.Basis, len(gaps)+1, tr.InputTokens, tr.OutputTokens)
	}
	if ollama := strings.HasPrefix(s.ServerSource, "Ollama"); (s.CachedInput == nil) != ollama || !ollama && *s.CachedInput != tr.CachedTokens {
		t.Errorf("request %d: cached %v; the server says %d, and only Ollama does not tell", s.Index, s.CachedInput, tr.CachedTokens)
	}
	switch s.ServerSource {
	case "vLLM metrics":
		same("queueing delay", metric(workload.QueueingDelay), measure.At(wait+tr.Queue))
		same("server queue", metric(workload.ServerQueue), measure.At(tr.Queue))
		fallthrough
	case "llama.cpp timings", "Ollama durations":
		same("prefill", s.ServerPrefill, measure.At(tr.Prefill))
		same("decode", s.ServerDecode, measure.At(tr.Decode))
	case "":
		same("queueing delay", metric(workload.QueueingDelay), measure.Stamp{})
	}
}

// tokenGap is the time between two writes that carried tokens, and how many the later one carried.
type tokenGap struct {
	length time.Duration
	tokens int
}

func gapsOf(tr *simulate.Truth) (gaps []tokenGap) {
	for i := 1; i < len(tr.WriteTimes); i++ {
		switch d := tr.WriteTimes[i] - tr.WriteTimes[i-1]; {
		case d > 0:
			gaps = append(gaps, tokenGap{d, 1})
		case len(gaps) > 0:
			gaps[len(gaps)-1].tokens++
		}
	}
	return gaps
}

// compareGaps holds the histograms of gaps, which no row keeps, against the truths of the measure phase. Where the wire
// does not tell the tokens of a chunk, ITL is derived from the request's mean and only its weight can be right.
func compareGaps(t *testing.T, rec *measure.Record, rows []*measure.Sample, truths map[string]simulate.Truth, derived bool) {
	t.Helper()
	var gap, itl measure.Hist
	for _, s := range rows {
		if !s.OK() || s.Phase != measure.Measure {
			continue
		}
		tr := truths[s.RequestID]
		for _, g := range gapsOf(&tr) {
			gap.Record(g.length)
			itl.RecordN(time.Duration(float64(g.length)/float64(g.tokens)), int64(g.tokens))
		}
	}
	got := func(m workload.Metric) measure.Totals {
		if h := rec.Gaps[measure.Tag{Approach: "a", Metric: m}]; h != nil {
			return h.Totals()
		}
		return measure.Totals{}
	}
	if g := got(workload.ChunkGap); g != gap.Totals() {
		t.Errorf("chunk gaps %+v, the server says %+v", g, gap.Totals())
	}
	g, want := got(workload.ITL), itl.Totals()
	if !derived && g != want {
		t.Errorf("ITL %+v, the server says %+v", g, want)
	}
	if ratio := float64(g.Count) / float64(want.Count); derived && (ratio < 0.9 || ratio > 1.1) {
		t.Errorf("ITL stands for %d tokens, the server wrote %d", g.Count, want.Count)
	}
}
