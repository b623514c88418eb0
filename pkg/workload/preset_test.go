package workload

import (
	"math"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TestOnOffPresetIsLikeCode: at the mean rate of the Azure code trace while it is on, 9/s, the preset's index of dispersion
// over 60 s is that of theory, 115 to 127 with its rounded figures (measurement.md, section 3.4), and three tenths of the
// time is on.
func TestOnOffPresetIsLikeCode(t *testing.T) {
	const on, off = 17.0, 43.0
	const rate = 9 * on / (on + off)
	want := onOffIDC(on*rate, off*rate, 60*rate)
	if want < 115 || want > 127 {
		t.Errorf("theory: IDC %.1f", want)
	}
	const seeds = 40
	var idc stat.Moments
	busy, seconds := 0, 0
	for seed := range uint64(seeds) {
		s, err := NewSchedule(&Scenario{Seed: seed + 1, Phases: Phases{Measure: sec(30_000)}, Arrivals: Arrivals{Rate: rate, Preset: "on-off"}})
		if err != nil {
			t.Fatal(err)
		}
		st := s.Stats()
		idc.Add(*st.Dispersions[2].IDC)
		counts := make([]int, 30_000)
		for _, at := range s.Times {
			counts[at/time.Second]++
		}
		for _, n := range counts {
			seconds++
			if n > 0 {
				busy++
			}
		}
	}
	if off := math.Abs(idc.Mean()-want) / (idc.SD() / math.Sqrt(seeds)); off > 4 {
		t.Errorf("IDC over 60 s %.1f, want %.1f: %.1f standard errors off", idc.Mean(), want, off)
	}
	// A second is empty by chance with probability exp(-9) while on, and holds both only where a period ends.
	if share := float64(busy) / float64(seconds); share < on/(on+off)-0.02 || share > on/(on+off)+0.04 {
		t.Errorf("busy in %.3f of the seconds", share)
	}
}
