package report

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// TestClientLegendNamesTheLinesDrawn: a limit is in the legend where its line is in the plot.
func TestClientLegendNamesTheLinesDrawn(t *testing.T) {
	for _, most := range []float64{0.01, 1} {
		a := synthetic(1)
		for i := range a.Series {
			a.Series[i].ClientCPU = []analyze.Point{{T: 1, V: most}, {T: 2, V: most / 2}}
			a.Series[i].ClientStall = []analyze.Point{{T: 1, V: 1e-4}, {T: 2, V: 2e-4}}
		}
		s := clientPlot(a)
		lines := 0
		for _, r := range s.figure.Rows {
			for _, p := range r.Panels {
				for _, l := range p.Layers {
					if _, limit := l.(figure.Limit); limit {
						lines++
					}
				}
			}
		}
		named := ""
		for _, e := range s.figure.Legend {
			if strings.HasPrefix(e.Label, "suspect: ") {
				named = e.Label
			}
		}
		if drawn := most == 1; drawn != (lines == 1) || drawn != (named == "suspect: 70% in any 5 s") {
			t.Errorf("CPU up to %g: %d lines, legend %q", most, lines, named)
		}
	}
}
