package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// LightLine is what a first token takes where nobody waits, by the prompt tokens that no cache holds: the light-load TTFT of one
// block's endpoint, from requests sent one at a time before it. Times are in seconds.
type LightLine struct {
	Block int `json:"block"`
	// Requests are those of the phase, N those with a service TTFT, which the line is drawn through.
	Requests int `json:"requests"`
	N        int `json:"n"`
	// Problem is why there is no line; then only the fields above say anything.
	Problem string `json:"problem,omitempty"`
	// Tokens is what counts them: usage (the server) or asked (the workload's own count).
	Tokens string `json:"tokens,omitempty"`
	// Base is the TTFT of no prompt at all, PerToken what each uncached token adds, by the method of Theil and Sen, with its 95%
	// interval (Sen).
	Base         float64 `json:"base,omitempty"`
	PerToken     float64 `json:"per_token,omitempty"`
	PerTokenLow  float64 `json:"per_token_low,omitempty"`
	PerTokenHigh float64 `json:"per_token_high,omitempty"`
	// Squared is the quadratic term; absent where a line does. With it, the three are by least absolute deviations.
	Squared float64 `json:"per_token_squared,omitempty"`
	// From and To are the least and the largest number of tokens.
	From float64 `json:"from,omitempty"`
	To   float64 `json:"to,omitempty"`
	// Residual is the median distance of a request from the line, Limit the detection limit: the 95th percentile of that distance,
	// and no less than what the client itself may be off by.
	Residual float64 `json:"residual,omitempty"`
	Limit    float64 `json:"detection_limit,omitempty"`
	// Network is the round trip, as NetworkBy shows it: first byte (of answers whose head comes at once) or connect. Absent where
	// neither does.
	Network   *float64 `json:"network,omitempty"`
	NetworkBy string   `json:"network_by,omitempty"`
	// Beside is what service TTFT has beside the prefill that the server reports (median), BesideLimit the 95th percentile of the
	// distance from that. Absent where it reports none.
	Beside      *float64 `json:"beside_prefill,omitempty"`
	BesideLimit float64  `json:"beside_prefill_limit,omitempty"`
}

// The bounds of a light-load line.
const (
	lightConfidence = 0.95
	leastLight      = 8   // points
	leastLengths    = 3   // different ones
	beyondLight     = 1.5 // times the longest prompt: farther the line says nothing
	// bendGain is the part of the distances that a quadratic term must take away to be believed: noise gives it more in one case of fifty.
	bendGain = 0.25
	// clockFloor is what the client may be off by where no self-test says: timers and the scheduler.
	clockFloor = 100 * time.Microsecond
)

// at is the light-load TTFT of so many uncached tokens, and false where the line does not reach that far.
func (l *LightLine) at(tokens float64) (float64, bool) {
	if l == nil || l.Problem != "" || tokens > beyondLight*l.To {
		return 0, false
	}
	return stat.Polynomial([]float64{l.Base, l.PerToken, l.Squared}, tokens), true
}

// lightLines draws the line of every block that had a light-load phase.
func lightLines(rec *measure.Record) (map[int]*LightLine, error) {
	lines := map[int]*LightLine{}
	rows := map[int][]*measure.Sample{}
	for _, b := range rec.Manifest.Blocks {
		if b.LightLoad != nil {
			lines[b.Index] = &LightLine{Block: b.Index, Requests: b.LightLoad.Requests}
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	err := eachOf(rec, func(s *measure.Sample) error {
		if s.Phase == measure.LightLoad && lines[s.Block] != nil {
			rows[s.Block] = append(rows[s.Block], s)
		}
		return nil
	})
	floor := max(InstrumentError(rec.Manifest.NoiseFloor, workload.ServiceTTFT), clockFloor.Seconds())
	for block, line := range lines {
		line.draw(rows[block], floor)
	}
	return lines, err
}

// draw fits the line to the rows of a light-load phase. No detection limit is below floor.
func (l *LightLine) draw(rows []*measure.Sample, floor float64) {
	rows = slices.DeleteFunc(rows, func(s *measure.Sample) bool { _, ok := s.Latency(workload.ServiceTTFT); return !ok })
	l.Tokens = measure.BasisUsage
	for _, s := range rows {
		if s.InputTokens == nil {
			l.Tokens = "asked"
		}
	}
	var x, y []float64
	lengths := map[float64]bool{}
	for _, s := range rows {
		d, _ := s.Latency(workload.ServiceTTFT)
		tokens, _ := l.uncached(s, false)
		x, y, lengths[tokens] = append(x, tokens), append(y, d.Seconds()), true
	}
	l.N = len(x)
	line, residual, _ := stat.TheilSen(x, y)
	low, high, ok := stat.SlopeInterval(x, y, lightConfidence)
	switch {
	case l.N < leastLight:
		l.Problem = fmt.Sprintf("%d of %d requests had a first token, and a line needs %d", l.N, l.Requests, leastLight)
	case !ok || len(lengths) < leastLengths:
		l.Problem = fmt.Sprintf("the prompts had %d different lengths, and a line needs %d", len(lengths), leastLengths)
	case high < 0:
		l.Problem = fmt.Sprintf("longer prompts were answered sooner (%.3g s a token): what was idle at first was not alike later", line.Slope)
	}
	if l.Problem != "" {
		l.Tokens = ""
		return
	}
	l.Base, l.PerToken, l.PerTokenLow, l.PerTokenHigh, l.Residual = line.Intercept, line.Slope, low, high, residual
	l.From, l.To = slices.Min(x), slices.Max(x)
	l.bend(x, y)
	distances := make([]float64, len(x))
	for i := range x {
		v, _ := l.at(x[i])
		distances[i] = math.Abs(y[i] - v)
	}
	l.Residual, l.Limit = middle(distances), max(floor, quantile95(distances))
	l.network(rows, x, y)
	l.beside(rows, floor)
}

// uncached is how many prompt tokens of a request the server had to compute, by the line's count. Shared: some of them may have
// come from a cache, and it is unknown unless the server says how many.
func (l *LightLine) uncached(s *measure.Sample, shared bool) (float64, bool) {
	tokens := s.AskedInput
	if l.Tokens == measure.BasisUsage {
		if s.InputTokens == nil {
			return 0, false
		}
		tokens = *s.InputTokens
	}
	switch {
	case s.CachedInput != nil && l.Tokens == measure.BasisUsage:
		tokens -= *s.CachedInput
	case shared:
		return 0, false
	}
	return float64(max(tokens, 0)), true
}

// bend gives the line a quadratic term where the points are clearly nearer to a curve that grows ever faster.
func (l *LightLine) bend(x, y []float64) {
	c, ok := stat.LeastAbsolute(x, y, 2)
	if !ok || c[2] <= 0 || c[1] < 0 {
		return
	}
	var straight, bent float64
	for i := range x {
		v, _ := l.at(x[i])
		straight += math.Abs(y[i] - v)
		bent += math.Abs(y[i] - stat.Polynomial(c, x[i]))
	}
	if bent < (1-bendGain)*straight && straight-bent > float64(len(x))*clockFloor.Seconds() {
		l.Base, l.PerToken, l.Squared = c[0], c[1], c[2]
	}
}

// network finds the round trip. The head of an answer is a round trip away where the server sends it at once: it then comes well
// before the first token, and no later for a longer prompt. Else the time to open a connection is one.
func (l *LightLine) network(rows []*measure.Sample, x, ttft []float64) {
	var heads []float64
	connect := math.Inf(1)
	for _, s := range rows {
		if d, ok := s.Headers.Sub(s.Sent).Get(); ok {
			heads = append(heads, d.Seconds())
		}
		if d, ok := s.SetUpTCP.Get(); ok {
			connect = min(connect, d.Seconds())
		}
	}
	if len(heads) == len(x) && middle(heads) < 0.8*middle(ttft) {
		if low, _, ok := stat.SlopeInterval(x, heads, lightConfidence); ok && low <= 0.1*l.PerToken {
			l.Network, l.NetworkBy = new(slices.Min(heads)), "first byte"
			return
		}
	}
	if !math.IsInf(connect, 1) {
		l.Network, l.NetworkBy = &connect, "connect"
	}
}

// beside is what is left of service TTFT where the server reports the prefill.
func (l *LightLine) beside(rows []*measure.Sample, floor float64) {
	var rest []float64
	for _, s := range rows {
		if p, ok := s.ServerPrefill.Get(); ok {
			d, _ := s.Latency(workload.ServiceTTFT)
			rest = append(rest, (d - p).Seconds())
		}
	}
	if len(rest) < leastLight {
		return
	}
	m := middle(rest)
	for i := range rest {
		rest[i] = math.Abs(rest[i] - m)
	}
	l.Beside, l.BesideLimit = &m, max(floor, quantile95(rest))
}

// middle is the median of values, which keep their order.
func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// quantile95 is the value at rank ceil(0.95 n).
func quantile95(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[rank(0.95, int64(len(v)))-1]
}
