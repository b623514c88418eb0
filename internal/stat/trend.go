package stat

import (
	"fmt"
	"math"
	"slices"
)

const (
	trendBlocks = 10
	// leastPerBlock is the smallest number of values in a block of TrendOf.
	leastPerBlock = 2
)

// Trend is the straight line through the means of ten equal blocks of a series.
type Trend struct {
	Slope float64 // of the block means, per block, in the unit of the values
	// T is Slope over its standard error, of 8 degrees of freedom. It is infinite where the means lie exactly on a slope.
	T float64
	// P is the one-sided p-value of "it does not rise": small where it rises.
	P float64
}

// TrendOf tests whether a series rises, by least squares through the means of ten equal blocks against their number. A rest of
// up to nine values is left out at the start. T above 1.86 is P below 0.05. Values that depend on their neighbours for longer
// than a block make it cry wolf: blocks should be several autocorrelation times long. It fails below 20 values and for one
// that is not finite.
func TrendOf(values []float64) (Trend, error) {
	if err := checkValues(values, trendBlocks*leastPerBlock); err != nil {
		return Trend{}, fmt.Errorf("trend: %w", err)
	}
	per := len(values) / trendBlocks
	values = values[len(values)-per*trendBlocks:]
	var line Correlation
	size := 0.0
	for block := range trendBlocks {
		var m Moments
		for _, x := range values[block*per : (block+1)*per] {
			m.Add(x)
			size = max(size, math.Abs(x))
		}
		line.Add(float64(block), m.Mean())
	}
	slope := line.product / line.x.squares
	if math.IsNaN(slope) || math.IsInf(line.y.squares, 0) {
		return Trend{}, fmt.Errorf("trend: the values overflow")
	}
	// What is only rounding is no slope and no scatter.
	rounding := 1e-12 * size
	if math.Abs(slope)*trendBlocks <= rounding {
		return Trend{P: 0.5}, nil
	}
	scatter := max(line.y.squares-slope*line.product, 0)
	if scatter <= rounding*rounding {
		return Trend{Slope: slope, T: math.Inf(int(math.Copysign(1, slope))), P: map[bool]float64{true: 0, false: 1}[slope > 0]}, nil
	}
	t := slope / math.Sqrt(scatter/(trendBlocks-2)/line.x.squares)
	return Trend{Slope: slope, T: t, P: studentsT(trendBlocks - 2).CDF(-t)}, nil
}

// Saturation is the test of over-saturation: more comes in than is served.
type Saturation struct {
	InFlight Trend // requests per block
	Latency  Trend // of ln(latency), per block
}

// OverSaturated tells whether both rise at this one-sided level (0.05: T above 1.86). One alone rises by chance or for another
// reason: longer prompts, a burst at the end.
func (s Saturation) OverSaturated(alpha float64) bool {
	return s.InFlight.P < alpha && s.Latency.P < alpha
}

// SaturationOf tests the requests in flight, sampled at even times, and the latencies in the order of arrival, both after the
// warm-up (MSER5). Latencies are in any unit. It fails where TrendOf does and for a latency that is not positive.
func SaturationOf(inFlight, latency []float64) (Saturation, error) {
	logs := slices.Clone(latency)
	for i, x := range logs {
		if x <= 0 {
			return Saturation{}, fmt.Errorf("over-saturation: latency %d of %d is %v: it must be positive", i+1, len(logs), x)
		}
		logs[i] = math.Log(x)
	}
	var s Saturation
	var err error
	if s.InFlight, err = TrendOf(inFlight); err != nil {
		return Saturation{}, fmt.Errorf("over-saturation, requests in flight: %w", err)
	}
	if s.Latency, err = TrendOf(logs); err != nil {
		return Saturation{}, fmt.Errorf("over-saturation, latencies: %w", err)
	}
	return s, nil
}
