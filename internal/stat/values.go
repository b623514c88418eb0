package stat

import (
	"errors"
	"fmt"
	"math"
)

// ErrTooFew says that there are not enough values for a figure to mean anything: no figure is returned.
var ErrTooFew = errors.New("too few values")

// ErrNoSpread says that a figure is not defined because the values that it is a ratio to do not vary at all.
var ErrNoSpread = errors.New("the values do not vary")

// Interval is from Low to High, both included, in the unit of what it is an interval of.
type Interval struct{ Low, High float64 }

// Contains tells whether x lies in the interval.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// checkValues holds that there are at least so many values and that every one is finite.
func checkValues(v []float64, least int) error {
	if len(v) < least {
		return fmt.Errorf("%w: %d, at least %d are needed", ErrTooFew, len(v), least)
	}
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("value %d of %d is %v: finite values are needed", i+1, len(v), x)
		}
	}
	return nil
}

// checkShare holds that a probability lies strictly between 0 and 1, as levels of confidence and significance do.
func checkShare(name string, p float64) error {
	if !(p > 0 && p < 1) {
		return fmt.Errorf("%s is %v: it must lie between 0 and 1, both excluded", name, p)
	}
	return nil
}
