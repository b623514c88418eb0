package workload

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// piece is a stretch of the rate curve. Times are in seconds since its start, rates in 1/s.
type piece interface {
	rate(t float64) float64
	count(t float64) float64 // the integral of the rate from 0 to t
	when(n float64) float64  // the inverse of count
}

// curve is the rate over a block's time line, in seconds since its time 0.
type curve struct {
	spans []curveSpan
}

// curveSpan is a piece at its place: it holds from from to to, and base is the integral of the rate up to from.
type curveSpan struct {
	piece
	from, to, base float64
}

// add appends a piece of this length.
func (c *curve) add(p piece, length float64) {
	if length <= 0 {
		return
	}
	from := 0.0
	if n := len(c.spans); n > 0 {
		from = c.spans[n-1].to
	}
	c.spans = append(c.spans, curveSpan{piece: p, from: from, to: from + length, base: c.count(from)})
}

// rate is the rate at t; at the seam of two pieces it is the later one's.
func (c *curve) rate(t float64) float64 {
	i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].to > t })
	if i == len(c.spans) || t < 0 {
		return 0
	}
	return c.spans[i].rate(t - c.spans[i].from)
}

// count is the integral of the rate from 0 to t.
func (c *curve) count(t float64) float64 {
	i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].to >= t })
	if i == len(c.spans) {
		if i == 0 {
			return 0
		}
		i--
		t = c.spans[i].to
	}
	s := &c.spans[i]
	return s.base + s.count(max(t-s.from, 0))
}

// when is the inverse of count for 0 <= n < count(end): the latest time at which the integral is n, so that nothing
// arrives while the rate is 0.
func (c *curve) when(n float64) float64 {
	i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].base > n }) - 1
	s := &c.spans[max(i, 0)]
	return min(s.from+s.when(n-s.base), s.to)
}

// linear runs from one rate with a constant slope. Its rate must not become negative.
type linear struct {
	start float64 // 1/s
	slope float64 // 1/s^2
}

// slope is the linear piece from one rate to another.
func slope(from, to, length float64) linear {
	if from == to || length <= 0 {
		return linear{start: from}
	}
	return linear{start: from, slope: (to - from) / length}
}

func (l linear) rate(t float64) float64 { return max(l.start+float64(l.slope*t), 0) }

func (l linear) count(t float64) float64 {
	return float64(l.start*t) + float64(float64(l.slope*t)*t)/2
}

// when solves slope t^2 / 2 + start t = n in the form that does not cancel for a small slope.
func (l linear) when(n float64) float64 {
	if n <= 0 {
		return 0
	}
	if l.slope == 0 {
		return n / l.start
	}
	root := math.Sqrt(max(float64(l.start*l.start)+float64(float64(2*l.slope)*n), 0))
	return 2 * n / (l.start + root)
}

// sine is mean (1 + amplitude sin(2 pi (t-phase)/period)), 0 <= amplitude < 1.
type sine struct{ mean, amplitude, period, phase float64 }

func (s sine) rate(t float64) float64 {
	return float64(s.mean * (1 + float64(s.amplitude*stat.SinTurns((t-s.phase)/s.period))))
}

func (s sine) count(t float64) float64 {
	swing := stat.CosTurns(-s.phase/s.period) - stat.CosTurns((t-s.phase)/s.period)
	return float64(s.mean * (t + float64(float64(s.amplitude*s.period)/(2*math.Pi)*swing)))
}

// when takes whole periods off, then closes in by Newton's rule, held in a bracket. The rate is never 0, so that five
// rounds or so are enough.
func (s sine) when(n float64) float64 {
	whole := math.Floor(n / float64(s.mean*s.period))
	n -= float64(whole * float64(s.mean*s.period))
	lo, hi := 0.0, s.period
	t := min(max(n/s.mean, lo), hi)
	for range 100 {
		over := s.count(t) - n
		if over > 0 {
			hi = t
		} else {
			lo = t
		}
		next := t - over/s.rate(t)
		if !(next >= lo && next <= hi) {
			next = (lo + hi) / 2
		}
		done := math.Abs(next-t) <= float64(1e-14*s.period)
		t = next
		if done {
			break
		}
	}
	return float64(whole*s.period) + t
}

// newCurve builds the rate over a block: the shape over the measure phase, and before it the warm-up at the shape's
// first rate (a spike's is the base rate, even where it begins at once). rate is the base rate.
func newCurve(shape Shape, rate float64, warmup, measure time.Duration) (*curve, error) {
	needsRate := shape.Constant != nil || shape.Spike != nil || shape.Diurnal != nil
	if needsRate && !(rate > 0) || rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		return nil, fmt.Errorf("arrivals.rate is %g/s: give the base rate, such as rate: 4/s", rate)
	}
	var pieces []placed
	var err error
	switch {
	case shape.Constant != nil:
		pieces = []placed{{linear{start: rate}, seconds(measure)}}
	case shape.Steps != nil:
		pieces, err = stepPieces(shape.Steps, measure)
	case shape.Spike != nil:
		pieces, err = spikePieces(shape.Spike, rate, measure)
	case shape.Ramp != nil:
		pieces, err = rampPieces(shape.Ramp, measure)
	case shape.Diurnal != nil:
		pieces, err = diurnalPieces(shape.Diurnal, rate, measure)
	default:
		err = fmt.Errorf("arrivals.shape is empty: name one of constant, steps, spike, ramp, diurnal, curve, trace")
	}
	if err != nil {
		return nil, err
	}
	c := new(curve)
	c.add(linear{start: pieces[0].rate(0)}, seconds(warmup))
	for _, p := range pieces {
		c.add(p.piece, p.length)
	}
	return c, nil
}

// placed is a piece with its length in seconds.
type placed struct {
	piece
	length float64
}

func validRate(path string, r Rate) error {
	if f := float64(r); !(f >= 0) || math.IsInf(f, 0) {
		return fmt.Errorf("%s is %g/s, want 0/s or more", path, f)
	}
	return nil
}

func stepPieces(steps []Step, measure time.Duration) ([]placed, error) {
	var pieces []placed
	var at time.Duration
	for i, s := range steps {
		path := fmt.Sprintf("arrivals.shape.steps[%d]", i)
		if err := validRate(path+".rate", s.Rate); err != nil {
			return nil, err
		}
		if at >= measure {
			return nil, fmt.Errorf("%s begins at %v, after the measure phase of %v: remove it, or lengthen phases.measure", path, at, measure)
		}
		length := measure - at
		if i < len(steps)-1 {
			if s.For <= 0 {
				return nil, fmt.Errorf("%s.for is %v, want a positive time (only the last step may leave it out)", path, s.For.D())
			}
			length = min(s.For.D(), length)
		}
		pieces = append(pieces, placed{linear{start: float64(s.Rate)}, seconds(length)})
		at += length
	}
	if len(pieces) == 0 {
		return nil, fmt.Errorf("arrivals.shape.steps is empty: give at least one step, such as {for: 30s, rate: 4/s}")
	}
	return pieces, nil
}

func spikePieces(s *Spike, rate float64, measure time.Duration) ([]placed, error) {
	const path = "arrivals.shape.spike"
	at, length, edge := s.At.D(), s.For.D(), s.Edge.D()
	switch {
	case !(s.Factor >= 0) || math.IsInf(s.Factor, 0):
		return nil, fmt.Errorf("%s.factor is %g, want 0 or more, such as 3", path, s.Factor)
	case at < 0 || length <= 0 || at > measure || length > measure-at:
		return nil, fmt.Errorf("%s is from %v for %v: it must lie within the measure phase of %v", path, at, length, measure)
	case edge < 0 || edge > length/2:
		return nil, fmt.Errorf("%s.edge is %v: two edges must fit into for, which is %v", path, edge, length)
	}
	top := float64(rate * s.Factor)
	return []placed{
		{linear{start: rate}, seconds(at)},
		{slope(rate, top, seconds(edge)), seconds(edge)},
		{linear{start: top}, seconds(length - 2*edge)},
		{slope(top, rate, seconds(edge)), seconds(edge)},
		{linear{start: rate}, seconds(measure - at - length)},
	}, nil
}

func rampPieces(r *Ramp, measure time.Duration) ([]placed, error) {
	if err := validRate("arrivals.shape.ramp.from", r.From); err != nil {
		return nil, err
	}
	if err := validRate("arrivals.shape.ramp.to", r.To); err != nil {
		return nil, err
	}
	length := seconds(measure)
	return []placed{{slope(float64(r.From), float64(r.To), length), length}}, nil
}

func diurnalPieces(d *Diurnal, rate float64, measure time.Duration) ([]placed, error) {
	const path = "arrivals.shape.diurnal"
	switch {
	case d.Period <= 0:
		return nil, fmt.Errorf("%s.period is %v, want a positive time", path, d.Period.D())
	case !(d.Amplitude >= 0 && d.Amplitude < 1):
		return nil, fmt.Errorf("%s.amplitude is %g, want 0 or more and less than 1", path, d.Amplitude)
	}
	p := sine{mean: rate, amplitude: d.Amplitude, period: seconds(d.Period.D()), phase: seconds(d.Phase.D())}
	return []placed{{p, seconds(measure)}}, nil
}
