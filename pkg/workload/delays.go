package workload

import (
	"math"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// Delays is a distribution of times. Exactly one field is set.
type Delays struct {
	Fixed       *Duration         `yaml:"fixed,omitempty" json:"fixed,omitempty"`
	Uniform     *DelayRange       `yaml:"uniform,omitempty" json:"uniform,omitempty"`
	Exponential *ExponentialDelay `yaml:"exponential,omitempty" json:"exponential,omitempty"`
	Lognormal   *LognormalDelay   `yaml:"lognormal,omitempty" json:"lognormal,omitempty"`
	// Empirical draws one of these values, each with equal probability.
	Empirical []Duration `yaml:"empirical,omitempty" json:"empirical,omitempty" jsonschema:"minItems=1"`
}

// DelayRange is uniform between Min and Max.
type DelayRange struct {
	Min Duration `yaml:"min" json:"min" jsonschema:"required,example=2s"`
	Max Duration `yaml:"max" json:"max" jsonschema:"required,example=10s"`
}

// ExponentialDelay has the given mean before Max, if there is one, cuts it.
type ExponentialDelay struct {
	Mean Duration `yaml:"mean" json:"mean" jsonschema:"required,exclusiveMinimum=0,example=5s"`
	Max  Duration `yaml:"max,omitempty" json:"max,omitempty"`
}

// LognormalDelay has the given median and the given standard deviation of the logarithm, before Max, if there is one, cuts
// it.
type LognormalDelay struct {
	Median Duration `yaml:"median" json:"median" jsonschema:"required,exclusiveMinimum=0,example=8s"`
	Sigma  float64  `yaml:"sigma" json:"sigma" jsonschema:"required,minimum=0,maximum=10,example=0.8"`
	Max    Duration `yaml:"max,omitempty" json:"max,omitempty"`
}

// longestDelay bounds a time that is drawn: as long as a phase may last.
const longestDelay = Duration(maxPhase)

// draw takes one time, 0 or more.
func (d *Delays) draw(r *stat.Rand) Duration {
	switch {
	case d == nil:
		return 0
	case d.Fixed != nil:
		return *d.Fixed
	case d.Uniform != nil:
		return d.Uniform.Min + delay(float64(float64(d.Uniform.Max-d.Uniform.Min)*r.Float64()), 0)
	case d.Exponential != nil:
		return delay(float64(float64(d.Exponential.Mean)*r.Exp()), d.Exponential.Max)
	case d.Lognormal != nil:
		return delay(r.Lognormal(float64(d.Lognormal.Median), d.Lognormal.Sigma), d.Lognormal.Max)
	case len(d.Empirical) > 0:
		return d.Empirical[r.IntN(len(d.Empirical))]
	}
	return 0
}

// delay rounds nanoseconds, and cuts them at a limit if there is one.
func delay(ns float64, limit Duration) Duration {
	if limit <= 0 {
		limit = longestDelay
	}
	return Duration(math.Floor(min(ns, float64(limit)) + 0.5))
}

// Patience is how long a user waits before leaving. The request is then cancelled and counts as abandoned: a miss in
// every figure. Times run from the scheduled arrival.
type Patience struct {
	// FirstToken is how long a user waits for the first token.
	FirstToken *Delays `yaml:"first_token,omitempty" json:"first_token,omitempty"`
	// Answer is how long a user waits for the end of the answer.
	Answer *Delays `yaml:"answer,omitempty" json:"answer,omitempty"`
}

// Waits is one user's patience. 0 is without end.
type Waits struct{ FirstToken, Answer time.Duration }

// draw takes one user's patience for the request of this key.
func (p *Patience) draw(seed, key uint64) (w Waits) {
	if p == nil {
		return w
	}
	r := stat.Keyed(seed, "patience", key)
	// A drawn 0 would be without end.
	if p.FirstToken != nil {
		w.FirstToken = max(p.FirstToken.draw(r).D(), 1)
	}
	if p.Answer != nil {
		w.Answer = max(p.Answer.draw(r).D(), 1)
	}
	return w
}
