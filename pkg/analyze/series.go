package analyze

import "github.com/infbench/infbench/pkg/workload"

// Analysis is all that a report shows: the summary and the series behind its plots. It is computed from a run
// directory alone.
type Analysis struct {
	Summary  *Summary
	Scenario *workload.Scenario // resolved, secrets redacted
	Dir      string             // the run directory
	Windows  []Window           // what to shade in plots over time
	// Arrivals is the offered rate of the schedule over time, 1/s, by Bin seconds.
	Arrivals []Bin
	BinWidth float64 // seconds
	Series   []ApproachSeries
}

// Window is a span of the block's time line, in seconds since the block's time 0.
type Window struct {
	Name     string // warm-up, spike, drain
	From, To float64
}

// Bin is a value over [T, T+width).
type Bin struct {
	T, V float64
}

// ApproachSeries are the series of one approach, in the order of Summary.Approaches. Times are seconds since the
// block's time 0, values in seconds unless said otherwise.
type ApproachSeries struct {
	Name string
	// Curves holds, per metric, the quantile function over attempts of the measure phase. It ends early (Reached < 1)
	// where the rest of the attempts failed.
	Curves map[workload.Metric]Curve
	// TTFT holds one point per request by scheduled time, thinned evenly to at most a few thousand; Failed the
	// scheduled times of failed requests.
	TTFT   []Point
	Failed []float64
	// TTFTP50 and TTFTP95 by scheduled time, per Bin.
	TTFTP50, TTFTP95 []Bin
	InFlight         []Bin // requests in flight (scheduled to done), mean per bin
	// Queueing is the mean queueing delay by scheduled time per bin; QueueingLabel says reported, inferred or send
	// delay only.
	Queueing      []Bin
	QueueingLabel string
	Delivered     []Bin // requests sent per second
	// Breakdown splits TTFT into parts, at the mean and at percentiles.
	Breakdown []Breakdown
	// Ladder is the mean of the parts of TTFT by scheduled time, per Bin; of bins with an answer.
	Ladder []LadderBin
	// Server are the levels of the server's own figures by scrape, by quantity, the mean per bin over all blocks: requests_running,
	// requests_waiting, kv_cache_usage, ... (docs/telemetry.md).
	Server      map[string][]Bin
	ServerWidth float64 // of those bins, seconds
	// The client itself, a point a second: the share of its cores that it used, how late its heartbeat was at worst, and
	// how late it started a request at worst.
	ClientCPU, ClientStall, ClientLag []Point
}

// Curve is a quantile function: P ascending in (0,1], V the value at P.
type Curve struct {
	N       int64 // values recorded
	P, V    []float64
	Reached float64 // share of attempts that have a value
}

// Point is one request.
type Point struct{ T, V float64 }

// Breakdown splits the TTFT of the requests around one percentile (or the mean) into parts that add up to it.
type Breakdown struct {
	At    string // "mean", "p50", "p95", "p99": requests within a narrow rank window around the percentile
	Parts []Part
}

// LadderBin is what the TTFT of the requests scheduled in [T, T+width) is made of, in the mean.
type LadderBin struct {
	T     float64
	Parts []LadderPart // without shares
}

// Part of a TTFT: send delay, connect, server queue (reported), TTFT excess (inferred), service ...
type Part struct {
	Name  string
	Value float64 // seconds
}
