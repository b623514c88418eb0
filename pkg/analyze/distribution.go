package analyze

import (
	"fmt"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Distribution is one metric of one approach over the measure phase of all its blocks: what its percentiles are read from.
type Distribution struct {
	Approach string
	Metric   workload.Metric
	// Hist holds the values of the successes, and is never empty.
	Hist *measure.Hist
	// Failures are attempts that count as slower than every value; 0 for a metric whose percentiles are of the requests that
	// have it.
	Failures int64
}

// ValueAt is the value at quantile q, 0 < q <= 1, in seconds: as in Quantiles, but however few requests stand behind it. It
// reports false where the quantile lies among the failures.
func (d *Distribution) ValueAt(q float64) (float64, bool) {
	v, ok := d.Hist.ValueAtRank(rank(q, d.Hist.Count()+d.Failures))
	return v.Seconds(), ok
}

// Distributions lists every metric that an approach has, in the order of reports.
func Distributions(rec *measure.Record) ([]Distribution, error) {
	if rec.Manifest.Scenario == nil {
		return nil, fmt.Errorf("%s: the manifest holds no scenario", rec.Dir)
	}
	folds, _, err := foldRows(rec)
	if err != nil {
		return nil, err
	}
	var all []Distribution
	for _, f := range folds {
		for _, m := range workload.Metrics() {
			h := f.tally.Hist(m)
			if h.Count() == 0 {
				continue
			}
			d := Distribution{Approach: f.name, Metric: m, Hist: h}
			if overAttempts(m) {
				d.Failures = int64(f.failures())
			}
			all = append(all, d)
		}
	}
	return all, nil
}
