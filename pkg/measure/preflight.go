package measure

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Plan is what a run will need of this machine at its peak, as far as it can be told before anything is sent: nobody
// knows yet how long the answers take.
type Plan struct {
	// InFlight is the largest number of requests at once. In an open loop it stands on GuessedAnswer.
	InFlight int
	// Exact: a closed loop has its users in flight, whatever the endpoint does.
	Exact bool
	// NewPerMinute are the connections that the busiest minute opens, where none is used again; else 0.
	NewPerMinute int
	// EventsPerSecond is what the busiest ten seconds ask for, at one event a token.
	EventsPerSecond float64
	// PromptTokens is the longest prompt.
	PromptTokens int
	// Ends is how many ends of a connection lie in this process: 2 where the endpoint is simulated inside it.
	Ends int
}

// What an answer is guessed to take: the usual figures of hosted models, on the slow side.
const (
	guessedTTFT  = time.Second
	guessedToken = 20 * time.Millisecond
)

// GuessedAnswer is how long an answer of so many tokens is taken to need.
func GuessedAnswer(tokens int) time.Duration { return guessedTTFT + time.Duration(tokens)*guessedToken }

// What a request in flight is taken to need of memory: infbench selftest measures less than 24 KiB per stream, and the
// text of a prompt is held twice, as text and as JSON. An embedded simulated endpoint holds as much again.
const (
	bytesPerRequest = 32 << 10
	bytesPerToken   = 2 * 6
)

// spareFiles are the descriptors that a run needs beside its connections: the record, the loops, the runtime.
const spareFiles = 32

// sampledPrompts are looked at for a closed loop, which has no end to its requests.
const sampledPrompts = 1000

// timeWait is how long the system keeps the port of a connection that this side closed.
const timeWait = time.Minute

// PlanOf plans one approach: of an open loop by the requests that can be foreseen, of a closed one by the lengths in tokens of
// the i-th request.
func PlanOf(foreseen []workload.Arrival, closed *workload.ClosedLoop, ap *workload.Approach, lengths func(i int) (input, output int)) Plan {
	p := Plan{Ends: 1}
	if ap.Simulate != nil {
		p.Ends = 2
	}
	if closed != nil {
		p.InFlight, p.Exact = closed.Users, true
		for i := range min(closed.Users, sampledPrompts) {
			input, output := lengths(i)
			p.PromptTokens = max(p.PromptTokens, input)
			if ap.Connections.Reuse == "never" {
				p.NewPerMinute += int(timeWait / (GuessedAnswer(output) + closed.Think.D()))
			}
		}
		if n := min(closed.Users, sampledPrompts); n > 0 {
			p.NewPerMinute = p.NewPerMinute * closed.Users / n
		}
		return p
	}
	ends := make([]time.Duration, len(foreseen))
	const window = 10 * time.Second
	var tokens, peak, from int
	for i, r := range foreseen {
		p.PromptTokens = max(p.PromptTokens, r.Input)
		ends[i] = r.At + GuessedAnswer(r.Output)
		for tokens += r.Output; foreseen[from].At <= r.At-window; from++ {
			tokens -= foreseen[from].Output
		}
		peak = max(peak, tokens)
	}
	p.EventsPerSecond = float64(peak) / window.Seconds()
	slices.Sort(ends)
	over := 0
	for i, r := range foreseen {
		for ends[over] <= r.At {
			over++
		}
		p.InFlight = max(p.InFlight, i+1-over)
	}
	if ap.Connections.Reuse == "never" {
		p.NewPerMinute = busiest(foreseen, timeWait)
	}
	return p
}

// busiest is the largest number of requests in any span of this length.
func busiest(foreseen []workload.Arrival, span time.Duration) (most int) {
	from := 0
	for i, r := range foreseen {
		for foreseen[from].At <= r.At-span {
			from++
		}
		most = max(most, i+1-from)
	}
	return most
}

// Shortfall is a limit that a plan does not keep.
type Shortfall struct {
	Code string `json:"code"` // files, ports, memory, cpu
	Text string `json:"text"` // what is short, with figures, and what to do
	// Certain: the run cannot go well, whatever the endpoint does.
	Certain bool `json:"certain,omitempty"`
}

// Check holds a plan against the limits, and against what a self-test has proven; floor may be nil.
func (l Limits) Check(p Plan, floor *NoiseFloor) []Shortfall {
	var out []Shortfall
	add := func(code string, certain bool, format string, args ...any) {
		out = append(out, Shortfall{Code: code, Text: fmt.Sprintf(format, args...), Certain: certain})
	}
	about := fmt.Sprintf("%d requests in flight", p.InFlight)
	if !p.Exact {
		about = fmt.Sprintf("up to %d requests in flight (if an answer takes %s and %s a token)", p.InFlight, guessedTTFT, guessedToken)
	}
	if need := p.InFlight*p.Ends + spareFiles; l.Files > 0 && need > l.Files {
		add("files", p.Exact, "%s need %d file descriptors, and this process may open %d: raise the limit (ulimit -n %d), or lower the load", about, need, l.Files, roundUp(need))
	}
	if need := max(p.InFlight, p.NewPerMinute); l.Ports > 0 && need > l.Ports {
		what := about + " need"
		if p.NewPerMinute > p.InFlight {
			what = fmt.Sprintf("%d new connections a minute (connections.reuse: never), each keeping its port for %s, need", p.NewPerMinute, timeWait)
		}
		add("ports", p.Exact && p.InFlight > l.Ports, "%s %d local ports, and this machine has %d for each address of a server: let connections be reused, widen net.ipv4.ip_local_port_range, or use more clients", what, need, l.Ports)
	}
	each := int64(bytesPerRequest+bytesPerToken*p.PromptTokens) * int64(p.Ends)
	if need := int64(p.InFlight) * each; l.Memory > 0 && need > l.Memory {
		add("memory", false, "%s take about %d MiB, and %d MiB are free: lower the load, or use more clients", about, need>>20, l.Memory>>20)
	}
	if floor != nil && p.Ends == 1 && p.EventsPerSecond > floor.EventsPerSecond {
		add("cpu", false, "the busiest ten seconds ask for %.0f tokens/s, and infbench selftest has proven this machine up to %.0f events/s: use a larger one, or more clients", p.EventsPerSecond, floor.EventsPerSecond)
	}
	return out
}

// roundUp gives the next power of two: nobody sets a limit to 1,037.
func roundUp(n int) int { return 1 << int(math.Ceil(math.Log2(float64(n)))) }
