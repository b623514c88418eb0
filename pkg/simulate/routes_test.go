package simulate

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prom "github.com/prometheus/common/model"

	"github.com/infbench/infbench/pkg/workload"
)

func tcpClient() (*http.Client, func()) {
	tr := &http.Transport{MaxIdleConnsPerHost: 100}
	return &http.Client{Transport: tr}, tr.CloseIdleConnections
}

func (r *rig) get(path string) (int, string) {
	r.t.Helper()
	resp, err := r.client.Get("http://sim" + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (r *rig) scrape() map[string]*dto.MetricFamily {
	r.t.Helper()
	_, text := r.get("/metrics")
	p := expfmt.NewTextParser(prom.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		r.t.Fatalf("%v in\n%s", err, text)
	}
	return families
}

// What /metrics says is the sum of what /truth says, read by Prometheus' own parser.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(10), Slots: 2, Overhead: milli(50), PrefillPerToken: milli(1), DecodeStep: milli(20),
			DecodePerSequence: milli(3), PrefixCacheTokens: 1000, Faults: []workload.Fault{{Kind: faultTruncate, Probability: 0.2}}}, Options{Seed: 2})
		var wg sync.WaitGroup
		for i := range 30 {
			s := r.at(&wg, time.Duration(i)*60*millisecond, fmt.Sprint("r", i), 40, 1+i%7)
			_ = s
		}
		r.at(&wg, 10*time.Second, "again", 0, 1)
		time.Sleep(1500 * millisecond)
		f := r.scrape()
		running, waiting := gauge(f, "vllm:num_requests_running"), gauge(f, "vllm:num_requests_waiting")
		if running != 2 || waiting < 3 {
			t.Errorf("under load: %v running, %v waiting", running, waiting)
		}
		wg.Wait()
		f = r.scrape()
		var want struct {
			n, prompt, output, aborted              int
			ttft, queue, prefill, decode, e2e, infr time.Duration
			first                                   map[float64]int
		}
		bounds := []float64{0.08, 0.1, 0.25, 0.5, 1, 2.5}
		want.first = map[float64]int{}
		for _, tr := range r.server.Truth() {
			want.n++
			want.prompt += tr.InputTokens
			want.output += tr.OutputTokens
			want.ttft += tr.PrefillDone.Sub(tr.Arrived)
			want.queue += tr.Queue
			want.prefill += tr.Prefill
			want.decode += tr.Decode
			want.infr += tr.Prefill + tr.Decode
			want.e2e += tr.Queue + tr.Prefill + tr.Decode
			if tr.Outcome == faultTruncate {
				want.aborted++
			}
			for _, b := range bounds {
				if tr.PrefillDone.Sub(tr.Arrived).Seconds() <= b {
					want.first[b]++
				}
			}
		}
		if want.n != 31 || want.aborted == 0 {
			t.Fatalf("%d records, %d of them cut", want.n, want.aborted)
		}
		for name, sum := range map[string]time.Duration{
			"time_to_first_token_seconds": want.ttft, "request_queue_time_seconds": want.queue, "request_prefill_time_seconds": want.prefill,
			"request_decode_time_seconds": want.decode, "e2e_request_latency_seconds": want.e2e, "request_inference_time_seconds": want.infr,
		} {
			h := histogramOf(t, f, "vllm:"+name)
			if h.GetSampleCount() != 31 || math.Abs(h.GetSampleSum()-sum.Seconds()) > 1e-9 {
				t.Errorf("%s: n %d, sum %v; want 31 and %v", name, h.GetSampleCount(), h.GetSampleSum(), sum.Seconds())
			}
		}
		buckets := map[float64]uint64{}
		for _, b := range histogramOf(t, f, "vllm:time_to_first_token_seconds").GetBucket() {
			buckets[b.GetUpperBound()] = b.GetCumulativeCount()
		}
		for _, b := range bounds {
			if buckets[b] != uint64(want.first[b]) {
				t.Errorf("%d first tokens within %v s, want %d", buckets[b], b, want.first[b])
			}
		}
		for name, v := range map[string]float64{
			"prompt_tokens_total": float64(want.prompt), "generation_tokens_total": float64(want.output),
			"num_requests_running": 0, "num_requests_waiting": 0,
			"prefix_cache_queries_total": float64(want.prompt), "prefix_cache_hits_total": 0,
		} {
			if got := gauge(f, "vllm:"+name); got != v {
				t.Errorf("%s is %v, want %v", name, got, v)
			}
		}
		for _, m := range f["vllm:request_success_total"].GetMetric() {
			reason := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == "finished_reason" {
					reason = l.GetValue()
				}
			}
			want := map[string]int{"length": 31 - want.aborted, "error": want.aborted}[reason]
			if got := m.GetCounter().GetValue(); got != float64(want) {
				t.Errorf("%v ended by %s, want %d", got, reason, want)
			}
		}
	})
}

func gauge(f map[string]*dto.MetricFamily, name string) float64 {
	if f[name] == nil || len(f[name].GetMetric()) != 1 {
		return math.NaN()
	}
	m := f[name].GetMetric()[0]
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

func histogramOf(t *testing.T, f map[string]*dto.MetricFamily, name string) *dto.Histogram {
	t.Helper()
	if f[name] == nil || f[name].GetType() != dto.MetricType_HISTOGRAM {
		t.Fatalf("no histogram %s", name)
	}
	h := f[name].GetMetric()[0].GetHistogram()
	last := uint64(0)
	for _, b := range h.GetBucket() {
		if b.GetCumulativeCount() < last {
			t.Errorf("%s: bucket %v has fewer than the one below", name, b.GetUpperBound())
		}
		last = b.GetCumulativeCount()
	}
	if last != h.GetSampleCount() {
		t.Errorf("%s: %d in all buckets, count %d", name, last, h.GetSampleCount())
	}
	return h
}

func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Profile: "edge"}, Options{})
		r.ask(t.Context(), "only", "x", 2)
		for _, tc := range []struct {
			path   string
			status int
			part   string
		}{
			{"/v1/models", 200, `"id":"edge"`},
			{"/health", 200, ""},
			{"/metrics", 200, `vllm:generation_tokens_total{engine="0",model_name="edge"} 2`},
			{"/truth", 200, `{"id":"only","outcome":"ok",`},
			{"/v1/embeddings", 404, "there is no GET /v1/embeddings here"},
			{"/v1/chat/completions", 404, "there is no GET"},
		} {
			if status, body := r.get(tc.path); status != tc.status || !strings.Contains(body, tc.part) {
				t.Errorf("%s: %d %s", tc.path, status, body)
			}
		}
		for body, part := range map[string]string{
			`{`:                            "not a chat completions request",
			`[]`:                           "not a chat completions request",
			`{"messages":[]}`:              "messages is empty",
			`{"messages":[{"content":3}]}`: "content is neither",
			`{"messages":[{"content":"x"}],"max_tokens":0}`: "it must be 1 to",
			`{"messages":[{"content":"x"}],"n":2}`:          "one choice",
		} {
			if s := r.send(t.Context(), "", body); s.status != 400 || !strings.Contains(s.failure, part) {
				t.Errorf("%s: %d %q", body, s.status, s.failure)
			}
		}
		if n := len(r.server.Truth()); n != 1 {
			t.Errorf("%d records: a request that is no request has none", n)
		}
	})
}

// edge reports llama.cpp's timings, and its response head comes when there is a slot.
func TestLlamaCPPReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 1, Overhead: milli(10), PrefillPerToken: milli(1), DecodeStep: milli(5), Report: "llama.cpp"}, Options{})
		var wg sync.WaitGroup
		a := r.at(&wg, 0, "a", 20, 5)
		b := r.at(&wg, millisecond, "b", 20, 5)
		wg.Wait()
		want := map[string]float64{"cache_n": 0, "prompt_n": 20, "prompt_ms": 30, "prompt_per_token_ms": 1.5, "predicted_n": 5, "predicted_ms": 20}
		for k, v := range want {
			if a.timings[k] != v {
				t.Errorf("%s is %v, want %v", k, a.timings[k], v)
			}
		}
		if a.head != 0 || b.head != 49*millisecond {
			t.Errorf("heads after %v and %v", a.head, b.head)
		}
	})
}

func TestTokensOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{DecodeStep: milli(5), TokensPerStep: 2}, Options{})
		resp, err := r.client.Post("http://sim/v1/chat/completions", "application/json", strings.NewReader(
			`{"model":"a \"b\"","stream":true,"stream_options":{"continuous_usage_stats":true},"return_token_ids":true,"max_tokens":4,"messages":[{"content":"x y"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(string(b), fmt.Sprintf(`{"id":"chatcmpl-%s","object":"chat.completion.chunk","created":%d,"model":"a \"b\"",`,
			resp.Header.Get("X-Request-Id"), r.start.Unix()), "{")
		usage := func(n int) string {
			return fmt.Sprintf(`,"usage":{"prompt_tokens":2,"total_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}}}`, 2+n, n)
		}
		want := `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]` + usage(0) + `

data: {"choices":[{"index":0,"delta":{"content":"the"},"logprobs":null,"finish_reason":null,"token_ids":[0]}]` + usage(1) + `

data: {"choices":[{"index":0,"delta":{"content":" than turn"},"logprobs":null,"finish_reason":null,"token_ids":[7,14]}]` + usage(3) + `

data: {"choices":[{"index":0,"delta":{"content":" is"},"logprobs":null,"finish_reason":null,"token_ids":[21]}]` + usage(4) + `

data: {"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]` + usage(4) + `

data: [DONE]

`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
