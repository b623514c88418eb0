package simulate

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"time"
)

// metrics is what the server publishes of itself, under the names and with the bucket bounds of vLLM. Like vLLM it
// measures at the server: no network in it, and every tenant counts.
type metrics struct {
	promptTokens     int
	generationTokens int
	cacheQueries     int // tokens
	cacheHits        int // tokens
	finishedBy       map[string]int

	ttft, itl, tpot                        histogram
	e2e, queue, prefill, decode, inference histogram
}

// Bucket bounds in seconds.
var (
	ttftBounds = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
		160, 640, 2560}
	itlBounds = []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	e2eBounds = []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

func newMetrics() metrics {
	e2e := func() histogram { return newHistogram(e2eBounds) }
	return metrics{finishedBy: map[string]int{finishStop: 0, finishLength: 0, "abort": 0, "error": 0},
		ttft: newHistogram(ttftBounds), itl: newHistogram(itlBounds), tpot: newHistogram(itlBounds),
		e2e: e2e(), queue: e2e(), prefill: e2e(), decode: e2e(), inference: e2e()}
}

func (m *metrics) admitted(j *job) {
	m.cacheQueries += j.input
	m.cacheHits += j.cached
}

func (m *metrics) tokens(j *job, made int, gap time.Duration, first bool) {
	if made == 0 {
		return
	}
	m.generationTokens += made
	if first {
		m.promptTokens += j.input
		m.ttft.observe(j.prefillDone - j.arrived)
	} else {
		m.itl.observe(gap)
	}
}

func (m *metrics) finished(j *job, now time.Duration) {
	reason := j.finish
	if j.outcome != OutcomeOK {
		reason = "error"
	}
	m.finishedBy[reason]++
	m.e2e.observe(now - j.arrived)
	m.queue.observe(j.admitted - j.arrived)
	m.prefill.observe(j.prefillDone - j.admitted)
	m.decode.observe(now - j.prefillDone)
	m.inference.observe(now - j.admitted)
	if j.produced > 1 {
		m.tpot.observe((now - j.prefillDone) / time.Duration(j.produced-1))
	}
}

func (m *metrics) aborted(*job) { m.finishedBy["abort"]++ }

// histogram is cumulative only when written.
type histogram struct {
	bounds []float64
	counts []uint64 // one more than bounds: the last is what is above all
	n      uint64
	sum    time.Duration
}

func newHistogram(bounds []float64) histogram {
	return histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

// observe counts a value in the first bucket whose bound is not below it.
func (h *histogram) observe(d time.Duration) {
	h.counts[sort.SearchFloat64s(h.bounds, d.Seconds())]++
	h.n++
	h.sum += d
}

// clone is a copy that no longer changes.
func (m *metrics) clone() metrics {
	c := *m
	c.finishedBy = make(map[string]int, len(m.finishedBy))
	for k, v := range m.finishedBy {
		c.finishedBy[k] = v
	}
	for _, h := range []*histogram{&c.ttft, &c.itl, &c.tpot, &c.e2e, &c.queue, &c.prefill, &c.decode, &c.inference} {
		h.counts = slices.Clone(h.counts)
	}
	return c
}

// exposition writes Prometheus text, format 0.0.4.
type exposition struct {
	w     io.Writer
	model string
}

func (e *exposition) head(name, kind, help string) {
	fmt.Fprintf(e.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// value writes one series; more labels come as name and value in turn.
func (e *exposition) value(name string, v float64, more ...string) {
	fmt.Fprintf(e.w, "%s{engine=\"0\",model_name=%q", name, e.model)
	for i := 0; i+1 < len(more); i += 2 {
		fmt.Fprintf(e.w, ",%s=%q", more[i], more[i+1])
	}
	fmt.Fprintf(e.w, "} %v\n", v)
}

func (e *exposition) single(name, kind, help string, v float64) {
	e.head(name, kind, help)
	e.value(name, v)
}

func (e *exposition) histogram(name, help string, h *histogram) {
	e.head(name, "histogram", help)
	total := uint64(0)
	for i, bound := range h.bounds {
		total += h.counts[i]
		e.value(name+"_bucket", float64(total), "le", fmt.Sprint(bound))
	}
	e.value(name+"_bucket", float64(h.n), "le", "+Inf")
	e.value(name+"_sum", h.sum.Seconds())
	e.value(name+"_count", float64(h.n))
}

// write publishes m with the present numbers of running and waiting requests.
func (m *metrics) write(w io.Writer, model string, running, waiting int) {
	e := exposition{w: w, model: model}
	e.single("vllm:num_requests_running", "gauge", "Requests that hold a slot.", float64(running))
	e.single("vllm:num_requests_waiting", "gauge", "Requests in the queue.", float64(waiting))
	e.single("vllm:prompt_tokens_total", "counter", "Prompt tokens of requests that got their first token, cached ones included.", float64(m.promptTokens))
	e.single("vllm:generation_tokens_total", "counter", "Tokens generated.", float64(m.generationTokens))
	e.single("vllm:prefix_cache_queries_total", "counter", "Prompt tokens looked up in the prefix cache.", float64(m.cacheQueries))
	e.single("vllm:prefix_cache_hits_total", "counter", "Prompt tokens found there.", float64(m.cacheHits))
	e.head("vllm:request_success_total", "counter", "Requests that ended on a slot, by reason.")
	reasons := make([]string, 0, len(m.finishedBy))
	for r := range m.finishedBy {
		reasons = append(reasons, r)
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		e.value("vllm:request_success_total", float64(m.finishedBy[r]), "finished_reason", r)
	}
	e.histogram("vllm:time_to_first_token_seconds", "From arrival to first token.", &m.ttft)
	e.histogram("vllm:inter_token_latency_seconds", "Between two steps of a request.", &m.itl)
	e.histogram("vllm:request_time_per_output_token_seconds", "Decode time per token after the first.", &m.tpot)
	e.histogram("vllm:e2e_request_latency_seconds", "From arrival to last token.", &m.e2e)
	e.histogram("vllm:request_queue_time_seconds", "From arrival to admission.", &m.queue)
	e.histogram("vllm:request_prefill_time_seconds", "From admission to first token.", &m.prefill)
	e.histogram("vllm:request_decode_time_seconds", "From first to last token.", &m.decode)
	e.histogram("vllm:request_inference_time_seconds", "From admission to last token.", &m.inference)
}
