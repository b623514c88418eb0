package workload

// SLO says what is good enough.
type SLO struct {
	// Request limits make one request good: it meets every one of them, and succeeded. They define goodput.
	Request RequestLimits `yaml:"request,omitempty" json:"request,omitzero"`
	// Objectives are judged per approach over the measure phase, each pass, fail or cannot tell.
	Objectives []Objective `yaml:"objectives,omitempty" json:"objectives,omitempty"`
	// Require says how the run's exit status follows: all (default: every approach must pass) or any (one is
	// enough: a comparison of candidates).
	Require string `yaml:"require,omitempty" json:"require,omitempty" jsonschema:"enum=all,enum=any,default=all"`
}

// RequestLimits are upper limits on one request's own times. Zero: no limit.
type RequestLimits struct {
	TTFT  Duration `yaml:"ttft,omitempty" json:"ttft,omitempty" jsonschema:"exclusiveMinimum=0,example=1s"`
	TTFVT Duration `yaml:"ttfvt,omitempty" json:"ttfvt,omitempty" jsonschema:"exclusiveMinimum=0,example=2s"`
	TPOT  Duration `yaml:"tpot,omitempty" json:"tpot,omitempty" jsonschema:"exclusiveMinimum=0,example=50ms"`
	Stall Duration `yaml:"stall,omitempty" json:"stall,omitempty" jsonschema:"exclusiveMinimum=0,example=1s"`
	E2E   Duration `yaml:"e2e,omitempty" json:"e2e,omitempty" jsonschema:"exclusiveMinimum=0,example=30s"`
}

// Objective is one line such as "ttft p95 <= 800ms", "goodput >= 95%" or "error_rate <= 1%".
// It is written and stored as that text.
type Objective struct {
	// Metric is a Metric name, or goodput, error_rate or goodput_rate (good requests per second).
	Metric string
	// Stat is p50, p90, p95, p99, p99.9, mean or max for a latency; empty for goodput and error_rate.
	Stat string
	// Op is "<=", "<", ">=" or ">".
	Op string
	// Value is in seconds for a latency, a share (0..1) for goodput and error_rate, 1/s for goodput_rate.
	Value float64
	// Text is the line as it was written.
	Text string
}

// Metric names one latency of a request, as design.md section 3 defines it.
type Metric string

// The metrics. All are durations.
const (
	TTFT          Metric = "ttft"           // first token - scheduled
	ServiceTTFT   Metric = "service_ttft"   // first token - sent
	TTFVT         Metric = "ttfvt"          // first visible token - scheduled
	ITL           Metric = "itl"            // chunk gap / tokens in the chunk, once per token
	ChunkGap      Metric = "chunk_gap"      // time between successive content-bearing network reads
	ReadLag       Metric = "read_lag"       // read by us - received by the kernel: the client's own lag; not a latency of the endpoint
	TPOT          Metric = "tpot"           // (last token - first token) / (output tokens - 1)
	Stall         Metric = "stall"          // longest chunk gap of a request
	E2E           Metric = "e2e"            // done - scheduled
	SendDelay     Metric = "send_delay"     // sent - scheduled
	ServerQueue   Metric = "server_queue"   // as the server reports it
	TTFTExcess    Metric = "ttft_excess"    // service TTFT - light-load TTFT
	QueueingDelay Metric = "queueing_delay" // send delay + server queue, else send delay + TTFT excess
)

// Metrics lists every metric in the order in which reports show them.
func Metrics() []Metric {
	return []Metric{TTFT, ServiceTTFT, TTFVT, ITL, ChunkGap, TPOT, Stall, E2E, SendDelay, ServerQueue, TTFTExcess, QueueingDelay}
}
