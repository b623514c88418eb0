package workload

import (
	"fmt"
	"math"

	"github.com/infbench/infbench/internal/stat"
)

// longest bounds a length that is drawn: beyond any context window, and small enough to build.
const longest = 10_000_000

// draw takes one length from the distribution, at least 1.
func (l *Lengths) draw(r *stat.Rand) (int, error) {
	var n int
	switch {
	case l.Fixed != nil:
		n = *l.Fixed
	case l.Uniform != nil:
		n = r.IntRange(l.Uniform.Min, l.Uniform.Max)
	case l.Lognormal != nil:
		d := l.Lognormal
		v := r.Lognormal(d.Median, d.Sigma)
		n = int(math.Round(min(v, longest)))
		n = max(n, d.Min)
		if d.Max > 0 {
			n = min(n, d.Max)
		}
	case len(l.Empirical) > 0:
		n = l.Empirical[r.IntN(len(l.Empirical))]
	default:
		return 0, fmt.Errorf("a length has no distribution: give fixed, uniform, lognormal or empirical")
	}
	return min(max(n, 1), longest), nil
}
