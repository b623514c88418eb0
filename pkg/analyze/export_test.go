package analyze

import "github.com/infbench/infbench/pkg/measure"

// Spent is what is said of datasets that were spent.
func Spent(m *measure.Manifest) []Reason {
	a := newAudit()
	a.spent(m)
	return a.reasons
}
