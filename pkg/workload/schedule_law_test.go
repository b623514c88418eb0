package workload

import (
	"fmt"
	"math"
	"testing"
	"time"

	"gonum.org/v1/gonum/mathext"

	"github.com/infbench/infbench/internal/stat"
)

// The laws of the burst families, computed here by other means than the code under test: closed forms where there are
// any (package math and gonum, not internal/stat), a numerical solution of the renewal equation for Weibull gaps.

// lawWidth is the width of the bins, in mean gaps, at which the index of dispersion is compared.
const lawWidth = 10

// family is a burst family with what theory says of it: the CV of its gaps and its IDC at lawWidth. seeds is how
// many schedules are averaged, so that 2% is at least three standard errors (which is checked).
type family struct {
	name    string
	burst   Burst
	cv, idc float64
	seeds   int
}

// families are at a base rate of 100/s: on and off periods of 50 ms are 5 mean gaps each.
func families() []family {
	const half, two = 0.5, 2.0
	k := weibullShapeOf(two)
	return []family{
		{"constant", Burst{Constant: &ConstantBurst{}}, 0, 0, 2},
		{"poisson", Burst{Poisson: &PoissonBurst{}}, 1, 1, 6},
		{"gamma CV 0.5", Burst{Gamma: &CVBurst{CV: half}}, half, gammaIDC(half, lawWidth), 6},
		{"gamma CV 2", Burst{Gamma: &CVBurst{CV: two}}, two, gammaIDC(two, lawWidth), 14},
		{"weibull CV 2", Burst{Weibull: &CVBurst{CV: two}}, two, renewalIDC(weibullCDF(k), lawWidth), 24},
		{"on-off", Burst{OnOff: &OnOff{On: ms(50), Off: ms(50)}}, onOffCV(5, 5), onOffIDC(5, 5, lawWidth), 14},
	}
}

// gammaIDC is Var N(t) / t of a stationary renewal process with unit-mean gamma gaps. For any such process
// Var N(t) = t - t^2 + 2 int_0^t M, with M the mean count after an arrival: M(s) = sum over n of P(S_n <= s); and
// the integral of P(S_n <= s) is E(t - S_n)+, a closed form for gamma sums.
func gammaIDC(cv, t float64) float64 {
	k, scale := 1/(cv*cv), cv*cv
	x := t / scale
	variance := t - t*t
	for n := 1; ; n++ {
		shape := float64(n) * k
		term := t*mathext.GammaIncReg(shape, x) - shape*scale*mathext.GammaIncReg(shape+1, x)
		variance += 2 * term
		if float64(n) > t && term < 1e-12 {
			return variance / t
		}
	}
}

// renewalIDC is the same for gaps of any distribution of mean 1: M solves M(s) = F(s) + int M(s-x) dF(x), on a grid
// by the midpoint rule (Xie, "On the solution of renewal-type integral equations", 1989).
func renewalIDC(cdf func(float64) float64, t float64) float64 {
	const n = 4000
	h := t / n
	at := make([]float64, 2*n+1) // F on half steps
	for i := range at {
		at[i] = cdf(float64(i) * h / 2)
	}
	m := make([]float64, n+1)
	var integral float64
	for i := 1; i <= n; i++ {
		sum := at[2*i]
		for j := 1; j < i; j++ {
			sum += (at[2*(i-j)+1] - at[2*(i-j)-1]) * m[j]
		}
		m[i] = sum / (1 - at[1]) // the last half step of the integral holds M(s_i) itself
		integral += h * (m[i] + m[i-1]) / 2
	}
	return (t - t*t + 2*integral) / t
}

func weibullCV(k float64) float64 {
	g := math.Gamma(1 + 1/k)
	return math.Sqrt(math.Gamma(1+2/k)/(g*g) - 1)
}

// weibullShapeOf finds the shape of a CV by walking down, which is slow, simple and not how the code does it.
func weibullShapeOf(cv float64) float64 {
	k := 3.0
	for step := 1.0; step > 1e-12; step /= 10 {
		for weibullCV(k-step) < cv && k > step {
			k -= step
		}
	}
	return k
}

func weibullCDF(k float64) func(float64) float64 {
	g := math.Gamma(1 + 1/k)
	return func(x float64) float64 { return -math.Expm1(-math.Pow(x*g, k)) }
}

// onOffCV is that of an interrupted Poisson process of mean rate 1 with these mean periods: its gaps are
// hyperexponential, CV^2 = 1 + 2 rate w1 / (w1+w2)^2 with w1 = 1/on, w2 = 1/off (Kuczura 1973).
func onOffCV(on, off float64) float64 {
	rate, w1, w2 := (on+off)/on, 1/on, 1/off
	return math.Sqrt(1 + 2*rate*w1/((w1+w2)*(w1+w2)))
}

// onOffIDC is that of a two-state Markov-modulated Poisson process with one rate 0 (Fischer and
// Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", 1993).
func onOffIDC(on, off, t float64) float64 {
	rate, w1, w2 := (on+off)/on, 1/on, 1/off
	w := w1 + w2
	return 1 + 2*rate*rate*w1*w2/(w*w*rate*w2)*(1-(1-math.Exp(-w*t))/(w*t))
}

// TestTheory holds the theory of this file against itself where two ways lead to the same figure.
func TestTheory(t *testing.T) {
	near := func(name string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*want) {
			t.Errorf("%s: %.5f, want %.5f", name, got, want)
		}
	}
	near("Poisson as gamma", gammaIDC(1, 10), 1, 1e-9)
	near("gamma CV 2 by the renewal equation",
		renewalIDC(func(x float64) float64 { return mathext.GammaIncReg(0.25, x/4) }, 10), gammaIDC(2, 10), 5e-3)
	near("gamma CV 2 over a long time", gammaIDC(2, 2000), 4, 5e-3) // the IDC of a renewal process tends to CV^2
	near("on-off over a long time", onOffIDC(5, 5, 1e6), 6, 1e-3)   // it is a renewal process too
	near("on-off CV", onOffCV(5, 5), math.Sqrt(6), 1e-9)
	// Published figures: the table of measurement.md section 3.3.
	for k, cv := range map[float64]float64{0.3: 5.41, 0.4: 3.14, 0.5: 2.24, 0.6: 1.76, 0.8: 1.26, 1: 1} {
		near(fmt.Sprintf("Weibull shape %g", k), weibullCV(k), cv, 5e-3)
		near(fmt.Sprintf("shape of Weibull CV %g", cv), weibullShape(weibullCV(k)), k, 1e-9)
	}
}

// shapeCase is a rate shape at a base rate of 100/s, and the same curve once more, written down by hand.
type shapeCase struct {
	name  string
	shape Shape
	rate  func(t float64) float64 // t in seconds since the measure phase began
}

const (
	lawWarmup  = 100
	lawMeasure = 900
)

func shapeCases() []shapeCase {
	return []shapeCase{
		{"constant", Shape{Constant: &ConstantShape{}}, func(float64) float64 { return 100 }},
		{"steps", Shape{Steps: []Step{{For: sec(300), Rate: 50}, {For: sec(200), Rate: 200}, {Rate: 90}}},
			func(t float64) float64 {
				switch {
				case t < 300:
					return 50
				case t < 500:
					return 200
				}
				return 90
			}},
		{"spike", Shape{Spike: &Spike{At: sec(300), For: sec(200), Factor: 3, Edge: sec(50)}},
			func(t float64) float64 {
				edge := min(t-300, 500-t) / 50
				return 100 * (1 + 2*min(max(edge, 0), 1))
			}},
		{"ramp", Shape{Ramp: &Ramp{From: 20, To: 180}}, func(t float64) float64 { return 20 + 160*t/lawMeasure }},
		{"diurnal", Shape{Diurnal: &Diurnal{Period: sec(400), Amplitude: 0.5, Phase: sec(50)}},
			func(t float64) float64 { return 100 * (1 + 0.5*math.Sin(2*math.Pi*(t-50)/400)) }},
	}
}

// integral of the rate over [from, to) of the block, by Simpson's rule on steps that meet every seam of the shapes.
func (c shapeCase) integral(from, to float64) float64 {
	rate := func(t float64) float64 { return c.rate(max(t-lawWarmup, 0)) }
	const h = 0.5
	var sum float64
	for t := from; t < to-h/2; t += h {
		sum += h / 6 * (rate(t) + 4*rate(t+h/2) + rate(math.Nextafter(t+h, 0)))
	}
	return sum
}

// TestLaws draws about 10^5 arrivals per seed of every family through every shape, and compares with theory within 2%:
//
//   - the rate, in real time, over the whole and in each tenth of the block;
//   - CV and IDC in operational time, u = L(t), in which the shape is undone: there they are the family's own whatever
//     the shape is (in real time a changing rate adds to both, which is no property of the family). For the constant
//     shape operational time is real time but for the unit.
//
// Figures are means over fixed seeds. That 2% is three standard errors or more is checked too, so that a pass means
// something.
func TestLaws(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("draws 3*10^7 arrivals, on one goroutine each")
	}
	for _, f := range families() {
		for _, c := range shapeCases() {
			t.Run(f.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				checkLaw(t, f, c)
			})
		}
	}
}

func checkLaw(t *testing.T, f family, c shapeCase) {
	const tenth = (lawWarmup + lawMeasure) / 10
	var cv, idc, total estimate
	var tenths [10]estimate
	for seed := range f.seeds {
		s, err := NewSchedule(&Scenario{Seed: uint64(seed), Phases: Phases{Warmup: sec(lawWarmup), Measure: sec(lawMeasure)},
			Arrivals: Arrivals{Rate: 100, Shape: &c.shape, Burst: &f.burst}})
		if err != nil {
			t.Fatal(err)
		}
		operational := make([]time.Duration, len(s.Times))
		for i, at := range s.Times {
			operational[i] = nanoseconds(s.curve.count(seconds(at)))
		}
		v, _ := stat.GapCV(operational)
		cv.add(v)
		end := nanoseconds(s.curve.count(lawWarmup + lawMeasure))
		idc.add(*stat.Disperse(operational, 0, end, lawWidth*time.Second).IDC)
		total.add(float64(len(s.Times)))
		for i := range tenths {
			tenths[i].add(float64(len(s.between(sec(i*tenth).D(), sec((i+1)*tenth).D()))))
		}
	}
	cv.check(t, "CV", f.cv)
	idc.check(t, "IDC", f.idc)
	total.check(t, "arrivals", c.integral(0, lawWarmup+lawMeasure))
	for i := range tenths {
		// A tenth holds few arrivals: what is checked is within 2%, or three standard errors where these are more.
		want := c.integral(float64(i*tenth), float64((i+1)*tenth))
		if mean, se := tenths[i].mean(), tenths[i].standardError(); math.Abs(mean-want) > max(0.02*want, 3*se) || se > 0.02*want {
			t.Errorf("tenth %d has %.0f arrivals +- %.0f, want %.0f", i, mean, se, want)
		}
	}
}

// estimate is a sample of one figure over seeds.
type estimate []float64

func (e *estimate) add(x float64) { *e = append(*e, x) }

func (e estimate) mean() float64 {
	var sum float64
	for _, x := range e {
		sum += x
	}
	return sum / float64(len(e))
}

func (e estimate) standardError() float64 {
	mean, sum := e.mean(), 0.0
	for _, x := range e {
		sum += (x - mean) * (x - mean)
	}
	n := float64(len(e))
	return math.Sqrt(sum / (n - 1) / n)
}

// check holds the mean against theory, within 2%, and 2% against three standard errors. A figure that is 0 in theory
// may be off by what rounding to nanoseconds does.
func (e estimate) check(t *testing.T, name string, want float64) {
	t.Helper()
	mean, se := e.mean(), e.standardError()
	t.Logf("%s %.5f +- %.5f, theory %.5f", name, mean, se, want)
	if math.Abs(mean-want) > max(0.02*want, 1e-3) {
		t.Errorf("%s is %.5f +- %.5f, want %.5f", name, mean, se, want)
	}
	if 3*se > max(0.02*want, 1e-3) {
		t.Errorf("%s: three standard errors are %.5f, more than 2%% of %.5f: average over more seeds", name, 3*se, want)
	}
}

// TestEquilibriumStart: from the block's first moment on, arrivals come at the rate asked for. Begun with an ordinary
// gap, gamma CV 4 would have 11.2 arrivals in the first 5 s at 1/s instead of 5.
func TestEquilibriumStart(t *testing.T) {
	cases := []struct {
		name  string
		burst Burst
	}{
		{"constant", Burst{Constant: &ConstantBurst{}}},
		{"poisson", Burst{Poisson: &PoissonBurst{}}},
		{"gamma CV 4", Burst{Gamma: &CVBurst{CV: 4}}},
		{"gamma CV 0.3", Burst{Gamma: &CVBurst{CV: 0.3}}},
		{"weibull CV 4", Burst{Weibull: &CVBurst{CV: 4}}},
		{"weibull CV 0.3", Burst{Weibull: &CVBurst{CV: 0.3}}},
		{"on-off", Burst{OnOff: &OnOff{On: sec(3), Off: sec(12)}}},
	}
	const horizon, n = 5, 40_000
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			family, err := newGaps(c.burst, 1)
			if err != nil {
				t.Fatal(err)
			}
			line, err := newCurve(Shape{Constant: &ConstantShape{}}, 1, 0, horizon*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			var perSecond [horizon]float64
			var sum, squares float64
			for i := range uint64(n) {
				times, err := draw(line, family, stat.Keyed(1, c.name, i), horizon, horizon*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				for _, at := range times {
					perSecond[at/time.Second]++
				}
				sum += float64(len(times))
				squares += float64(len(times) * len(times))
			}
			mean := sum / n
			se := math.Sqrt((squares/n - mean*mean) / n)
			t.Logf("%.3f +- %.3f arrivals in 5 s; %.0f per second", mean, se, perSecond)
			if math.Abs(mean-horizon) > 4*se+1e-9 {
				t.Errorf("%.3f +- %.3f arrivals in the first 5 s at 1/s, want 5", mean, se)
			}
			// The first second alone has as many as any: within four of its standard errors, which are at most the
			// whole's.
			if first := perSecond[0] / n; math.Abs(first-1) > 4*se+0.01 {
				t.Errorf("%.3f arrivals in the first second at 1/s", first)
			}
		})
	}
}

func sec(n int) Duration { return Duration(n) * Duration(time.Second) }
func ms(n int) Duration  { return Duration(n) * Duration(time.Millisecond) }
