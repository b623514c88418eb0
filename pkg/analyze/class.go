package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// ClassSummary is one traffic class of one approach over the measure phase. Its fields are those of ApproachSummary, over the
// class's requests alone; its request limits and objectives are its own.
type ClassSummary struct {
	Name          string                         `json:"name"`
	Attempts      int                            `json:"attempts"`
	OK            int                            `json:"ok"`
	Errors        map[endpoint.Class]int         `json:"errors"`
	OfferedRate   float64                        `json:"offered_rate"`
	DeliveredRate float64                        `json:"delivered_rate"`
	Metrics       map[workload.Metric]*Quantiles `json:"metrics"`
	Labels        map[workload.Metric]string     `json:"labels,omitempty"`
	Tokens        Tokens                         `json:"tokens"`
	Goodput       *Goodput                       `json:"goodput,omitempty"` // absent without request limits
	SLO           []ObjectiveResult              `json:"slo"`
	Sessions      *Sessions                      `json:"sessions,omitempty"`
}

// divide gives the fold a fold for each traffic class of the scenario.
func (f *fold) divide(s *workload.Scenario) {
	for i := range s.Mix {
		c := newFold(s.Mix[i].Name, s.ClassSLO(&s.Mix[i]).Request)
		f.judged = f.judged || c.judged
		f.mix = append(f.mix, c)
	}
}

// class is the fold of a traffic class; nil where there is none of this name.
func (f *fold) class(name string) *fold {
	if i := slices.IndexFunc(f.mix, func(c *fold) bool { return c.name == name }); i >= 0 {
		return f.mix[i]
	}
	return nil
}

// limitsOf are the limits that a request is held to: those of its class in a mix.
func (f *fold) limitsOf(s *measure.Sample) workload.RequestLimits {
	if c := f.class(s.TrafficClass); c != nil {
		return c.limits
	}
	return f.limits
}

// addGaps merges what the record holds in histograms alone: of all requests of a block, and of each class.
func (f *fold) addGaps(rec *measure.Record, tag measure.Tag) error {
	for _, tag.Metric = range []workload.Metric{workload.ITL, workload.ChunkGap, workload.ReadLag} {
		if h := rec.Gaps[tag]; h != nil {
			if err := f.tally.Hist(tag.Metric).Merge(h); err != nil {
				return err
			}
		}
	}
	for _, c := range f.mix {
		tag.Class = c.name
		if err := c.addGaps(rec, tag); err != nil {
			return err
		}
	}
	return nil
}

// classSummaries are the classes' parts of summary.json; nil without a mix.
func (f *fold) classSummaries(s *workload.Scenario, floor *measure.NoiseFloor) ([]ClassSummary, error) {
	var all []ClassSummary
	for i, c := range f.mix {
		a, err := c.summary(s.ClassSLO(&s.Mix[i]), floor)
		if err != nil {
			return nil, err
		}
		all = append(all, ClassSummary{Name: a.Name, Attempts: a.Attempts, OK: a.OK, Errors: a.Errors, OfferedRate: a.OfferedRate, DeliveredRate: a.DeliveredRate,
			Metrics: a.Metrics, Labels: a.Labels, Tokens: a.Tokens, Goodput: a.Goodput, SLO: a.SLO, Sessions: a.Sessions})
	}
	return all, nil
}

// classes says which traffic classes have too few requests of their own.
func (a *audit) classes(f *fold) {
	var few []string
	for _, c := range f.mix {
		if n := int64(c.attempts); n < tailSize(0.99) {
			few = append(few, fmt.Sprintf("%s %d", c.name, n))
		}
	}
	if len(few) > 0 && int64(f.attempts) >= tailSize(0.99) { // else it is said of all requests
		a.add(Valid, "few_samples", "%s: single classes have too few attempts for a p99 of their own (needs %d), which is left out: %s", f.name, tailSize(0.99), strings.Join(few, ", "))
	}
}
