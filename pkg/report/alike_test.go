package report

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// An A/A difference below the noise floor is no difference: the table says so, in place of leaving two figures to be
// compared.
func TestDifferencesBelowTheNoiseFloor(t *testing.T) {
	approach := func(name string, ttft float64) analyze.ApproachSummary {
		return analyze.ApproachSummary{Name: name, Metrics: map[workload.Metric]*analyze.Quantiles{workload.TTFT: {N: 100, P50: &ttft}}}
	}
	s := &analyze.Summary{Approaches: []analyze.ApproachSummary{approach("a", 0.1), approach("again", 0.10004), approach("slower", 0.1002)}}
	cells := func() (texts []string) {
		r := tableBuilder{s}.metric(workload.TTFT, "TTFT", "p50")[0]
		for _, c := range r.cells {
			texts = append(texts, c.text)
		}
		return texts
	}
	if got := strings.Join(cells(), " | "); strings.Contains(got, "≈") {
		t.Errorf("without a noise floor: %s", got)
	}
	s.Client.NoiseFloor = &measure.NoiseFloor{TTFT: 0.0001}
	if got := cells(); !strings.HasPrefix(got[0], "≈ ") || !strings.HasPrefix(got[1], "≈ ") || strings.Contains(got[2], "≈") {
		t.Errorf("%q", got)
	}
	if notes := strings.Join(legendNotes(comparison(s)), "\n"); !strings.Contains(notes, "no difference was measured") {
		t.Errorf("the mark is not explained: %s", notes)
	}
}
