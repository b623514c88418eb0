package workload

import (
	"fmt"

	"github.com/infbench/infbench/internal/stat"
)

// The coefficients of variation that a family can be asked for. Below, use constant gaps; above, nearly all arrivals
// would share a few instants.
const (
	minCV = 0.01
	maxCV = 100
)

// gaps is a stationary point process of rate 1, in operational time: the time in which the shape's rate is 1.
type gaps interface {
	// first is the time from an arbitrary moment, not from an arrival, to the next arrival.
	first(r *stat.Rand) float64
	// next is the time from the last arrival to the next one.
	next(r *stat.Rand) float64
}

// newGaps makes the process of a burst family. base is the rate, in 1/s, at which on and off periods have the lengths
// that the scenario gives.
func newGaps(b Burst, base float64) (gaps, error) {
	switch {
	case b.Constant != nil:
		return evenGaps{}, nil
	case b.Poisson != nil:
		return exponentialGaps{}, nil
	case b.Gamma != nil:
		cv := b.Gamma.CV
		if !(cv >= minCV && cv <= maxCV) {
			return nil, fmt.Errorf("arrivals.burst.gamma.cv is %g, want %g to %d", cv, minCV, maxCV)
		}
		return gammaGaps{shape: 1 / float64(cv*cv), scale: float64(cv * cv)}, nil
	case b.Weibull != nil:
		cv := b.Weibull.CV
		if !(cv >= minCV && cv <= maxCV) {
			return nil, fmt.Errorf("arrivals.burst.weibull.cv is %g, want %g to %d", cv, minCV, maxCV)
		}
		k := weibullShape(cv)
		return weibullGaps{shape: k, scale: stat.Exp(-stat.LogGamma(1 + 1/k))}, nil
	case b.OnOff != nil:
		if b.OnOff.On <= 0 || b.OnOff.Off <= 0 {
			return nil, fmt.Errorf("arrivals.burst.on_off: on is %v and off is %v, want both positive (without off periods it is poisson)",
				b.OnOff.On.D(), b.OnOff.Off.D())
		}
		on, off := float64(seconds(b.OnOff.On.D())*base), float64(seconds(b.OnOff.Off.D())*base)
		return &onOffGaps{on: on, off: off, rate: (on + off) / on}, nil
	}
	return nil, fmt.Errorf("arrivals.burst is empty: name one of constant, poisson, gamma, weibull, on_off")
}

// evenGaps are all 1. The first is uniform, so that runs with other seeds differ in phase.
type evenGaps struct{}

func (evenGaps) first(r *stat.Rand) float64 { return r.Float64() }
func (evenGaps) next(*stat.Rand) float64    { return 1 }

// exponentialGaps have no memory: the first is like any other.
type exponentialGaps struct{}

func (exponentialGaps) first(r *stat.Rand) float64 { return r.Exp() }
func (exponentialGaps) next(r *stat.Rand) float64  { return r.Exp() }

// In a renewal process in equilibrium the gap that holds an arbitrary moment is drawn with a chance in proportion to
// its length, and the moment is uniform in it. So the first time is U times a gap of the density x f(x), which for
// gamma and Weibull gaps are a gamma and a power of a gamma again (Cox, "Renewal Theory", 1962).

// gammaGaps have shape 1/cv^2 and scale cv^2.
type gammaGaps struct{ shape, scale float64 }

func (g gammaGaps) first(r *stat.Rand) float64 {
	u := r.Float64()
	return float64(u * float64(g.scale*r.Gamma(g.shape+1)))
}

func (g gammaGaps) next(r *stat.Rand) float64 { return float64(g.scale * r.Gamma(g.shape)) }

type weibullGaps struct{ shape, scale float64 }

func (g weibullGaps) first(r *stat.Rand) float64 {
	u := r.Float64()
	y := r.Gamma(1 + 1/g.shape)
	return float64(u * float64(g.scale*stat.Pow(y, 1/g.shape)))
}

func (g weibullGaps) next(r *stat.Rand) float64 { return float64(g.scale * r.Weibull(g.shape)) }

// weibullShape solves CV^2 = Gamma(1+2/k) / Gamma(1+1/k)^2 - 1 for k by bisection: CV falls as k grows. Within the
// bracket CV runs from 430 to 0.006.
func weibullShape(cv float64) float64 {
	want := stat.Log(1 + float64(cv*cv))
	lo, hi := 0.1, 200.0
	for range 80 {
		k := (lo + hi) / 2
		if stat.LogGamma(1+2/k)-2*stat.LogGamma(1+1/k) > want {
			lo = k
		} else {
			hi = k
		}
	}
	return (lo + hi) / 2
}

// onOffGaps is an interrupted Poisson process: exponential on and off periods with means on and off, Poisson arrivals
// of this rate while on, none while off. rate is chosen so that the mean over both is 1.
type onOffGaps struct {
	on, off, rate float64
	left          float64 // of the current on period
}

// first begins in an on period with the share of time that is on. The rest of a period that has begun is as long as a
// whole one: it is exponential.
func (g *onOffGaps) first(r *stat.Rand) float64 {
	g.left = 0
	if isOn := float64(r.Float64()*(g.on+g.off)) < g.on; isOn {
		g.left = float64(g.on * r.Exp())
		return g.next(r)
	}
	wait := float64(g.off * r.Exp())
	g.left = float64(g.on * r.Exp())
	return wait + g.next(r)
}

func (g *onOffGaps) next(r *stat.Rand) float64 {
	var gap float64
	for {
		e := r.Exp() / g.rate
		if e < g.left {
			g.left -= e
			return gap + e
		}
		// The on period ends first. What is drawn anew after the off period is as good as the rest of e: it has no
		// memory.
		gap += g.left + float64(g.off*r.Exp())
		g.left = float64(g.on * r.Exp())
	}
}
