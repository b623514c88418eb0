package workload

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
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
		length := phases
		if preset == presetOnOff { // a burst a minute
			length.Measure = sec(1000)
		}
		line(NewSchedule(&Scenario{Seed: 1, Phases: length, Arrivals: Arrivals{Rate: 20, Preset: preset}}))
	}
	// Long ones, so that a difference of one unit in the last place has many chances to show.
	for _, burst := range goldenFamilies() {
		line(NewSchedule(&Scenario{Seed: 1<<64 - 1, Phases: Phases{Measure: sec(86400)},
			Arrivals: Arrivals{Rate: 0.25, Burst: &burst, Shape: &Shape{Diurnal: &Diurnal{Period: sec(3600), Amplitude: 0.5}}}}))
	}
	trace := Trace{Path: "azure-2023-conv-first300.csv", Speed: 1.7, Thin: 0.8, From: ms(1500)}
	line(NewSchedule(&Scenario{Seed: 3, Dir: "testdata/traces", Phases: Phases{Measure: sec(40)}, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}}}))
	const moon = "mooncake-conversation-first60.jsonl"
	for _, trace := range []Trace{
		{Path: moon, Dequantise: true},
		{Path: moon, Dequantise: true, Superpose: 3, Window: &TraceWindow{Busiest: Duration(10 * time.Second)}, Thin: 0.7},
	} {
		line(NewSchedule(&Scenario{Seed: 3, Dir: "testdata/traces", Phases: Phases{Measure: sec(10)}, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}}}))
	}
	line(NewSchedule(&Scenario{Seed: 3, Dir: clients(t, twoClients), Phases: Phases{Measure: sec(2400)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: "."}}}}))
	curve := RateCurve{Path: "day.csv", From: ms(300_100), For: sec(2000)}
	line(NewSchedule(&Scenario{Seed: 3, Dir: curveFile(t, "0,1.7\n600,3.3\n1200,0\n1800,9.1\n2400,5\n"), Phases: phases, Arrivals: Arrivals{Rate: 20.0 / 3, Shape: &Shape{Curve: &curve}, Burst: &Burst{Gamma: &CVBurst{CV: 2}}}}))

	line(NewSchedule(mixOf(t, mixedDay)))
	line(NewSchedule(mixOf(t, mixedTraces)))

	compareLines(t, "schedules.sha256", got.String())
}

// TestPortableCurves holds the bits of every shape's rate, count and when, which rounding to nanoseconds would hide.
func TestPortableCurves(t *testing.T) {
	var got strings.Builder
	for _, shape := range goldenShapes() {
		c, err := newCurve(shape, 17, sec(10).D(), sec(100).D())
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		end, r := c.count(110), stat.Keyed(1, "curves", 0)
		var b []byte
		for range 20_000 {
			u := r.Float64()
			for _, x := range []float64{c.rate(float64(110 * u)), c.count(float64(110 * u)), c.when(float64(end * u))} {
				b = binary.LittleEndian.AppendUint64(b[:0], math.Float64bits(x))
				h.Write(b)
			}
		}
		fmt.Fprintf(&got, "%s  %s\n", hex.EncodeToString(h.Sum(nil)), shape)
	}
	for _, cv := range []float64{0.01, 0.3, 0.7, 1, 2, 5, 100} {
		fmt.Fprintf(&got, "%016x  Weibull shape of CV %g\n", math.Float64bits(weibullShape(cv)), cv)
	}
	compareLines(t, "curves.sha256", got.String())
}

// compareLines holds lines against a golden file of testdata, or rewrites it.
func compareLines(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(string(want), "\n")
	for i, g := range strings.Split(got, "\n") {
		if i >= len(wants) || g != wants[i] {
			t.Errorf("line %d of %s differs: got\n%s", i+1, path, g)
		}
	}
}
