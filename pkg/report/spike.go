package report

import (
	"fmt"
	"slices"

	"github.com/infbench/infbench/pkg/analyze"
)

// hasSpike reports a run with a spike in its rate.
func hasSpike(s *analyze.Summary) bool {
	return slices.ContainsFunc(s.Approaches, func(p analyze.ApproachSummary) bool { return p.Spike != nil })
}

// spike is the group of the main table that says what a spike did, and how long it was felt.
func (b tableBuilder) spike() group {
	g := group{title: "Spike"}
	for _, p := range b.s.Approaches {
		if s := p.Spike; s != nil {
			g.note = fmt.Sprintf("from %s to %s of the measure phase; bins of arrivals of %s; recovered: from the spike's end to the first of three bins in a row with a p95 TTFT of at most 1.1 times the baseline's; drained: until no more are in flight than before the spike",
				Seconds(s.From), Seconds(s.To), Seconds(s.Bin))
			break
		}
	}
	add := func(label string, minor bool, cellOf func(s *analyze.Spike) cell) {
		r := b.each(label, func(p *analyze.ApproachSummary) cell {
			if p.Spike == nil {
				return text(absent)
			}
			return cellOf(p.Spike)
		})
		r.minor = minor
		g.rows = append(g.rows, r)
	}
	add("baseline TTFT p95", false, func(s *analyze.Spike) cell { return text(optional(s.BaselineTTFT, Seconds)) })
	add("worst bin's TTFT p95", false, worstCell)
	add("arrives at", true, func(s *analyze.Spike) cell {
		if s.WorstBin == nil {
			return text(absent)
		}
		return text(Seconds(s.WorstBin.At))
	})
	add("requests in the spike", false, func(s *analyze.Spike) cell { return text(count(int64(s.Attempts))) })
	add("failed", true, func(s *analyze.Spike) cell { return text(count(int64(s.Failed))) })
	add("in flight, baseline", false, func(s *analyze.Spike) cell { return text(number(s.BaselineInFlight)) })
	add("in flight, peak", false, func(s *analyze.Spike) cell { return text(number(s.PeakInFlight)) })
	add("backlog area (request-s)", false, func(s *analyze.Spike) cell { return text(number(s.BacklogArea)) })
	add("recovered after", false, func(s *analyze.Spike) cell { return timeOr(s.Recovery, s.NotRecovered, "not recovered") })
	add("drained after", false, func(s *analyze.Spike) cell { return timeOr(s.Drain, s.NotDrained, "not drained") })
	add("predicted", true, func(s *analyze.Spike) cell { return timeOr(s.PredictedDrain, s.NoPrediction, "cannot tell") })
	return g
}

func worstCell(s *analyze.Spike) cell {
	switch {
	case s.WorstBin == nil:
		return text(absent)
	case s.WorstBin.TTFT == nil:
		return cell{text: inFailures, tone: bad}
	}
	return text(Seconds(*s.WorstBin.TTFT))
}

// timeOr is a time, or in short that there is none; the reason stands where there is room for it.
func timeOr(v *float64, why, short string) cell {
	if v == nil {
		return cell{text: short, tone: unsure, why: why}
	}
	return text(Seconds(*v))
}
