package stat

import (
	"fmt"
	"math"
)

// McNemarTest holds the two-sided p-values of "A and B are right equally often" on the same items.
type McNemarTest struct {
	// Exact is 2 P(X <= min(b, c)) with X binomial(b+c, 1/2), at most 1. It errs on the side of no difference.
	Exact float64
	// MidP is Exact less P(X = min(b, c)): its error rate is nearer to its level (Fagerland, Lydersen and Laake, 2013).
	MidP float64
}

// McNemar tests pairs by those that differ alone: b items that A has right and B wrong, c the other way round (McNemar,
// 1947). It fails for a negative count and where no pair differs: then there is nothing to test.
func McNemar(b, c int) (McNemarTest, error) {
	if b < 0 || c < 0 {
		return McNemarTest{}, fmt.Errorf("discordant pairs %d and %d: a count cannot be negative", b, c)
	}
	if b+c == 0 {
		return McNemarTest{}, fmt.Errorf("no discordant pair: %w", ErrTooFew)
	}
	n, k := b+c, min(b, c)
	tail := binomialAtMost(n, 0.5, k)
	point := tail - binomialAtMost(n, 0.5, k-1)
	t := McNemarTest{Exact: min(1, 2*tail), MidP: 2*tail - point}
	if b == c {
		// The observed split is the middle one of all: X <= min and X >= max share it.
		t.MidP = 1 - point/2
	}
	t.MidP = math.Min(t.MidP, 1)
	return t, nil
}
