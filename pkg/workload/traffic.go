package workload

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// Traffic describes requests of the measure phase of one block by the figures that decide what a server feels: how many
// come, how unevenly, and how long they are. The same figures are computed of what a scenario asks (Source.Asked) and of
// what a run has sent, so that the two can be held against each other. Missing is never 0.
type Traffic struct {
	Requests int `json:"requests"`
	// Rate is in requests per second of the measure phase.
	Rate Estimate `json:"rate"`
	// CV is the coefficient of variation of the gaps between requests. Nil with fewer than three.
	CV *Estimate `json:"cv,omitempty"`
	// IDC are the indices of dispersion for counts at 1, 10 and 60 s, those with ten bins or more.
	IDC []Dispersion `json:"idc,omitempty"`
	// Input and Output are the asked lengths in tokens, prompts by the workload's own count. Nil where the workload
	// does not say.
	Input  *TokenLengths `json:"input,omitempty"`
	Output *TokenLengths `json:"output,omitempty"`
	// CacheableShare is the share of the prompt tokens that a server with an unlimited prefix cache, empty when the block
	// begins, does not have to compute. Nil where the workload cannot tell.
	CacheableShare *float64 `json:"cacheable_share,omitempty"`
}

// Estimate is a figure computed of requests, and how far chance moves it: one standard error to either side for the
// number of requests that there were. A figure between Low and High is no other traffic.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Holds reports whether chance alone could have made v of the same traffic.
func (e Estimate) Holds(v float64) bool { return v >= e.Low && v <= e.High }

// Dispersion is an index of dispersion for counts (variance over mean) in bins of so many seconds.
type Dispersion struct {
	Seconds float64 `json:"seconds"`
	Estimate
}

// TokenLengths is a distribution of lengths in tokens. A quantile is there with ten values beyond it.
type TokenLengths struct {
	N    int       `json:"n"`
	Mean Estimate  `json:"mean"`
	P10  *Estimate `json:"p10,omitempty"`
	P50  *Estimate `json:"p50,omitempty"`
	P90  *Estimate `json:"p90,omitempty"`
	P99  *Estimate `json:"p99,omitempty"`
}

// The smallest differences that matter, where chance has no part in a figure or hardly one: a rate is off when one request
// in two hundred is missing; evenly spaced arrivals have a CV of 0, and a client that is a little late here and there
// sends them nevertheless.
const (
	rateTolerance  = 0.005
	leastTolerance = 0.05 // of a CV and of an IDC
)

// DescribeTraffic computes the figures of requests that came at these times of a block, within its measure phase
// [from, to). The times are put in order. Lengths may be nil.
func DescribeTraffic(times []time.Duration, from, to time.Duration, input, output LengthCounts) *Traffic {
	slices.Sort(times)
	t := &Traffic{Requests: len(times), Input: input.Describe(), Output: output.Describe()}
	if to > from {
		rate := float64(len(times)) / seconds(to-from)
		t.Rate = around(rate, rate*rateTolerance)
	}
	if cv, ok := stat.GapCV(times); ok {
		se, _ := stat.GapCVError(times)
		t.CV = new(around(cv, max(se, leastTolerance)))
	}
	for _, width := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		if d := stat.Disperse(times, from, to, width); d.IDC != nil {
			t.IDC = append(t.IDC, Dispersion{seconds(width), around(*d.IDC, max(stat.IDCError(*d.IDC, d.Bins), leastTolerance))})
		}
	}
	return t
}

func around(value, by float64) Estimate { return Estimate{value, max(0, value-by), value + by} }

// LengthCounts counts lengths: how many requests have each. Its size is that of the lengths' range, not of the run.
type LengthCounts map[int]int

// Add counts one length.
func (c LengthCounts) Add(tokens int) { c[tokens]++ }

// Describe gives the distribution; nil for no lengths.
func (c LengthCounts) Describe() *TokenLengths {
	lengths := slices.Sorted(maps.Keys(c))
	below := make([]int, len(lengths)) // how many values are at most lengths[i]
	var n int
	var sum, squares float64
	for i, l := range lengths {
		n += c[l]
		below[i] = n
		sum += float64(float64(l) * float64(c[l]))
	}
	if n == 0 {
		return nil
	}
	mean := sum / float64(n)
	for _, l := range lengths {
		squares += float64((float64(l) - mean) * (float64(l) - mean) * float64(c[l]))
	}
	d := &TokenLengths{N: n, Mean: around(mean, math.Sqrt(squares/float64(max(n-1, 1))/float64(n)))}
	at := func(rank int) float64 {
		i, _ := slices.BinarySearch(below, rank)
		return float64(lengths[i])
	}
	for _, q := range []struct {
		q  float64
		to **Estimate
	}{{0.1, &d.P10}, {0.5, &d.P50}, {0.9, &d.P90}, {0.99, &d.P99}} {
		if float64(n)*min(q.q, 1-q.q) < 10-1e-6 {
			continue
		}
		low, high := stat.QuantileRanks(n, q.q)
		*q.to = &Estimate{at(max(1, int(math.Ceil(q.q*float64(n)-1e-9)))), at(low), at(high)}
	}
	return d
}

// Asked describes what the scenario asks of the measure phase of each block, of conversations the first turns; nil for a
// closed loop, where the replies decide how many requests come, and when.
func (s *Source) Asked(sched *Schedule) *Traffic {
	if !sched.Open {
		return nil
	}
	from, to := sched.Phases.Warmup.D(), sched.Phases.Horizon().D()
	input, output := LengthCounts{}, LengthCounts{}
	times := slices.Clone(sched.between(from, to))
	var all, cacheable int
	for i := len(sched.Times) - len(times); i < len(sched.Times); i++ {
		in, out := s.Lengths(i)
		input.Add(in)
		all, cacheable = all+in, cacheable+s.Cacheable(i)
		if out > 0 {
			output.Add(out) // a length that is left to the server is none
		}
	}
	t := DescribeTraffic(times, from, to, input, output)
	if s.predictable() && all > 0 {
		t.CacheableShare = new(float64(cacheable) / float64(all))
	}
	return t
}

// predictable is Prompts.Predictable, where no answers decide how much of a conversation there is to cache; of a mix, it
// takes every class.
func (s *Source) predictable() bool {
	if s.mix != nil {
		return !slices.ContainsFunc(s.mix.classes, func(c *Source) bool { return !c.predictable() })
	}
	return s.prompts.Predictable() && s.sessions == nil
}
