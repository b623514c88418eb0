package analyze

import (
	"math"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/measure"
)

// viewRows lets each block's view of the client see its rows. A record without telemetry is not read again.
func viewRows(rec *measure.Record, blocks []*serverBlock) error {
	if len(blocks) == 0 {
		return nil
	}
	byIndex := map[int]*serverBlock{}
	for _, b := range blocks {
		byIndex[b.Index] = b
	}
	return eachRow(rec, func(s *measure.Sample) error {
		if b := byIndex[s.Block]; b != nil {
			b.client.add(s)
		}
		return nil
	})
}

// serverWidth is the width of the bins of an approach's server series, in seconds: no narrower than its scrapes lie apart.
func serverWidth(m *measure.Manifest, approach string, width float64) float64 {
	for _, a := range m.Scenario.Approaches {
		if a.Name == approach && a.Telemetry != nil {
			return max(width, a.Telemetry.Every().Seconds())
		}
	}
	return width
}

// serverSeries are the gauges over time. A bin without a scrape is missing: the line breaks there.
func serverSeries(blocks []*serverBlock, approach string, width float64) map[string][]Bin {
	sums, counts := map[string]map[int]float64{}, map[string]map[int]float64{}
	last := 0
	for _, b := range blocks {
		if b.Approach != approach {
			continue
		}
		for _, l := range b.scrapes {
			bin := int(math.Floor(middleOf(l).Seconds() / width))
			if bin < 0 {
				continue
			}
			last = max(last, bin)
			for name, v := range l.Values {
				if !isGauge(name) {
					continue
				}
				if sums[name] == nil {
					sums[name], counts[name] = map[int]float64{}, map[int]float64{}
				}
				sums[name][bin] += v
				counts[name][bin]++
			}
		}
	}
	if len(sums) == 0 {
		return nil
	}
	out := map[string][]Bin{}
	for _, q := range telemetry.Quantities() {
		for i := 0; i <= last && sums[q.Name] != nil; i++ {
			if n := counts[q.Name][i]; n > 0 {
				out[q.Name] = append(out[q.Name], Bin{T: float64(i) * width, V: sums[q.Name][i] / n})
			}
		}
	}
	return out
}
