package stat

import (
	"fmt"
	"math"
)

// Welch estimates the difference of two means, b's less a's, of independent samples whose variances may differ: Student's
// interval with the degrees of freedom of Welch and Satterthwaite (Welch, Biometrika 34, 1947). N is the smaller sample, SD
// the standard deviation that as many pairs would have had. It fails where either sample has fewer than two values, for a
// value that is not finite and for a confidence outside (0, 1).
func Welch(a, b []float64, confidence float64) (PairedEstimate, error) {
	if err := checkShare("the confidence", confidence); err != nil {
		return PairedEstimate{}, err
	}
	var m [2]Moments
	for i, v := range [][]float64{a, b} {
		if err := checkValues(v, 2); err != nil {
			return PairedEstimate{}, fmt.Errorf("sample %d: %w", i+1, err)
		}
		for _, x := range v {
			m[i].Add(x)
		}
	}
	n1, n2 := float64(len(a)), float64(len(b))
	v1, v2 := m[0].SD()*m[0].SD()/n1, m[1].SD()*m[1].SD()/n2
	e := PairedEstimate{N: min(len(a), len(b)), Mean: m[1].Mean() - m[0].Mean(), P: 1}
	e.Interval = Interval{e.Mean, e.Mean}
	se := math.Sqrt(v1 + v2)
	if math.IsNaN(se) || math.IsInf(se, 0) || math.IsInf(e.Mean, 0) {
		return PairedEstimate{}, fmt.Errorf("two samples: their spread overflows")
	}
	if se == 0 {
		return e, nil
	}
	e.SD = se * math.Sqrt(float64(e.N))
	law := studentsT(1)
	law.Nu = (v1 + v2) * (v1 + v2) / (v1*v1/(n1-1) + v2*v2/(n2-1))
	half := law.Quantile(0.5+confidence/2) * se
	e.Interval = Interval{e.Mean - half, e.Mean + half}
	e.P = min(1, 2*law.CDF(-math.Abs(e.Mean)/se))
	return e, nil
}
