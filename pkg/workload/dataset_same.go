package workload

import "slices"

// SameDatasets reports whether two lots of facts are about the same contents, file by file in the order of the scenario: by
// their SHA-256. What became of the rows is left out, for it follows from the contents and the scenario.
func SameDatasets(a, b []DatasetFacts) bool {
	return slices.EqualFunc(a, b, func(x, y DatasetFacts) bool { return x.SHA256 == y.SHA256 })
}
