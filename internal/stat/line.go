package stat

import (
	"math"
	"slices"
)

// Line is y = Intercept + Slope x.
type Line struct{ Intercept, Slope float64 }

// At is y at x.
func (l Line) At(x float64) float64 { return l.Intercept + float64(l.Slope*x) }

// TheilSen draws a line through points (x[i], y[i]) that a few wild ones cannot move: its slope is the median of the slopes
// between any two points of different x, its intercept the median of y - slope x (Theil, 1950; Sen, 1968). residual is the
// median distance of a point from the line. Not ok where no two points differ in x. The slices are of one length.
func TheilSen(x, y []float64) (line Line, residual float64, ok bool) {
	var slopes []float64
	for i := range x {
		for j := range i {
			if x[i] != x[j] {
				slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
			}
		}
	}
	if len(slopes) == 0 {
		return Line{}, 0, false
	}
	line.Slope = median(slopes)
	rest := make([]float64, len(x))
	for i := range x {
		rest[i] = y[i] - float64(line.Slope*x[i])
	}
	line.Intercept = median(rest)
	for i := range x {
		rest[i] = math.Abs(y[i] - line.At(x[i]))
	}
	return line, median(rest), true
}

// median is the middle of values, which it puts in order; between the two in the middle where there are two.
func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
