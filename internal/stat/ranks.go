package stat

import (
	"cmp"
	"slices"
)

// midranks are the ranks of the values, from 1, equal ones sharing the mean of theirs; and how many values each group of equal
// ones holds, ascending.
func midranks(v []float64) (ranks []float64, groups []int) {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	ranks = make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = float64(i+1+j) / 2
		}
		groups = append(groups, j-i)
		i = j
	}
	return ranks, groups
}
