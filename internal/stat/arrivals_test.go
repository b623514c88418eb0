package stat

import (
	"math"
	"testing"
	"time"
)

func TestDisperse(t *testing.T) {
	seconds := func(s ...float64) []time.Duration {
		times := make([]time.Duration, len(s))
		for i := range s {
			times[i] = time.Duration(s[i] * 1e9)
		}
		return times
	}
	// From 100 s: one event in each of ten bins, two more in the fourth; the rest lies outside of whole bins.
	times := seconds(99.9, 100, 101.5, 102, 103, 103.2, 103.999, 104.5, 105.5, 106.5, 107.5, 108.5, 109.5, 110.1, 200)
	d := Disperse(times, 100*time.Second, 110500*time.Millisecond, time.Second)
	// Counts 1 x 9 and 3: mean 1.2, variance (9*0.04 + 3.24) / 9 = 0.4.
	if d.Bins != 10 || d.IDC == nil || math.Abs(*d.IDC-0.4/1.2) > 1e-12 || math.Abs(*d.PeakToMean-3/1.2) > 1e-12 {
		t.Errorf("%+v", d)
	}
	undefined := map[string]Dispersion{
		"nine bins":    Disperse(times, 100*time.Second, 109*time.Second, time.Second),
		"no event":     Disperse(nil, 0, 20*time.Second, time.Second),
		"no width":     Disperse(times, 0, 20*time.Second, 0),
		"turned round": Disperse(times, 20*time.Second, 0, time.Second),
	}
	for name, d := range undefined {
		if d.IDC != nil || d.PeakToMean != nil {
			t.Errorf("%s: %+v has a figure", name, d)
		}
	}
}

func TestGapCV(t *testing.T) {
	// Gaps 1, 2, 3: mean 2, standard deviation 1.
	if cv, ok := GapCV([]time.Duration{5, 6, 8, 11}); !ok || cv != 0.5 {
		t.Errorf("got %v, %v, want 0.5", cv, ok)
	}
	for _, times := range [][]time.Duration{nil, {1}, {1, 2}, {3, 3, 3, 3}} {
		if cv, ok := GapCV(times); ok {
			t.Errorf("%v has CV %v", times, cv)
		}
	}
}
