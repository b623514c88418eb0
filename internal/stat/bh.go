package stat

import (
	"cmp"
	"fmt"
	"slices"
)

// BenjaminiHochberg adjusts the p-values of a family of tests, in the order given: calling every test whose adjusted value is
// at most q a finding keeps the expected share of false ones among the findings at q or below (Benjamini and Hochberg, 1995;
// for tests that are independent or positively dependent, as the percentiles of one run are, Benjamini and Yekutieli, 2001).
// The i-th smallest of m becomes min over j >= i of p(j) m/j. It fails for a p-value outside 0 to 1; no p-values give none.
func BenjaminiHochberg(p []float64) ([]float64, error) {
	order := make([]int, len(p))
	for i, x := range p {
		if !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("p-value %d of %d is %v: it must be from 0 to 1", i+1, len(p), x)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted, least := make([]float64, len(p)), 1.0
	for i := len(order) - 1; i >= 0; i-- {
		least = min(least, p[order[i]]*(float64(len(p))/float64(i+1)))
		adjusted[order[i]] = least
	}
	return adjusted, nil
}
