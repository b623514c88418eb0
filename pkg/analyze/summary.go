package analyze

import (
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// SummarySchema names the contract of summary.json.
const SummarySchema = "infbench.summary/v1"

// Summary is summary.json: the numbers of the report, for machines. Times are in seconds, rates per second, shares
// 0..1. A missing value is absent, never 0.
type Summary struct {
	Schema   string       `json:"schema"`
	Run      RunInfo      `json:"run"`
	Scenario ScenarioInfo `json:"scenario"`
	Schedule ScheduleInfo `json:"schedule"`
	// Datasets are the files that prompts come from, and what became of their rows.
	Datasets   []workload.DatasetFacts `json:"datasets,omitempty"`
	Validity   Validity                `json:"validity"`
	Client     ClientInfo              `json:"client"`
	Workload   *WorkloadAsSent         `json:"workload,omitempty"`
	Approaches []ApproachSummary       `json:"approaches"`
}

// RunInfo identifies the run.
type RunInfo struct {
	ID      string    `json:"id"`
	State   string    `json:"state"` // complete, interrupted or incomplete (the process died)
	Started time.Time `json:"started"`
	Tool    string    `json:"tool"` // infbench version
	Machine string    `json:"machine"`
	// Nonce is what the prompts' nonces were made of; with infbench run --nonce a run sends the very same prompts again.
	Nonce string `json:"nonce,omitempty"`
}

// ScenarioInfo identifies what was asked.
type ScenarioInfo struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Seed   uint64 `json:"seed"`
}

// ScheduleInfo describes the schedule that every approach got. Rate and CV are of the whole schedule.
type ScheduleInfo struct {
	SHA256   string   `json:"sha256"`
	Arrivals int      `json:"arrivals"`
	Rate     float64  `json:"rate"`
	CV       *float64 `json:"cv,omitempty"`
	OpenLoop bool     `json:"open_loop"`
}

// Verdict of a run's validity.
const (
	Valid   = "valid"
	Suspect = "suspect"
	Invalid = "invalid"
)

// Validity says whether the measurement itself can be trusted.
type Validity struct {
	Verdict string   `json:"verdict"`
	Reasons []Reason `json:"reasons"`
}

// Reason is one thing that speaks against the measurement, or that a reader must know.
type Reason struct {
	Code    string `json:"code"`    // stable, snake_case: send_lag, offered_delivered, coalesced, simulated ...
	Verdict string `json:"verdict"` // what this reason alone would make of the run; "valid" is a remark
	Text    string `json:"text"`    // what was found, with figures, and what to do
	// Client: the load generator or its machine is at fault, not the endpoint.
	Client bool `json:"client,omitempty"`
	// Approach is the one that it is about; empty: all of them.
	Approach string `json:"approach,omitempty"`
}

// Of is the verdict on one approach: the worst of the reasons that are about it or about all.
func (v Validity) Of(approach string) string {
	worst := Valid
	for _, r := range v.Reasons {
		if (r.Approach == "" || r.Approach == approach) && severity(r.Verdict) > severity(worst) {
			worst = r.Verdict
		}
	}
	return worst
}

// EndpointDown tells whether the run is invalid for nothing but that endpoints failed every request.
func (v Validity) EndpointDown() bool {
	down := false
	for _, r := range v.Reasons {
		switch {
		case r.Code == "all_failed":
			down = true
		case r.Verdict == Invalid:
			return false
		}
	}
	return down
}

// ClientLimited tells whether the load generator itself is why the run is not valid.
func (v Validity) ClientLimited() bool {
	return slices.ContainsFunc(v.Reasons, func(r Reason) bool { return r.Client && r.Verdict != Valid })
}

// limits is ClientLimited for one approach.
func (v Validity) limits(approach string) bool {
	return slices.ContainsFunc(v.Reasons, func(r Reason) bool {
		return r.Client && r.Verdict != Valid && (r.Approach == "" || r.Approach == approach)
	})
}

// ClientInfo is the load generator's own health.
type ClientInfo struct {
	CPUSeconds    float64    `json:"cpu_seconds"`
	Events        int64      `json:"events"`
	CPUUsPerEvent *float64   `json:"cpu_us_per_event,omitempty"`
	MaxRSSBytes   int64      `json:"max_rss_bytes"`
	SendLag       *Quantiles `json:"send_lag,omitempty"` // dispatched - scheduled: the generator's own lateness
	// ReadLag is read by us - received by the kernel. It is in no latency: arrivals have the kernel's stamps.
	ReadLag *Quantiles `json:"read_lag,omitempty"`
	// NoiseFloor is the client's own error on this machine; absent where it was never measured.
	NoiseFloor *measure.NoiseFloor `json:"noise_floor,omitempty"`
	// Stamps is what stamped the arrivals: kernel, clock or both.
	Stamps          []string `json:"stamps,omitempty"`
	GCPauseMax      *float64 `json:"gc_pause_max,omitempty"`
	SchedLatencyP99 *float64 `json:"sched_latency_p99,omitempty"`
	// GCSeconds is the CPU time of the garbage collector; CoreWaitSeconds how long threads were ready and got no core.
	GCSeconds       float64 `json:"gc_seconds,omitempty"`
	CoreWaitSeconds float64 `json:"core_wait_seconds,omitempty"`
	// CPUShareMax is the largest share of its cores that the process used in any 5 s.
	CPUShareMax float64 `json:"cpu_share_max,omitempty"`
	// StallP99 and StallMax are what a heartbeat of 1 ms was late by, of the worst block; StalledSeconds sums what was
	// late by 10 ms and more. Absent where there was no heartbeat.
	StallP99       *float64 `json:"stall_p99,omitempty"`
	StallMax       *float64 `json:"stall_max,omitempty"`
	StalledSeconds float64  `json:"stalled_seconds,omitempty"`
	// FilesMax and SocketsMax are the most at any second: descriptors of the process, TCP sockets of the machine.
	FilesMax   int `json:"files_max,omitempty"`
	SocketsMax int `json:"sockets_max,omitempty"`
	// Limits are what the system let the process have.
	Limits *measure.Limits `json:"limits,omitempty"`
}

// Quantiles of one metric, seconds. A percentile is absent where too few samples stand behind it, or where so many
// attempts failed that it lies among the failures; Warnings says which.
type Quantiles struct {
	N        int64    `json:"n"` // values recorded
	Mean     *float64 `json:"mean,omitempty"`
	Min      *float64 `json:"min,omitempty"`
	P50      *float64 `json:"p50,omitempty"`
	P90      *float64 `json:"p90,omitempty"`
	P95      *float64 `json:"p95,omitempty"`
	P99      *float64 `json:"p99,omitempty"`
	P999     *float64 `json:"p999,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// ApproachSummary is one approach over the measure phase.
type ApproachSummary struct {
	Name          string                         `json:"name"`
	Simulated     bool                           `json:"simulated"`
	Validity      string                         `json:"validity"` // of its figures: the run's verdict is that of the worst approach
	Attempts      int                            `json:"attempts"`
	OK            int                            `json:"ok"`
	Errors        map[endpoint.Class]int         `json:"errors"`
	ErrorExamples map[endpoint.Class]string      `json:"error_examples,omitempty"`
	OfferedRate   float64                        `json:"offered_rate"`
	DeliveredRate float64                        `json:"delivered_rate"`
	Metrics       map[workload.Metric]*Quantiles `json:"metrics"`
	Labels        map[workload.Metric]string     `json:"labels,omitempty"` // derived, reported, inferred
	Tokens        Tokens                         `json:"tokens"`
	Goodput       *Goodput                       `json:"goodput,omitempty"` // absent without request limits
	SLO           []ObjectiveResult              `json:"slo"`
	Classes       []ClassSummary                 `json:"classes,omitempty"`   // of a mix, in the scenario's order
	Coalesced     *float64                       `json:"coalesced,omitempty"` // share of chunks that shared a read with another
	Connections   *Connections                   `json:"connections,omitempty"`
	Spike         *Spike                         `json:"spike,omitempty"`    // absent where the scenario has none
	Sessions      *Sessions                      `json:"sessions,omitempty"` // absent where no request is a turn of a conversation
	Steady        *Steady                        `json:"steady,omitempty"`   // absent below 50 requests a block
	Queueing      *Queueing                      `json:"queueing,omitempty"`
	Server        *ServerSummary                 `json:"server,omitempty"` // absent where its telemetry was not read
	Levers        map[string]string              `json:"levers,omitempty"`
	Cost          struct{}                       `json:"cost"`
	Quality       struct{}                       `json:"quality"`
	Burden        struct{}                       `json:"burden"`
}

// Tokens are totals over successful requests of the measure phase. Basis is where Output comes from: usage (the
// server), chunks (counted events), or mixed.
type Tokens struct {
	Input       *int64 `json:"input,omitempty"`
	CachedInput *int64 `json:"cached_input,omitempty"`
	Output      *int64 `json:"output,omitempty"`
	Reasoning   *int64 `json:"reasoning,omitempty"`
	Basis       string `json:"basis,omitempty"`
	// OutputPerSecond is Output over the length of the measure phase.
	OutputPerSecond *float64 `json:"output_per_second,omitempty"`
	AskedInput      *int64   `json:"asked_input,omitempty"`
	AskedOutput     *int64   `json:"asked_output,omitempty"`
}

// Goodput counts requests that met every request limit, of a mix those of their class, over all attempts and per second of
// the measure phase.
type Goodput struct {
	Ratio     float64 `json:"ratio"`
	PerSecond float64 `json:"per_second"`
}

// Verdict of an objective.
const (
	Pass       = "pass"
	Fail       = "fail"
	CannotTell = "cannot tell"
)

// ObjectiveResult is one SLO line judged.
type ObjectiveResult struct {
	Objective string   `json:"objective"`
	Verdict   string   `json:"verdict"`
	Value     *float64 `json:"value,omitempty"` // seconds, share or 1/s, as the objective's metric
	Why       string   `json:"why,omitempty"`   // where the verdict is not plain from the value
	few       bool     // it cannot tell, and more attempts would
}
