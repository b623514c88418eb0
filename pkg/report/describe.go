package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/infbench/infbench/pkg/report/internal/figure"
	"github.com/infbench/infbench/pkg/workload"
)

// publicURL is u without what could be a secret: a report is made to be passed on.
func publicURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(not a URL)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// describeArrivals says in words how requests come.
func describeArrivals(a workload.Arrivals) string {
	if c := a.ClosedLoop; c != nil {
		return fmt.Sprintf("closed loop: %d users, each thinking %s between an answer and the next request", c.Users, span(c.Think.D()))
	}
	var parts []string
	if a.Preset != "" {
		parts = append(parts, "preset "+a.Preset)
	}
	if a.Rate > 0 {
		parts = append(parts, "base rate "+perSecond(float64(a.Rate)))
	}
	if s := describeShape(a.Shape); s != "" {
		parts = append(parts, s)
	}
	if b := describeBurst(a.Burst); b != "" {
		parts = append(parts, b)
	}
	return orAbsent(strings.Join(parts, ", "))
}

func describeShape(s *workload.Shape) string {
	switch {
	case s == nil:
		return ""
	case s.Constant != nil:
		return "constant"
	case len(s.Steps) > 0:
		var steps []string
		for _, st := range s.Steps {
			steps = append(steps, perSecond(float64(st.Rate))+" for "+span(st.For.D()))
		}
		return "steps of " + strings.Join(steps, ", ")
	case s.Spike != nil:
		return fmt.Sprintf("spike of %s times the base rate for %s, %s into the measure phase", figure.Short(s.Spike.Factor), span(s.Spike.For.D()), span(s.Spike.At.D()))
	case s.Ramp != nil:
		return fmt.Sprintf("ramp from %s to %s", perSecond(float64(s.Ramp.From)), perSecond(float64(s.Ramp.To)))
	case s.Diurnal != nil:
		return fmt.Sprintf("diurnal with a period of %s and an amplitude of %s", span(s.Diurnal.Period.D()), percent(s.Diurnal.Amplitude))
	case s.Curve != nil:
		return s.Curve.String() + ", fitted into the measure phase"
	case s.Trace != nil:
		t := "trace " + s.Trace.Path
		if s.Trace.Speed > 0 && s.Trace.Speed != 1 {
			t += fmt.Sprintf(" at %s times its speed", figure.Short(s.Trace.Speed))
		}
		if s.Trace.Thin > 0 && s.Trace.Thin < 1 {
			t += ", thinned to " + percent(s.Trace.Thin)
		}
		if s.Trace.Superpose > 1 {
			t += fmt.Sprintf(", %d copies superposed", s.Trace.Superpose)
		}
		if s.Trace.Window != nil {
			t += ", its busiest " + span(s.Trace.Window.Busiest.D())
		}
		if s.Trace.Dequantise {
			t += ", coarse time stamps spread"
		}
		return t
	}
	return ""
}

func describeBurst(b *workload.Burst) string {
	switch {
	case b == nil:
		return ""
	case b.Constant != nil:
		return "evenly spaced"
	case b.Poisson != nil:
		return "Poisson"
	case b.Gamma != nil:
		return "gamma gaps with CV " + figure.Short(b.Gamma.CV)
	case b.Weibull != nil:
		return "Weibull gaps with CV " + figure.Short(b.Weibull.CV)
	case b.OnOff != nil:
		return fmt.Sprintf("on for %s, off for %s on average", span(b.OnOff.On.D()), span(b.OnOff.Off.D()))
	}
	return ""
}

// describePrompts says in words what is asked.
func describePrompts(p workload.Prompts) string {
	var parts []string
	switch {
	case p.Synthetic != nil:
		parts = append(parts, "synthetic text")
	case p.Dataset != nil:
		parts = append(parts, "rows of "+p.Dataset.Path)
	case p.Trace != nil:
		parts = append(parts, "text of the trace's lengths")
	}
	nonce := "each behind a nonce of its own, so that no cache answers by accident"
	if c := p.Shared; c != nil {
		t := fmt.Sprintf("%s shared texts (Zipf %s)", count(int64(c.Groups)), figure.Short(c.Zipf))
		if c.Documents != nil {
			t = fmt.Sprintf("texts of %s (Zipf %s)", c.Documents.Path, figure.Short(c.Zipf))
		}
		if c.Share > 0 {
			t += " before as many as make " + percent(c.Share) + " of the prompt tokens cacheable"
		}
		if p.Warm() {
			t += ", sent once in the warm-up"
		}
		parts = append(parts, t)
		nonce = "texts begin with a nonce of the run, approach and block, other prompts with one of their own"
	} else if p.Shares() {
		nonce = "behind a nonce of the run, approach and block: cold for each, whatever its requests have in common"
	}
	if !p.Nonces() {
		nonce = "sent as they are, whatever a cache makes of it"
	}
	return strings.Join(append(parts, nonce), "; ")
}

// describeLimits says what makes one request good.
func describeLimits(l workload.RequestLimits) string {
	var parts []string
	for _, p := range []struct {
		name  string
		limit workload.Duration
	}{{"TTFT", l.TTFT}, {"TTFVT", l.TTFVT}, {"TPOT", l.TPOT}, {"stall", l.Stall}, {"E2E", l.E2E}} {
		if p.limit > 0 {
			parts = append(parts, p.name+" ≤ "+span(p.limit.D()))
		}
	}
	if len(parts) == 0 {
		return "none, so there is no goodput"
	}
	return strings.Join(parts, ", ") + "; a good request meets all"
}
