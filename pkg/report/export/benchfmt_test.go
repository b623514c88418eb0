package export

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// TestWholeUnits: a figure that some blocks of an approach lack is not written of any, and that is said; one that none has
// is not mentioned; other approaches keep theirs.
func TestWholeUnits(t *testing.T) {
	block := func(approach string, p99 *float64) *analyze.BlockSummary {
		return &analyze.BlockSummary{Approach: approach, Attempts: 10, OK: 10, Metrics: map[workload.Metric]*analyze.Quantiles{workload.TTFT: {P50: new(0.1), P99: p99}}}
	}
	of, notes := wholeUnits([]*analyze.BlockSummary{block("a", new(0.3)), block("b", new(0.3)), block("a", nil), block("b", new(0.4))})
	names := func(approach string) string {
		var all []string
		for _, u := range of[approach] {
			all = append(all, u.name)
		}
		return strings.Join(all, " ")
	}
	if got := names("a"); got != "ttft-p50-sec error-ratio" {
		t.Errorf("a has %q", got)
	}
	if got := names("b"); got != "ttft-p50-sec ttft-p99-sec error-ratio" {
		t.Errorf("b has %q", got)
	}
	if len(notes) != 1 || notes[0] != "ttft-p99-sec of a is left out: only 1 of 2 blocks have it" {
		t.Errorf("notes %q", notes)
	}
}
