package measure

import (
	"maps"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// classGaps tallies, for each traffic class of a mix, what the rows do not hold. It is empty without a mix.
type classGaps map[string]*classTally

type classTally struct{ interval, total Tally }

func (g *classGaps) add(s *Sample) error {
	if s.TrafficClass == "" {
		return nil
	}
	if *g == nil {
		*g = classGaps{}
	}
	t := (*g)[s.TrafficClass]
	if t == nil {
		t = &classTally{}
		(*g)[s.TrafficClass] = t
	}
	return t.interval.addGaps(s)
}

// flush appends the classes' intervals to the log, and begins new ones.
func (g classGaps) flush(l *histLog, tag Tag, from, to time.Time) error {
	for _, name := range slices.Sorted(maps.Keys(g)) {
		t := g[name]
		tag.Class = name
		if err := l.write(tag, from, to, &t.interval); err != nil {
			return err
		}
		if err := t.total.Merge(&t.interval); err != nil {
			return err
		}
		t.interval.Reset()
	}
	return nil
}

// totals are the exact totals by class; nil without a mix.
func (g classGaps) totals() map[string]map[workload.Metric]Totals {
	var out map[string]map[workload.Metric]Totals
	for name, t := range g {
		if out == nil {
			out = map[string]map[workload.Metric]Totals{}
		}
		out[name] = t.total.Totals()
	}
	return out
}
