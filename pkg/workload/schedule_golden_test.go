package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenFamilies has every burst family, with gamma shapes on both sides of 1 (two algorithms).
func goldenFamilies() []Burst {
	return []Burst{
		{Constant: &ConstantBurst{}},
		{Poisson: &PoissonBurst{}},
		{Gamma: &CVBurst{CV: 0.5}},
		{Gamma: &CVBurst{CV: 2}},
		{Weibull: &CVBurst{CV: 0.7}},
		{Weibull: &CVBurst{CV: 3}},
		{OnOff: &OnOff{On: sec(2), Off: sec(5)}},
	}
}

func goldenShapes() []Shape {
	return []Shape{
		{Constant: &ConstantShape{}},
		{Steps: []Step{{For: sec(40), Rate: 7}, {For: sec(20)}, {Rate: 33}}},
		{Spike: &Spike{At: sec(40), For: sec(20), Factor: 3, Edge: ms(2500)}},
		{Ramp: &Ramp{From: 1.0 / 3, To: 40}},
		{Ramp: &Ramp{From: 40, To: 0}},
		{Diurnal: &Diurnal{Period: sec(37), Amplitude: 0.9, Phase: sec(11)}},
	}
}

// TestGoldenSchedules holds the digest of a schedule of every family and shape against a file. The file is the same on
// every machine: scripts/test-portable runs this test as 386, arm64 and amd64 with fused multiply-add.
func TestGoldenSchedules(t *testing.T) {
	var got strings.Builder
	line := func(s *Schedule, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %5d  %s\n", s.SHA256(), len(s.Times), s)
	}
	phases := Phases{Warmup: sec(10), Measure: sec(100)}
	for _, burst := range goldenFamilies() {
		for _, shape := range goldenShapes() {
			line(NewSchedule(&Scenario{Seed: 42, Phases: phases, Arrivals: Arrivals{Rate: 17, Shape: &shape, Burst: &burst}}))
		}
	}
	for _, preset := range presetNames {
		line(NewSchedule(&Scenario{Seed: 1, Phases: phases, Arrivals: Arrivals{Rate: 20, Preset: preset}}))
	}
	// Long ones, so that a difference of one unit in the last place has many chances to show.
	for _, burst := range goldenFamilies() {
		line(NewSchedule(&Scenario{Seed: 1<<64 - 1, Phases: Phases{Measure: sec(86400)},
			Arrivals: Arrivals{Rate: 0.25, Burst: &burst, Shape: &Shape{Diurnal: &Diurnal{Period: sec(3600), Amplitude: 0.5}}}}))
	}
	trace := Trace{Path: "azure-2023-conv-first300.csv", Speed: 1.7, Thin: 0.8, From: ms(1500)}
	line(NewSchedule(&Scenario{Seed: 3, Dir: "testdata/traces", Phases: Phases{Measure: sec(40)}, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}}}))

	path := filepath.Join("testdata", "schedules.sha256")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(string(want), "\n")
	for i, g := range strings.Split(got.String(), "\n") {
		if i >= len(wants) || g != wants[i] {
			t.Errorf("line %d of %s differs: got\n%s", i+1, path, g)
		}
	}
}
