package telemetry

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func readText(t *testing.T, r *reader, texts ...string) Reading {
	t.Helper()
	var pages []page
	for _, text := range texts {
		p, err := parsePage([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		pages = append(pages, p)
	}
	out, err := r.read(pages)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fresh(t *testing.T, server, model string, labels map[string]string) *reader {
	t.Helper()
	r, err := newReader(server, model, labels)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func holds(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		g, ok := got[name]
		if !ok || math.Abs(g-v) > 1e-9*math.Max(1, math.Abs(v)) {
			t.Errorf("%s: %v (%t), want %v", name, g, ok, v)
		}
	}
}

// What the servers' pages look like, as recorded or as their sources write them.
const (
	vllmV1 = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
# TYPE vllm:prefix_cache_queries_created gauge
vllm:prefix_cache_queries_created{engine="0",model_name="m"} 1.7e+09
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 250.0
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{engine="0",model_name="m"} 2.0
# TYPE vllm:spec_decode_num_draft_tokens_total counter
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 40.0
# TYPE vllm:spec_decode_num_accepted_tokens_total counter
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 30.0
# TYPE vllm:request_success_total counter
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 7.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 3.0
# TYPE vllm:request_queue_time_seconds histogram
vllm:request_queue_time_seconds_bucket{engine="0",le="0.3",model_name="m"} 8.0
vllm:request_queue_time_seconds_bucket{engine="0",le="+Inf",model_name="m"} 10.0
vllm:request_queue_time_seconds_count{engine="0",model_name="m"} 10.0
vllm:request_queue_time_seconds_sum{engine="0",model_name="m"} 1.5
`
	vllmV0 = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="m"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="m"} 5.0
# TYPE vllm:gpu_cache_usage_perc gauge
vllm:gpu_cache_usage_perc{model_name="m"} 0.75
# TYPE vllm:gpu_prefix_cache_queries counter
vllm:gpu_prefix_cache_queries_total{model_name="m"} 64.0
# TYPE vllm:gpu_prefix_cache_hits counter
vllm:gpu_prefix_cache_hits_total{model_name="m"} 16.0
`
	llama = `# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 608
# TYPE llamacpp:prompt_tokens_cached_total counter
llamacpp:prompt_tokens_cached_total 324
# TYPE llamacpp:prompt_seconds_total counter
llamacpp:prompt_seconds_total 1.00921
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 2217
# TYPE llamacpp:tokens_predicted_seconds_total counter
llamacpp:tokens_predicted_seconds_total 13.4903
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 2
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 4
`
	triton = `# TYPE nv_inference_request_success counter
nv_inference_request_success{model="ensemble",version="1"} 20
# TYPE nv_inference_queue_duration_us counter
nv_inference_queue_duration_us{model="ensemble",version="1"} 3000000
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="ensemble",version="1"} 6
# TYPE nv_trt_llm_request_metrics gauge
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 2
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="scheduled",version="1"} 8
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} 64
# TYPE nv_trt_llm_kv_cache_block_metrics gauge
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.4
# TYPE nv_inference_first_response_histogram_ms histogram
nv_inference_first_response_histogram_ms_count{model="ensemble",version="1"} 20
nv_inference_first_response_histogram_ms_sum{model="ensemble",version="1"} 5000
nv_inference_first_response_histogram_ms_bucket{model="ensemble",version="1",le="100"} 3
nv_inference_first_response_histogram_ms_bucket{model="ensemble",version="1",le="+Inf"} 20
`
	tgi = `# TYPE tgi_queue_size gauge
tgi_queue_size 3
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 8
# TYPE tgi_request_success counter
tgi_request_success 12
# TYPE tgi_request_generated_tokens histogram
tgi_request_generated_tokens_bucket{le="+Inf"} 12
tgi_request_generated_tokens_sum 600
tgi_request_generated_tokens_count 12
# TYPE tgi_request_queue_duration histogram
tgi_request_queue_duration_bucket{le="+Inf"} 12
tgi_request_queue_duration_sum 2.4
tgi_request_queue_duration_count 12
`
	sglang = `# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="m"} 9.0
# TYPE sglang:num_queue_reqs gauge
sglang:num_queue_reqs{model_name="m"} 1.0
# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="m"} 0.3
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name="m"} 500.0
# TYPE sglang:cached_tokens_total counter
sglang:cached_tokens_total{cache_source="device",model_name="m"} 100.0
sglang:cached_tokens_total{cache_source="host",model_name="m"} 25.0
`
	nim = `# TYPE num_requests_running gauge
num_requests_running 1
# TYPE num_requests_waiting gauge
num_requests_waiting 0
# TYPE gpu_cache_usage_perc gauge
gpu_cache_usage_perc 0.1
# TYPE time_to_first_token_seconds histogram
time_to_first_token_seconds_bucket{le="+Inf"} 4
time_to_first_token_seconds_sum 2
time_to_first_token_seconds_count 4
`
	ray = `# TYPE ray_vllm_num_requests_running gauge
ray_vllm_num_requests_running{ReplicaId="a",model_name="m"} 3
ray_vllm_num_requests_running{ReplicaId="b",model_name="m"} 2
# TYPE ray_vllm_num_requests_waiting gauge
ray_vllm_num_requests_waiting{ReplicaId="a",model_name="m"} 1
# TYPE ray_serve_deployment_queued_queries gauge
ray_serve_deployment_queued_queries{deployment="d"} 7
`
)

// TestServers: each server's page is recognised by its names, and read in our units; several engines come together.
func TestServers(t *testing.T) {
	for _, c := range []struct {
		name, server, text string
		want               map[string]float64
		lacks              string // one of what it lacks
	}{
		{"vLLM V1", "vllm", vllmV1, map[string]float64{RequestsRunning: 7, RequestsWaiting: 1, KVCacheUsage: 0.5, PrefixCacheQueries: 1000, PrefixCacheHits: 250, Preemptions: 2,
			DraftedTokens: 40, AcceptedTokens: 30, RequestsFinished: 10, ServerQueue: 1.5, CountOf(ServerQueue): 10}, Prefill},
		{"vLLM V0", "vllm", vllmV0, map[string]float64{RequestsRunning: 2, RequestsWaiting: 5, KVCacheUsage: 0.75, PrefixCacheQueries: 64, PrefixCacheHits: 16}, ServerQueue},
		{"llama.cpp", "llamacpp", llama, map[string]float64{RequestsRunning: 2, RequestsWaiting: 4, InputTokens: 932, PrefixCacheQueries: 932, PrefixCacheHits: 324, OutputTokens: 2217, Prefill: 1.00921, Decode: 13.4903}, DraftedTokens},
		{"Triton", "triton", triton, map[string]float64{RequestsRunning: 8, RequestsWaiting: 2, KVCacheUsage: 0.4, ServerQueue: 3, CountOf(ServerQueue): 20, TTFT: 5, CountOf(TTFT): 20}, E2E},
		{"TGI", "tgi", tgi, map[string]float64{RequestsRunning: 8, RequestsWaiting: 3, RequestsFinished: 12, OutputTokens: 600, ServerQueue: 2.4, CountOf(ServerQueue): 12}, InputTokens},
		{"SGLang", "sglang", sglang, map[string]float64{RequestsRunning: 9, RequestsWaiting: 1, KVCacheUsage: 0.3, PrefixCacheQueries: 500, PrefixCacheHits: 125}, ServerQueue},
		{"NIM", "nim", nim, map[string]float64{RequestsRunning: 1, RequestsWaiting: 0, KVCacheUsage: 0.1, TTFT: 2, CountOf(TTFT): 4}, E2E},
		{"NIM with the names of vLLM", "vllm", vllmV1, map[string]float64{RequestsRunning: 7}, TTFT},
		{"Ray Serve", "ray", ray, map[string]float64{RequestsRunning: 5, RequestsWaiting: 1, RouterWaiting: 7}, KVCacheUsage},
	} {
		r := fresh(t, "", "", nil)
		got := readText(t, r, c.text)
		holds(t, got.Values, c.want)
		f := r.found()
		if f.Server != c.server || !slices.Contains(f.Lacks, c.lacks) {
			t.Errorf("%s: %+v, want it to lack %s", c.name, f, c.lacks)
		}
		for _, missing := range f.Lacks {
			if v, has := got.Values[missing]; has {
				t.Errorf("%s: %s is missing, and has the value %v", c.name, missing, v)
			}
		}
	}
}

// TestCounterResets: a server that begins anew in the middle loses nothing of what was counted, and it is told; the others'
// counters beside it are theirs.
func TestCounterResets(t *testing.T) {
	two := func(a, b string) string {
		return "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1\n# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total{engine=\"0\"} " + a + "\nvllm:prompt_tokens_total{engine=\"1\"} " + b + "\n"
	}
	r := fresh(t, "", "", nil)
	readText(t, r, two("100", "1000"))
	if got := readText(t, r, two("150", "1100")); got.Values[InputTokens] != 1250 || got.Resets != nil {
		t.Errorf("%+v", got)
	}
	// Engine 0 has fallen to 30 while the sum has grown: only the series tell.
	if got := readText(t, r, two("30", "1300")); got.Values[InputTokens] != 1480 || !slices.Equal(got.Resets, []string{InputTokens}) {
		t.Errorf("%+v, want 1250 + 30 + 200 and the reset told", got)
	}
	if got := readText(t, r, two("40", "1300")); got.Values[InputTokens] != 1490 || got.Resets != nil {
		t.Errorf("%+v", got)
	}
}

// TestSeriesAppear: a counter that a server makes when it first counts is not missing the first count.
func TestSeriesAppear(t *testing.T) {
	r := fresh(t, "", "", nil)
	first := readText(t, r, vllmV0)
	if _, has := first.Values[Preemptions]; has {
		t.Fatal("preemptions are there from the start")
	}
	then := readText(t, r, vllmV0+"# TYPE vllm:num_preemptions_total counter\nvllm:num_preemptions_total{model_name=\"m\"} 3\n")
	if then.Values[Preemptions] != 3 || then.Resets != nil {
		t.Errorf("%+v", then)
	}
}

// TestModels: of a page of several models the approach's own is read; labels choose another.
func TestModels(t *testing.T) {
	text := "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"a\"} 1\nvllm:num_requests_running{model_name=\"b\"} 2\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{model_name=\"a\"} 3\nvllm:num_requests_waiting{model_name=\"b\"} 4\n"
	for _, c := range []struct {
		model  string
		labels map[string]string
		want   float64
	}{{"", nil, 3}, {"c", nil, 3}, {"a", nil, 1}, {"a", map[string]string{"model_name": "b"}, 2}} {
		r := fresh(t, "", c.model, c.labels)
		if got := readText(t, r, text); got.Values[RequestsRunning] != c.want {
			t.Errorf("model %q, labels %v: %v, want %v", c.model, c.labels, got.Values, c.want)
		}
		if f := r.found(); !slices.Equal(f.Models, []string{"a", "b"}) {
			t.Errorf("models %v", f.Models)
		}
	}
	r := fresh(t, "", "", map[string]string{"model_name": "c"})
	p, err := parsePage([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.read([]page{p}); err == nil || !strings.Contains(err.Error(), "model_name:c") {
		t.Errorf("no series has the label: %v", err)
	}
}

// TestReplicas: the pages of two replicas are one server, and their series are not mixed up.
func TestReplicas(t *testing.T) {
	r := fresh(t, "", "", nil)
	holds(t, readText(t, r, vllmV1, vllmV0).Values, map[string]float64{RequestsRunning: 9, RequestsWaiting: 6, PrefixCacheQueries: 1000})
	if got := readText(t, r, vllmV1, vllmV0); got.Resets != nil {
		t.Errorf("resets %v of replicas that did not change", got.Resets)
	}
}

// TestPagesThatAreNone: what is no metrics page is refused whole, and told in a few words.
func TestPagesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "no metrics",
		"\n<!DOCTYPE html><html>":     `begins with "<!DOCTYPE ht"`,
		`{"error":"not found"}`:       "no metrics page",
		"vllm:num_requests_running 1": "unexpected end",
		"a b c d\n":                   "text format",
		"# TYPE a gauge\n":            "no metrics",
	} {
		if _, err := parsePage([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	r := fresh(t, "", "", nil)
	for _, text := range []string{"go_goroutines 8\nprocess_cpu_seconds_total 3\n", "num_requests_running 1\n"} {
		p, err := parsePage([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.read([]page{p}); err == nil || !strings.Contains(err.Error(), "names of any server") {
			t.Errorf("%q: %v", text, err)
		}
	}
	r = fresh(t, "sglang", "", nil)
	p, err := parsePage([]byte(vllmV1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.read([]page{p}); err == nil || !strings.Contains(err.Error(), "none of the names of SGLang") {
		t.Errorf("another server's names: %v", err)
	}
}

// TestNaNIsMissing: a number that is none is no 0.
func TestNaNIsMissing(t *testing.T) {
	r := fresh(t, "", "", nil)
	got := readText(t, r, "llamacpp:requests_processing NaN\nllamacpp:requests_deferred 1\nllamacpp:tokens_predicted_total 5\n")
	if v, has := got.Values[RequestsRunning]; has || got.Values[RequestsWaiting] != 1 {
		t.Errorf("running %v, %v", v, got.Values)
	}
}

// FuzzPage: no page, however wrong, panics, and what grows never falls.
func FuzzPage(f *testing.F) {
	for _, s := range []string{vllmV1, vllmV0, llama, triton, tgi, sglang, nim, ray, "a{b=\"c\"} NaN 1\n", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum Inf\n"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		r, err := newReader("", "m", nil)
		if err != nil {
			t.Fatal(err)
		}
		before := map[string]float64{}
		for _, text := range []string{a, b, a} {
			p, err := parsePage([]byte(text))
			if err != nil {
				continue
			}
			got, err := r.read([]page{p})
			if err != nil {
				continue
			}
			for name, v := range got.Values {
				q, _ := QuantityOf(strings.TrimSuffix(name, "_count"))
				if q.Kind != Gauge && v < before[name] {
					t.Fatalf("%s fell from %v to %v", name, before[name], v)
				}
				before[name] = v
			}
		}
	})
}
