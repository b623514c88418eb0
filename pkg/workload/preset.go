package workload

import (
	"fmt"
	"strings"
	"time"
)

// The presets: a shape and a burst family under one name. Their figures come from production traces: gaps within a minute
// of the Azure conversation trace and of the de-quantised Mooncake trace have CV 1.0, so steady is Poisson; the
// rate-weighted CV of ServeGen's production clients is 2.2 to 3.6, so bursty is gamma with CV 2, its mild end; the busiest
// minute of the traces is 1.5 to 4.2 times the mean (ServeGen: 2.7 to 3.3 over ten minutes), so a spike is three times the
// base rate; the Azure code trace is on for 16.7 s and off for 43 s in the mean, which makes 3.5 times the mean rate while
// on; the mean day of ServeGen's m-large swings by 0.12 and that of m-small by 0.23, so a day swings by a quarter. A ramp
// looks for the knee: from a tenth of the rate that is thought to be too much to a fifth beyond it.
const (
	presetSteady  = "steady"  // constant rate, Poisson
	presetBursty  = "bursty"  // constant rate, gamma gaps of CV 2
	presetSpike   = "spike"   // three times the rate during the middle fifth of the measure phase, Poisson
	presetOnOff   = "on-off"  // constant mean rate, on for 17 s and off for 43 s on average
	presetRamp    = "ramp"    // from 10% to 120% of the rate over the measure phase, Poisson
	presetDiurnal = "diurnal" // a day compressed into the measure phase: the rate swings by 25%, Poisson
)

// presetNames lists the presets in the order in which they are shown.
var presetNames = []string{presetSteady, presetBursty, presetSpike, presetOnOff, presetRamp, presetDiurnal}

const (
	burstyCV         = 2
	spikeFactor      = 3
	onPeriod         = Duration(17 * time.Second)
	offPeriod        = Duration(43 * time.Second)
	rampFrom, rampTo = 0.1, 1.2 // of the base rate
	diurnalAmplitude = 0.25
)

// presetGives is which part of the arrivals a preset makes other than they are without it: shape or burst; empty for neither.
func presetGives(preset string) string {
	switch preset {
	case presetSpike, presetRamp, presetDiurnal:
		return "shape"
	case presetBursty, presetOnOff:
		return "burst"
	}
	return ""
}

// Effective resolves the preset and the defaults into one shape and one burst family, for a measure phase of this length. What
// is written out wins over the preset, part by part; with neither, the shape is constant and the burst family is Poisson. An
// error says what does not go together, which a scenario that was loaded does not have.
func (a *Arrivals) Effective(measure time.Duration) (Shape, Burst, error) {
	shape, burst := Shape{Constant: &ConstantShape{}}, Burst{Poisson: &PoissonBurst{}}
	switch a.Preset {
	case "", presetSteady:
	case presetBursty:
		burst = Burst{Gamma: &CVBurst{CV: burstyCV}}
	case presetSpike:
		shape = Shape{Spike: &Spike{At: Duration(measure / 5 * 2), For: Duration(measure / 5), Factor: spikeFactor}}
	case presetOnOff:
		burst = Burst{OnOff: &OnOff{On: onPeriod, Off: offPeriod}}
	case presetRamp:
		shape = Shape{Ramp: &Ramp{From: Rate(float64(a.Rate) * rampFrom), To: Rate(float64(a.Rate) * rampTo)}}
	case presetDiurnal:
		shape = Shape{Diurnal: &Diurnal{Period: Duration(measure), Amplitude: diurnalAmplitude}}
	default:
		return shape, burst, fmt.Errorf("arrivals.preset is %q: the presets are %s", a.Preset, strings.Join(presetNames, ", "))
	}
	if a.Shape != nil {
		shape = *a.Shape
		if n := shape.set(); n != 1 {
			return shape, burst, fmt.Errorf("arrivals.shape names %d shapes: name exactly one of constant, steps, spike, ramp, diurnal, curve, trace", n)
		}
	}
	if a.Burst != nil {
		burst = *a.Burst
		if n := burst.set(); n != 1 {
			return shape, burst, fmt.Errorf("arrivals.burst names %d families: name exactly one of constant, poisson, gamma, weibull, on_off", n)
		}
	}
	if shape.Trace != nil {
		switch {
		case a.Preset != "" || a.Burst != nil:
			return shape, burst, fmt.Errorf("arrivals: a trace is replayed with its own gaps: remove preset and burst")
		case a.Rate != 0:
			return shape, burst, fmt.Errorf("arrivals: a trace is replayed at its own rate: remove rate, and use shape.trace.speed or thin to change it")
		}
	}
	return shape, burst, nil
}

func (s *Shape) set() int {
	return countTrue(s.Constant != nil, s.Steps != nil, s.Spike != nil, s.Ramp != nil, s.Diurnal != nil, s.Curve != nil, s.Trace != nil)
}

func (b *Burst) set() int {
	return countTrue(b.Constant != nil, b.Poisson != nil, b.Gamma != nil, b.Weibull != nil, b.OnOff != nil)
}

func countTrue(set ...bool) int {
	n := 0
	for _, s := range set {
		if s {
			n++
		}
	}
	return n
}

// String says in words what the shape is. A nil or empty shape is the constant one.
func (s Shape) String() string {
	switch {
	case s.Steps != nil:
		return fmt.Sprintf("%d steps", len(s.Steps))
	case s.Spike != nil:
		return fmt.Sprintf("spike x%.4g at %v for %v", s.Spike.Factor, s.Spike.At.D(), s.Spike.For.D())
	case s.Ramp != nil:
		return fmt.Sprintf("ramp from %.4g/s to %.4g/s", float64(s.Ramp.From), float64(s.Ramp.To))
	case s.Diurnal != nil:
		return fmt.Sprintf("diurnal +-%.4g%% over %v", 100*s.Diurnal.Amplitude, s.Diurnal.Period.D())
	case s.Curve != nil:
		return s.Curve.String()
	case s.Trace != nil:
		return s.Trace.String()
	}
	return "constant rate"
}

// String says in words what is replayed, and how it is scaled.
func (t *Trace) String() string {
	text := "trace " + t.Path
	if t.Window != nil {
		text += fmt.Sprintf(", busiest %v", t.Window.Busiest.D())
	}
	if t.Dequantise {
		text += ", de-quantised"
	}
	if t.Speed != 0 && t.Speed != 1 {
		text += fmt.Sprintf(", speed %.4g", t.Speed)
	}
	if t.Thin != 0 && t.Thin != 1 {
		text += fmt.Sprintf(", thinned to %.4g", t.Thin)
	}
	if t.Superpose > 1 {
		text += fmt.Sprintf(", %d copies", t.Superpose)
	}
	return text
}

// String says in words what the burst family is.
func (b Burst) String() string {
	switch {
	case b.Constant != nil:
		return "constant gaps"
	case b.Gamma != nil:
		return fmt.Sprintf("gamma gaps of CV %.4g", b.Gamma.CV)
	case b.Weibull != nil:
		return fmt.Sprintf("Weibull gaps of CV %.4g", b.Weibull.CV)
	case b.OnOff != nil:
		return fmt.Sprintf("on for %v, off for %v", b.OnOff.On.D(), b.OnOff.Off.D())
	}
	return "Poisson"
}
