package analyze

import (
	"fmt"
	"math"
	"testing"

	"github.com/infbench/infbench/internal/stat"
)

func TestExperimentTune(t *testing.T) {
	for _, maxP := range []float64{1e-3, 3e-4, 1e-4, 3e-5} {
		for _, mat := range []float64{0.03, 0.05} {
			line := ""
			matters := func(a, b float64) bool { return math.Abs(b-a) >= math.Log1p(mat) }
			for _, sd := range []float64{0.026, 0.03, 0.035, 0.045} {
				found := 0
				const trials = 400
				for k := range trials {
					r := stat.Keyed(uint64(k), "history", 0)
					var x []float64
					for i := range 60 {
						v := sd * r.Normal()
						if i >= 40 {
							v += math.Log(1.08)
						}
						x = append(x, v)
					}
					hit := false
					for n := 41; n <= 45 && !hit; n++ {
						for _, c := range changePoints(x[:n], maxP, matters) {
							hit = hit || c.at >= 35
						}
					}
					if hit {
						found++
					}
				}
				alarms := 0
				for k := range 20 {
					r := stat.Keyed(uint64(k), "quiet", 0)
					var x []float64
					seen := []int{}
					for i := range 365 {
						x = append(x, sd*r.Normal())
						if i < 10 {
							continue
						}
					next:
						for _, c := range changePoints(x, maxP, matters) {
							for _, s := range seen {
								if abs(s-c.at) <= 7 {
									continue next
								}
							}
							seen = append(seen, c.at)
							alarms++
						}
					}
				}
				line += " | sd " + fmtf(sd) + " found " + fmtf(float64(found)/trials) + " alarms " + fmtf(float64(alarms))
			}
			t.Logf("p %g matters %g%s", maxP, mat, line)
		}
	}
}

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}
func fmtf(v float64) string { return fmt.Sprintf("%.3g", v) }
