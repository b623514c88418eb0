package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// leastSeries is the smallest number of values of DependenceOf.
const leastSeries = 20

// Dependence says how much the values of a series depend on those before them.
type Dependence struct {
	N int
	// Tau is the integrated autocorrelation time, in values: 1 for independent ones, below 1 where neighbours differ more than
	// strangers. One value in Tau counts.
	Tau float64
	// EffectiveN is how many independent values say as much of the mean: N/Tau, at most N. With fewer than some 50, Tau itself
	// is rough and too small: the series is too short to show how long it remembers.
	EffectiveN float64
	// Lags is up to which lag autocorrelations were summed.
	Lags int
}

// DependenceOf estimates the integrated autocorrelation time 1 + 2 (rho_1 + rho_2 + ...) of a series by Geyer's initial
// positive sequence (Practical Markov chain Monte Carlo, 1992, section 3.3): the autocorrelations are summed in pairs
// rho_2m + rho_2m+1 until a pair is not positive. Take the warm-up off before (MSER5). It fails below 20 values, for one that
// is not finite, and with ErrNoSpread where all are equal.
func DependenceOf(values []float64) (Dependence, error) {
	if err := checkValues(values, leastSeries); err != nil {
		return Dependence{}, fmt.Errorf("autocorrelation time: %w", err)
	}
	rho, err := autocorrelations(values)
	if err != nil {
		return Dependence{}, fmt.Errorf("autocorrelation time: %w", err)
	}
	d := Dependence{N: len(values), Tau: -1}
	for m := 0; m+1 < len(rho); m += 2 {
		pair := rho[m] + rho[m+1]
		if pair <= 0 {
			break
		}
		d.Tau += 2 * pair
		d.Lags = m + 1
	}
	d.Tau = max(d.Tau, 0) // a sum cut short of values that go back and forth
	d.EffectiveN = float64(d.N)
	if d.Tau > 1 {
		d.EffectiveN /= d.Tau
	}
	return d, nil
}

// autocorrelations are those at lags 0 to n-1, each sum divided by that of lag 0 (the biased ones, whose sequence is positive
// definite), through the Fourier transform of the values followed by as many zeros.
func autocorrelations(values []float64) ([]float64, error) {
	var m Moments
	size := 0.0
	for _, x := range values {
		m.Add(x)
		size = max(size, math.Abs(x))
	}
	// A spread of rounding errors is none.
	if !(m.SD() > 1e-12*size) {
		return nil, ErrNoSpread
	}
	length := 1
	for length < 2*len(values) {
		length *= 2
	}
	padded := make([]float64, length)
	for i, x := range values {
		// In units of the spread, so that no square overflows.
		padded[i] = (x - m.Mean()) / m.SD()
	}
	transform := fourier.NewFFT(length)
	c := transform.Coefficients(nil, padded)
	for i, z := range c {
		c[i] = complex(real(z)*real(z)+imag(z)*imag(z), 0)
	}
	sums := transform.Sequence(padded, c)[:len(values)]
	first := sums[0]
	if !(first > 0) || math.IsInf(first, 0) {
		return nil, fmt.Errorf("the values overflow")
	}
	for i := range sums {
		sums[i] /= first
	}
	return sums, nil
}

// RelaxationTime is how long a queue takes to forget, in the unit of service: service / (1-sqrt(load))^2, times
// (arrivalCV^2+serviceCV^2)/2 where the times between arrivals or those of service are not exponential (a heuristic). service
// is the mean time at the bottleneck, 1/(highest throughput); load is offered over highest throughput. A batching server is no
// such queue: it is an order of magnitude. A run of 200 of them, five times, gives a p99 whose interval holds; 60 a p95. It fails
// for a service that is not positive, a load outside 0 to 1 (at 1 a queue never settles) and a negative CV.
func RelaxationTime(service, load, arrivalCV, serviceCV float64) (float64, error) {
	switch {
	case !(service > 0) || math.IsInf(service, 0):
		return 0, fmt.Errorf("relaxation time: the time of service is %v: it must be positive and finite", service)
	case !(load >= 0 && load < 1):
		return 0, fmt.Errorf("relaxation time: the load is %v: it must be from 0 to below 1", load)
	case !(arrivalCV >= 0 && serviceCV >= 0) || math.IsInf(arrivalCV+serviceCV, 0):
		return 0, fmt.Errorf("relaxation time: coefficients of variation %v and %v: they must be finite and not negative", arrivalCV, serviceCV)
	}
	free := 1 - math.Sqrt(load)
	return service / (free * free) * (arrivalCV*arrivalCV + serviceCV*serviceCV) / 2, nil
}
