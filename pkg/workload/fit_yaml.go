package workload

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
)

// YAML writes the fitted scenario as a file, with an embedded endpoint to be replaced.
func (f *TraceFit) YAML() string {
	var b strings.Builder
	s, p := f.Scenario, f.Recorded
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Traffic like that of %s (%d requests, SHA-256 %.12s), made by `infbench trace fit`.", strings.Map(oneLine, filepath.Base(p.Path)), p.Used, p.SHA256)
	line("# CV and IDC of its schedules are off by a factor of %.2f in the mean of seeds; `infbench preview` draws one.", math.Exp(f.Distance))
	line("name: %s", s.Name)
	line("seed: %d", s.Seed)
	line("phases: {measure: %s, drain: %s}", s.Phases.Measure, s.Phases.Drain)
	line("arrivals:")
	if s.Arrivals.Rate > 0 {
		line("  rate: %s", s.Arrivals.Rate)
	}
	line("  shape:")
	if s.Arrivals.Shape.Constant != nil {
		line("    constant: {}")
	} else {
		line("    steps:")
		for _, step := range s.Arrivals.Shape.Steps {
			line("      - {for: %s, rate: %s}", step.For, step.Rate)
		}
	}
	line("  burst: %s", burstYAML(s.Arrivals.Burst))
	line("prompts:")
	line("  synthetic:")
	if syn := s.Prompts.Synthetic; len(syn.Pairs) > 0 {
		line("    pairs: # [input, output] tokens of %d recorded requests", len(syn.Pairs))
		const perLine = 10
		for i := 0; i < len(syn.Pairs); i += perLine {
			var row []string
			for _, pair := range syn.Pairs[i:min(i+perLine, len(syn.Pairs))] {
				row = append(row, fmt.Sprintf("[%d, %d]", pair[0], pair[1]))
			}
			open, end := "     ", ","
			if i == 0 {
				open = "     ["
			}
			if i+perLine >= len(syn.Pairs) {
				end = "]"
			}
			line("%s%s%s", open, strings.Join(row, ", "), end)
		}
	} else {
		line("    input: %s", lengthsYAML(syn.Input, p.Input != nil))
		line("    output: %s", lengthsYAML(syn.Output, p.Output != nil))
	}
	line("approaches: # replace it by yours")
	line("  - name: simulated")
	line("    simulate: {profile: self-hosted}")
	return b.String()
}

func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

func burstYAML(b *Burst) string {
	switch {
	case b.Gamma != nil:
		return fmt.Sprintf("{gamma: {cv: %s}}", formatFloat(b.Gamma.CV))
	case b.OnOff != nil:
		return fmt.Sprintf("{on_off: {on: %s, off: %s}}", b.OnOff.On, b.OnOff.Off)
	}
	return "{poisson: {}}"
}

func lengthsYAML(l *Lengths, recorded bool) string {
	if !recorded {
		return fmt.Sprintf("{fixed: %d} # the trace does not record it", *l.Fixed)
	}
	d := l.Lognormal
	return fmt.Sprintf("{lognormal: {median: %s, sigma: %s, max: %d}}", formatFloat(d.Median), formatFloat(d.Sigma), d.Max)
}
