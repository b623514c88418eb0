package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PairedEstimate is the mean of the differences of pairs, with Student's interval. Of log ratios r = ln(B/A), Ratio and
// RatioInterval are the ratio B/A.
type PairedEstimate struct {
	N    int     // pairs: blocks
	Mean float64 // of the differences
	SD   float64 // of the sample, with N-1
	// Interval is Mean ± t SD/sqrt(N), with the quantile t of Student's law of N-1 degrees of freedom. It is the point Mean
	// where SD is 0: then all pairs gave the same, and the interval says nothing of another day.
	Interval Interval
	// P is the two-sided p-value of "no difference", of the same t. Where SD is 0, t is not defined: P is then that of the
	// sign flips, 2^(1-N), and 1 where the mean is 0 too.
	P float64
}

// Ratio is exp(Mean).
func (e PairedEstimate) Ratio() float64 { return math.Exp(e.Mean) }

// RatioInterval is the interval of Ratio: exp of both ends.
func (e PairedEstimate) RatioInterval() Interval {
	return Interval{math.Exp(e.Interval.Low), math.Exp(e.Interval.High)}
}

// Paired estimates the mean of the differences r, one of each block (Student, 1908). It fails below two blocks, for a value
// that is not finite and for a confidence outside (0, 1).
func Paired(r []float64, confidence float64) (PairedEstimate, error) {
	if err := checkShare("the confidence", confidence); err != nil {
		return PairedEstimate{}, err
	}
	if err := checkValues(r, 2); err != nil {
		return PairedEstimate{}, fmt.Errorf("paired differences: %w", err)
	}
	var m Moments
	for _, x := range r {
		m.Add(x)
	}
	e := PairedEstimate{N: len(r), Mean: m.Mean(), SD: m.SD(), P: 1}
	if math.IsInf(e.SD, 0) || math.IsInf(e.Mean, 0) || math.IsNaN(e.SD) {
		return PairedEstimate{}, fmt.Errorf("paired differences: their spread overflows")
	}
	se := e.SD / math.Sqrt(float64(e.N))
	law := studentsT(e.N - 1)
	half := law.Quantile(0.5+confidence/2) * se
	e.Interval = Interval{e.Mean - half, e.Mean + half}
	switch {
	case se > 0:
		e.P = min(1, 2*law.CDF(-math.Abs(e.Mean)/se))
	case e.Mean != 0:
		e.P = math.Ldexp(1, 1-e.N)
	}
	return e, nil
}

func studentsT(df int) distuv.StudentsT { return distuv.StudentsT{Sigma: 1, Nu: float64(df)} }
