package analyze

import (
	"github.com/infbench/infbench/pkg/measure"
)

// Spent is what is said of datasets that were spent.
func Spent(m *measure.Manifest) []Reason {
	a := newAudit()
	a.spent(m)
	return a.reasons
}

// InferredDelays are the inferred queueing delays of a record's measured requests in seconds, by the server's name of the request.
func InferredDelays(rec *measure.Record) (map[string]float64, error) {
	folds, _, err := foldRows(rec)
	if err != nil {
		return nil, err
	}
	if err := foldQueues(rec, folds); err != nil {
		return nil, err
	}
	delays := map[string]float64{}
	err = eachRow(rec, func(s *measure.Sample) error {
		for _, f := range folds {
			if f.name != s.Approach || s.Phase != measure.Measure {
				continue
			}
			_, excess, beside := f.queue.excess(s)
			if v, ok := f.queue.inferred(excess, beside); ok {
				delay, _ := s.Sent.Sub(s.Scheduled).Get()
				delays[s.RequestID] = delay.Seconds() + v
			}
		}
		return nil
	})
	return delays, err
}
