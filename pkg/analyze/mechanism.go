package analyze

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Elasticity is by how many percent the TTFT excess of late requests grows where their own work at light load grows by one: the slope of
// its logarithm, by least squares. Prompts are drawn without regard to the load, so that a request that waits for others waits no
// longer for its own length (0); one whose prefill is slowed down by others beside it is late in proportion to it (1).
type Elasticity struct {
	N     int     `json:"n"` // late requests: twice the detection limit and a twentieth of their light-load TTFT, and more
	Value float64 `json:"value"`
	Low   float64 `json:"low"` // of the 99% interval
	High  float64 `json:"high"`
}

// Releases is the share of late requests that seem to have begun (first token less light-load TTFT) when another request ended, as
// those do that waited for its place; Chance is the share of all times that lie as near to such an end.
type Releases struct {
	N      int     `json:"n"`
	Share  float64 `json:"share"`
	Chance float64 `json:"chance"`
}

// The bounds of the evidence.
const (
	// lateLimits is how many detection limits make a request late, and lateShare what part of its light-load TTFT it must be at least.
	lateLimits, lateShare = 2, 0.05
	// fewLate is the share of late requests below which no mechanism matters: fewer than half of the slowest 1% could be among them.
	fewLate = 0.005
	// grows and waits are the elasticities above which a prefill that slows down is at work for certain, and below which it can be
	// no more than a part.
	grows, waits = 0.25, 0.5
	leastLate    = 10
	// A queue is seen by its releases where nearly all late requests begin at one, and few times are near one.
	releasesShare, releasesMore = 0.8, 0.5
	// nearRelease is how near an end is to a beginning at least, seconds.
	nearRelease = 1e-3
)

// late lists the rows whose excess is clearly above the detection limit, and not too small to matter.
func (q *queueFold) late() []*waited {
	var late []*waited
	for i := range q.rows {
		if w := &q.rows[i]; w.counted && !math.IsNaN(w.excess) && w.excess > max(lateLimits*q.lines[w.block].Limit, lateShare*w.expected) {
			late = append(late, w)
		}
	}
	return late
}

// evidence looks for what tells a queue from a service that slows down.
func (q *queueFold) evidence() {
	late := q.late()
	if len(late) < leastLate {
		return
	}
	q.out.Elasticity = q.elasticity(late)
	q.out.Releases = q.releases(late)
}

// elasticity regresses ln excess on ln of the request's own work; nil where that hardly differs among requests.
func (q *queueFold) elasticity(late []*waited) *Elasticity {
	var x, y []float64
	for _, w := range late {
		work := w.expected
		if n := q.lines[w.block].Network; n != nil && *n < work {
			work -= *n // which no load slows down
		}
		if work > 0 {
			x, y = append(x, math.Log(work)), append(y, math.Log(w.excess))
		}
	}
	n := float64(len(x))
	var mx, my, sxx, sxy float64
	for i := range x {
		mx += x[i] / n
		my += y[i] / n
	}
	for i := range x {
		sxx += (x[i] - mx) * (x[i] - mx)
		sxy += (x[i] - mx) * (y[i] - my)
	}
	if len(x) < leastLate || !(sxx > 1e-9*n) {
		return nil
	}
	slope := sxy / sxx
	var rss float64
	for i := range x {
		r := y[i] - my - slope*(x[i]-mx)
		rss += r * r
	}
	half := distuv.StudentsT{Sigma: 1, Nu: n - 2}.Quantile(0.995) * math.Sqrt(rss/(n-2)/sxx)
	return &Elasticity{N: len(x), Value: slope, Low: slope - half, High: slope + half}
}

// releases matches the beginnings of late requests with the ends of others of their block. Seen from the client a place becomes
// free a round trip before the end of the answer that had it would let another begin: half to bring the end, half on the way to
// the server, which the request that waits has behind it.
func (q *queueFold) releases(late []*waited) *Releases {
	ends := map[int][]float64{}
	for i := range q.rows {
		if w := &q.rows[i]; !math.IsNaN(w.done) {
			ends[w.block] = append(ends[w.block], w.done)
		}
	}
	for _, e := range ends {
		slices.Sort(e)
	}
	r := &Releases{N: len(late)}
	var hits, chance float64
	covered := map[int]float64{}
	for _, w := range late {
		line := q.lines[w.block]
		near := max(line.Limit, nearRelease)
		trip := 0.0
		if line.Network != nil {
			trip = *line.Network
		}
		begin, e := w.first-w.expected+trip, ends[w.block]
		i, _ := slices.BinarySearch(e, begin-near)
		if i < len(e) && e[i] <= begin+near {
			hits++
		}
		if _, ok := covered[w.block]; !ok {
			covered[w.block] = coverage(e, near)
		}
		chance += covered[w.block]
	}
	r.Share, r.Chance = hits/float64(len(late)), chance/float64(len(late))
	return r
}

// coverage is the share of the time from the first to the last of ascending instants that lies near one of them.
func coverage(instants []float64, near float64) float64 {
	if len(instants) < 2 {
		return 0
	}
	var sum float64
	for i := 1; i < len(instants); i++ {
		sum += min(instants[i]-instants[i-1], 2*near)
	}
	return sum / max(instants[len(instants)-1]-instants[0], 2*near)
}

// mechanism tells whether the excess is a queue.
func (q *queueFold) mechanism() (basis, why string) {
	o := q.out
	late := len(q.late())
	e, r := o.Elasticity, o.Releases
	seen := r != nil && r.Share >= releasesShare && r.Share-r.Chance >= releasesMore
	switch {
	case float64(late) < fewLate*float64(o.Requests):
		return Inferred, fmt.Sprintf("no queue to speak of: %d of %d requests took clearly longer than at light load", late, o.Requests)
	case e != nil && e.Low > grows && !seen:
		return CannotTell, fmt.Sprintf("the TTFT excess grows with the request's own prompt (by %.2g%% for 1%%, interval %.2g to %.2g), as where a prefill slows down with what runs beside it and nobody waits: how much of it is a queue cannot be told", e.Value, e.Low, e.High)
	case e != nil && e.High < waits:
		return Inferred, fmt.Sprintf("the TTFT excess does not depend on the request's own prompt (1%% more of it: %.2g%%, interval %.2g to %.2g), as where requests wait for others", e.Value, e.Low, e.High)
	case seen:
		return Inferred, fmt.Sprintf("%.0f%% of the late requests began when another ended (%.0f%% by chance), as where they wait for its place", 100*r.Share, 100*r.Chance)
	}
	return CannotTell, fmt.Sprintf("%d of %d requests took clearly longer than at light load: too few, or with prompts too much alike, to tell a queue from a prefill that slows down with what runs beside it", late, o.Requests)
}
