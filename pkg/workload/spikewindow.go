package workload

import "time"

// SpikeWindow is where the rate of a scenario is at its one peak.
type SpikeWindow struct {
	// From and To bound the peak, in time since the start of the measure phase.
	From, To time.Duration
	// Baseline is the rate before it, in requests per second.
	Baseline float64
}

// SpikeWindow finds the spike of an open-loop scenario without a mix: that of the spike shape, or the one step that is higher
// than all others, with a lower one before and behind it. It is false where there is none.
func (s *Scenario) SpikeWindow() (SpikeWindow, bool) {
	shape := s.Arrivals.Shape
	switch {
	case len(s.Mix) > 0 || s.Arrivals.ClosedLoop != nil || shape == nil:
	case shape.Spike != nil:
		p := shape.Spike
		return SpikeWindow{From: p.At.D(), To: p.At.D() + p.For.D(), Baseline: float64(s.Arrivals.Rate)}, p.Factor > 1 && p.At > 0 && p.At.D()+p.For.D() < s.Phases.Measure.D()
	case shape.Steps != nil:
		return stepSpike(shape.Steps, s.Phases.Measure.D())
	}
	return SpikeWindow{}, false
}

func stepSpike(steps []Step, measure time.Duration) (SpikeWindow, bool) {
	var w SpikeWindow
	var at, before time.Duration
	var top, second Rate
	var sent float64 // requests due before the step
	peak := -1
	for i, st := range steps {
		if st.Rate > top {
			second, top, peak = top, st.Rate, i
			w = SpikeWindow{From: at, To: at + st.For.D()}
			before = at
			if at > 0 {
				w.Baseline = sent / before.Seconds()
			}
		} else {
			second = max(second, st.Rate)
		}
		at += st.For.D()
		sent += float64(st.Rate) * st.For.D().Seconds()
	}
	return w, peak > 0 && peak < len(steps)-1 && top > second && w.To < measure
}
