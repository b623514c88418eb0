package report

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// recipe is an approach of the synthetic run: a FIFO queue before a number of slots, with lognormal times.
type recipe struct {
	name                     string
	ttft, itl                float64 // median service TTFT and token time, seconds
	sigma                    float64
	slots                    int
	limit                    float64 // seconds of queueing after which a request fails
	failure                  endpoint.Class
	message, queueing, basis string
	levers                   map[string]string
	tokens                   int // per chunk
}

func recipes() []recipe {
	return []recipe{
		{name: "hosted-large", ttft: 0.42, itl: 0.018, sigma: 0.35, slots: 34, limit: math.Inf(1), failure: endpoint.RateLimited,
			message: "HTTP 429: rate limit reached for requests, retry after 2s", queueing: "inferred", basis: "usage", tokens: 1,
			levers: map[string]string{"model": "large-2026-10", "prompt caching": "off"}},
		{name: "hosted-small", ttft: 0.17, itl: 0.007, sigma: 0.3, slots: 400, limit: math.Inf(1), failure: endpoint.StreamError,
			message: "error event: the server had an error processing your request", queueing: "inferred", basis: "usage", tokens: 1,
			levers: map[string]string{"model": "small-2026-10", "prompt caching": "off"}},
		{name: "self-hosted", ttft: 0.21, itl: 0.012, sigma: 0.2, slots: 20, limit: 60, failure: endpoint.TimeoutFirstToken,
			message: "no token within 60s", queueing: "reported", basis: "usage", tokens: 1,
			levers: map[string]string{"model": "medium 8B", "quantization": "fp8", "batching": "continuous, 20 slots"}},
		{name: "edge", ttft: 0.31, itl: 0.011, sigma: 0.15, slots: 11, limit: 25, failure: endpoint.TimeoutFirstToken,
			message: "no token within 25s", queueing: "send delay only: the server reports no queue", basis: "chunks", tokens: 3,
			levers: map[string]string{"model": "small 3B", "quantization": "int4", "speculative decoding": "3 tokens per step"}},
	}
}

const (
	synthWarmup  = 30.0
	synthHorizon = 330.0
	synthBase    = 4.0
	spikeFrom    = 150.0
	spikeTo      = 200.0
)

// synthetic is a whole run of four approaches with a spike, some failures and a simulated approach. scale stretches the
// rate: a small one gives a run that is too short for its percentiles.
func synthetic(scale float64) *analyze.Analysis {
	rng := rand.New(rand.NewPCG(7, 11))
	var arrivals []float64
	for t := 0.0; ; {
		rate := synthBase * scale
		if t >= spikeFrom && t < spikeTo {
			rate *= 3
		}
		if t += rng.ExpFloat64() / rate; t >= synthHorizon {
			break
		}
		arrivals = append(arrivals, t)
	}
	a := frameOf(arrivals, scale)
	var names []string
	for i, r := range recipes() {
		names = append(names, r.name)
		sum, series := r.run(arrivals, rand.New(rand.NewPCG(uint64(i), 5)))
		a.Summary.Approaches = append(a.Summary.Approaches, sum)
		series.ClientCPU, series.ClientStall = clientSeries(rand.New(rand.NewPCG(uint64(i), 6)))
		a.Series = append(a.Series, series)
		a.Scenario.Approaches = append(a.Scenario.Approaches, workload.Approach{Name: r.name, API: "openai-chat",
			Model: r.levers["model"], Levers: r.levers, Simulate: &workload.Simulation{Profile: r.name}})
	}
	a.Summary.Workload = synthSent(arrivals, names)
	return a
}

// clientSeries is a client that works harder in the spike, and stands still once.
func clientSeries(rng *rand.Rand) (cpu, stall []analyze.Point) {
	for t := 1.0; t < synthHorizon+20; t++ {
		load := 0.08
		if t >= spikeFrom && t < spikeTo {
			load = 0.26
		}
		cpu = append(cpu, analyze.Point{T: t, V: load * (0.9 + 0.2*rng.Float64())})
		stall = append(stall, analyze.Point{T: t, V: 0.0003 + 0.0004*rng.ExpFloat64()})
	}
	stall[190].V = 0.0121
	return cpu, stall
}

// frameOf is the run without its approaches.
func frameOf(arrivals []float64, scale float64) *analyze.Analysis {
	cv, cpu, gc, sched := 1.31, 21.4, 0.00031, 0.00012
	lag := &analyze.Quantiles{N: int64(len(arrivals)), Mean: new(0.00005), Min: new(0.00002), P50: new(0.00004), P90: new(0.0001), P95: new(0.0002), P99: new(0.00042), Max: new(0.0031)}
	a := &analyze.Analysis{
		Dir:      "results/chat-spike-20261123T101500Z-ab12cd",
		BinWidth: 5,
		Windows:  []analyze.Window{{Name: "warm-up", From: 0, To: synthWarmup}, {Name: "spike", From: spikeFrom, To: spikeTo}, {Name: "drain", From: synthHorizon, To: synthHorizon + 25}},
		Summary: &analyze.Summary{
			Schema: analyze.SummarySchema,
			Run: analyze.RunInfo{ID: "chat-spike-20261123T101500Z-ab12cd", State: "complete", Tool: "infbench 0.1.0",
				Started: time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC), Machine: "linux/amd64, 2 CPUs, 8 GiB, go1.26.8"},
			Scenario: analyze.ScenarioInfo{Name: "chat-spike", Seed: 42, Digest: "sha256:9f3c52d1a7b84e60c1de"},
			Schedule: analyze.ScheduleInfo{SHA256: "4b1e7a90c2d3f4a5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b", Arrivals: len(arrivals),
				Rate: float64(len(arrivals)) / synthHorizon, CV: &cv, OpenLoop: true},
			Validity: analyze.Validity{Verdict: analyze.Suspect, Reasons: []analyze.Reason{
				{Code: "not_steady", Verdict: analyze.Suspect, Text: "edge: the queue was still growing at the end of the spike; its percentiles depend on the spike's length. Lengthen the measure phase or lower the spike."},
				{Code: "simulated", Verdict: analyze.Valid, Text: "all four approaches are simulated endpoints: their figures follow a model, not a product."},
			}},
			Client: analyze.ClientInfo{CPUSeconds: 18.2, Events: 851_330, CPUUsPerEvent: &cpu, MaxRSSBytes: 74_000_000, SendLag: lag, GCPauseMax: &gc, SchedLatencyP99: &sched,
				CPUShareMax: 0.31, StallP99: new(0.0004), StallMax: new(0.0121), StalledSeconds: 0.0331, CoreWaitSeconds: 1.2, FilesMax: 212, SocketsMax: 431,
				Limits: &measure.Limits{Cores: 2, Files: 1024, Ports: 28_232}},
		},
		Scenario: &workload.Scenario{
			Name: "chat-spike", Description: "A chat product whose traffic triples for 50 seconds.", Seed: 42,
			Phases: workload.Phases{Warmup: workload.Duration(30 * time.Second), Measure: workload.Duration(300 * time.Second), Drain: workload.Duration(60 * time.Second)},
			Arrivals: workload.Arrivals{Rate: workload.Rate(synthBase * scale), Burst: &workload.Burst{Poisson: &workload.PoissonBurst{}},
				Shape: &workload.Shape{Spike: &workload.Spike{At: workload.Duration(120 * time.Second), For: workload.Duration(50 * time.Second), Factor: 3}}},
			Prompts: workload.Prompts{Synthetic: &workload.Synthetic{}},
			SLO: workload.SLO{Request: workload.RequestLimits{TTFT: workload.Duration(time.Second), TPOT: workload.Duration(30 * time.Millisecond)},
				Objectives: []workload.Objective{
					{Metric: "ttft", Stat: "p95", Op: "<=", Value: 1, Text: "ttft p95 <= 1s"},
					{Metric: "ttft", Stat: "p99", Op: "<=", Value: 2.5, Text: "ttft p99 <= 2.5s"},
					{Metric: "itl", Stat: "p99", Op: "<=", Value: 0.05, Text: "itl p99 <= 50ms"},
					{Metric: "goodput", Op: ">=", Value: 0.95, Text: "goodput >= 95%"},
					{Metric: "error_rate", Op: "<=", Value: 0.01, Text: "error_rate <= 1%"},
				}},
		},
	}
	a.Arrivals = rateBins(arrivals, a.BinWidth)
	return a
}

// request is one request of the synthetic run; NaN is missing.
type request struct {
	at, send, queue, service, gap float64
	outTokens                     int
	failed                        bool
	done                          float64
}

func (q request) ttft() float64 { return q.send + q.queue + q.service }

func (r recipe) run(arrivals []float64, rng *rand.Rand) (analyze.ApproachSummary, analyze.ApproachSeries) {
	free := make([]float64, r.slots)
	reqs := make([]request, len(arrivals))
	for i, at := range arrivals {
		slices.Sort(free)
		q := request{at: at, send: 0.0002 + 0.0004*rng.Float64(), service: r.ttft * math.Exp(r.sigma*rng.NormFloat64()),
			gap: r.itl * math.Exp(0.12*rng.NormFloat64()), outTokens: 60 + rng.IntN(180)}
		start := math.Max(at+q.send, free[0])
		q.queue = start - at - q.send
		switch {
		case q.queue > r.limit:
			q.failed, q.done = true, at+r.limit
		case r.limit > 1e9 && at > spikeFrom && at < spikeTo && rng.Float64() < 0.07, rng.Float64() < 0.001:
			q.failed, q.done = true, at+0.2
		default:
			q.done = start + q.service + q.gap*float64(q.outTokens)
			free[0] = q.done
		}
		reqs[i] = q
	}
	return r.summary(reqs, rng), r.series(reqs, rng)
}

func (r recipe) summary(reqs []request, rng *rand.Rand) analyze.ApproachSummary {
	s := analyze.ApproachSummary{Name: r.name, Simulated: true, Errors: map[endpoint.Class]int{}, Metrics: map[workload.Metric]*analyze.Quantiles{},
		Labels: map[workload.Metric]string{}, Levers: r.levers, Tokens: analyze.Tokens{Basis: r.basis}}
	if r.queueing == "reported" || r.queueing == "inferred" {
		s.Labels[workload.QueueingDelay] = r.queueing
	}
	if r.tokens > 1 {
		s.Labels[workload.ITL] = "derived"
	}
	values := map[workload.Metric][]float64{}
	var good int
	var out int64
	for _, q := range reqs {
		if q.at < synthWarmup {
			continue
		}
		s.Attempts++
		values[workload.SendDelay] = append(values[workload.SendDelay], q.send)
		if q.failed {
			s.Errors[r.failure]++
			s.ErrorExamples = map[endpoint.Class]string{r.failure: r.message}
			continue
		}
		s.OK++
		if q.ttft() <= 1 && q.gap <= 0.03 {
			good++
		}
		out += int64(q.outTokens)
		add := func(m workload.Metric, v float64) { values[m] = append(values[m], v) }
		add(workload.TTFT, q.ttft())
		add(workload.ServiceTTFT, q.queue+q.service)
		add(workload.TPOT, q.gap)
		add(workload.Stall, q.gap*2.4)
		add(workload.E2E, q.done-q.at)
		if r.queueing == "reported" || r.queueing == "inferred" {
			add(workload.QueueingDelay, q.send+q.queue)
		}
		for range q.outTokens / 10 {
			add(workload.ITL, r.token(rng))
		}
	}
	for m, v := range values {
		n := s.Attempts
		if m == workload.ITL || m == workload.SendDelay || m == workload.QueueingDelay {
			n = len(v)
		}
		s.Metrics[m] = quantiles(v, n)
	}
	length := synthHorizon - synthWarmup
	s.OfferedRate = float64(s.Attempts) / length
	s.DeliveredRate = s.OfferedRate
	s.Goodput = &analyze.Goodput{Ratio: float64(good) / float64(max(s.Attempts, 1)), PerSecond: float64(good) / length}
	s.Tokens.Output, s.Tokens.OutputPerSecond = &out, new(float64(out)/length)
	s.Tokens.AskedOutput, s.Tokens.Input, s.Tokens.AskedInput = new(out+int64(s.OK)*9), new(int64(s.OK)*512), new(int64(s.OK)*500)
	s.Coalesced = new(0.012)
	s.SLO = r.judge(&s)
	return s
}

func (r recipe) token(rng *rand.Rand) float64 { return r.itl * math.Exp(0.3*rng.NormFloat64()) }

func (r recipe) judge(s *analyze.ApproachSummary) []analyze.ObjectiveResult {
	failed := fmt.Sprintf("%d of %d attempts failed: this percentile lies among them", s.Attempts-s.OK, s.Attempts)
	judged := func(text string, v *float64, limit float64, below bool) analyze.ObjectiveResult {
		o := analyze.ObjectiveResult{Objective: text, Verdict: analyze.Pass, Value: v}
		switch {
		case v == nil && s.Attempts >= 1000:
			o.Verdict, o.Why = analyze.Fail, failed
		case v == nil:
			o.Verdict, o.Why = analyze.CannotTell, "too few samples beyond the percentile; run longer"
		case below != (*v <= limit):
			o.Verdict = analyze.Fail
		}
		return o
	}
	errors := new(float64(s.Attempts-s.OK) / float64(max(s.Attempts, 1)))
	ttft, itl := s.Metrics[workload.TTFT], s.Metrics[workload.ITL]
	if ttft == nil {
		ttft = &analyze.Quantiles{}
	}
	if itl == nil {
		itl = &analyze.Quantiles{}
	}
	return []analyze.ObjectiveResult{
		judged("ttft p95 <= 1s", ttft.P95, 1, true),
		judged("ttft p99 <= 2.5s", ttft.P99, 2.5, true),
		judged("itl p99 <= 50ms", itl.P99, 0.05, true),
		judged("goodput >= 95%", &s.Goodput.Ratio, 0.95, false),
		judged("error_rate <= 1%", errors, 0.01, true),
	}
}

func (r recipe) series(reqs []request, rng *rand.Rand) analyze.ApproachSeries {
	s := analyze.ApproachSeries{Name: r.name, QueueingLabel: r.queueing, Curves: map[workload.Metric]analyze.Curve{}}
	var ttft, gaps []float64
	attempts := 0
	perBin := map[int][]float64{}
	queue := map[int][]float64{}
	for _, q := range reqs {
		if q.at >= synthWarmup {
			attempts++
		}
		if q.failed {
			s.Failed = append(s.Failed, q.at)
			continue
		}
		s.TTFT = append(s.TTFT, analyze.Point{T: q.at, V: q.ttft()})
		perBin[int(q.at/5)] = append(perBin[int(q.at/5)], q.ttft())
		known := q.send
		if r.queueing == "reported" || r.queueing == "inferred" {
			known += q.queue
		}
		queue[int(q.at/5)] = append(queue[int(q.at/5)], known)
		if q.at >= synthWarmup {
			ttft = append(ttft, q.ttft())
			gaps = append(gaps, r.token(rng), r.token(rng), r.token(rng))
		}
	}
	s.Curves[workload.TTFT] = curve(ttft, attempts)
	s.Curves[workload.ITL] = curve(gaps, len(gaps))
	for b := range int((synthHorizon + 25) / 5) {
		t := float64(b) * 5
		v := perBin[b]
		slices.Sort(v)
		if len(v) >= 5 {
			s.TTFTP50 = append(s.TTFTP50, analyze.Bin{T: t, V: v[len(v)/2]})
		}
		if len(v) >= 20 {
			s.TTFTP95 = append(s.TTFTP95, analyze.Bin{T: t, V: v[len(v)*95/100]})
		}
		if len(queue[b]) > 0 {
			s.Queueing = append(s.Queueing, analyze.Bin{T: t, V: mean(queue[b])})
		}
		s.InFlight = append(s.InFlight, analyze.Bin{T: t, V: inFlight(reqs, t, t+5)})
	}
	s.Breakdown = r.breakdown(reqs)
	return s
}

func (r recipe) breakdown(reqs []request) []analyze.Breakdown {
	var ok []request
	for _, q := range reqs {
		if !q.failed && q.at >= synthWarmup {
			ok = append(ok, q)
		}
	}
	slices.SortFunc(ok, func(a, b request) int { return cmp.Compare(a.ttft(), b.ttft()) })
	parts := func(at string, from, to float64) analyze.Breakdown {
		var send, queue, service []float64
		for _, q := range ok[int(from*float64(len(ok))):max(int(to*float64(len(ok))), 1)] {
			send, queue, service = append(send, q.send), append(queue, q.queue), append(service, q.service)
		}
		b := analyze.Breakdown{At: at, Parts: []analyze.Part{{Name: analyze.PartLag, Value: mean(send) / 2},
			{Name: analyze.PartConnect, Value: mean(send) / 3}, {Name: analyze.PartWrite, Value: mean(send) / 6}}}
		switch r.queueing {
		case "reported":
			b.Parts = append(b.Parts, analyze.Part{Name: analyze.PartQueue, Value: mean(queue)},
				analyze.Part{Name: analyze.PartPrefill, Value: mean(service) * 0.8}, analyze.Part{Name: analyze.PartService, Value: mean(service) * 0.2})
		case "inferred":
			b.Parts = append(b.Parts, analyze.Part{Name: "TTFT excess (inferred)", Value: mean(queue)}, analyze.Part{Name: analyze.PartService, Value: mean(service)})
		default:
			b.Parts = append(b.Parts, analyze.Part{Name: analyze.PartService, Value: mean(queue) + mean(service)})
		}
		return b
	}
	if len(ok) < 20 {
		return nil
	}
	return []analyze.Breakdown{parts("mean", 0, 1), parts("p50", 0.45, 0.55), parts("p95", 0.94, 0.96), parts("p99", 0.985, 0.995)}
}

// quantiles of v among n attempts, with the rule of ten and the rule of failures.
func quantiles(v []float64, n int) *analyze.Quantiles {
	v = slices.Clone(v)
	slices.Sort(v)
	q := &analyze.Quantiles{N: int64(len(v))}
	if len(v) == 0 {
		return q
	}
	q.Mean, q.Min, q.Max = new(mean(v)), new(v[0]), new(v[len(v)-1])
	for _, p := range []struct {
		name string
		p    float64
		to   **float64
	}{{"p50", .5, &q.P50}, {"p90", .9, &q.P90}, {"p95", .95, &q.P95}, {"p99", .99, &q.P99}, {"p99.9", .999, &q.P999}} {
		i := int(math.Ceil(p.p*float64(n))) - 1
		switch {
		case float64(n)*(1-p.p) < 10-1e-9:
			q.Warnings = append(q.Warnings, fmt.Sprintf("%s: n too small (%d, needs %.0f)", p.name, n, math.Ceil(10/(1-p.p)-1e-6)))
		case i >= len(v):
			q.Warnings = append(q.Warnings, fmt.Sprintf("%s: among the failures (%.3g%% of attempts failed)", p.name, 100*float64(n-len(v))/float64(n)))
		default:
			*p.to = new(v[i])
		}
	}
	return q
}

func curve(v []float64, attempts int) analyze.Curve {
	v = slices.Clone(v)
	slices.Sort(v)
	c := analyze.Curve{N: int64(len(v))}
	if attempts > 0 {
		c.Reached = float64(len(v)) / float64(attempts)
	}
	step := max(1, len(v)/1500)
	for i := range v {
		if i%step == 0 || i > len(v)-200 {
			c.P, c.V = append(c.P, float64(i+1)/float64(attempts)), append(c.V, v[i])
		}
	}
	return c
}

func inFlight(reqs []request, from, to float64) float64 {
	var sum float64
	for _, q := range reqs {
		sum += math.Max(0, math.Min(to, q.done)-math.Max(from, q.at))
	}
	return sum / (to - from)
}

func rateBins(at []float64, width float64) []analyze.Bin {
	bins := make([]analyze.Bin, int(synthHorizon/width))
	for i := range bins {
		bins[i].T = float64(i) * width
	}
	for _, t := range at {
		bins[int(t/width)].V += 1 / width
	}
	return bins
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// bare adds an approach of which nothing is known: it never answered.
func bare(a *analyze.Analysis, name string) *analyze.Analysis {
	a.Summary.Approaches = append(a.Summary.Approaches, analyze.ApproachSummary{Name: name, Attempts: 40,
		Errors: map[endpoint.Class]int{endpoint.ConnectFailed: 40}, ErrorExamples: map[endpoint.Class]string{endpoint.ConnectFailed: "dial tcp 127.0.0.1:1: connect: connection refused"}})
	a.Series = append(a.Series, analyze.ApproachSeries{Name: name})
	return a
}

// invalid is a run that must not be believed.
func invalid(a *analyze.Analysis) *analyze.Analysis {
	a.Summary.Validity = analyze.Validity{Verdict: analyze.Invalid, Reasons: []analyze.Reason{
		{Code: "send_lag", Verdict: analyze.Invalid, Text: "the generator was late: send lag p99 is 84.1 ms, the limit is 4.20 ms. Use a faster or idle machine, or lower the rate."}}}
	a.Summary.Run.State = "interrupted"
	return a
}
