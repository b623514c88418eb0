package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawBurst is any valid burst family.
func drawBurst(t *rapid.T) Burst {
	cv := &CVBurst{CV: rapid.Float64Range(minCV, maxCV).Draw(t, "cv")}
	switch rapid.SampledFrom([]string{"constant", "poisson", "gamma", "weibull", "on_off"}).Draw(t, "burst") {
	case "constant":
		return Burst{Constant: &ConstantBurst{}}
	case "gamma":
		return Burst{Gamma: cv}
	case "weibull":
		return Burst{Weibull: cv}
	case "on_off":
		return Burst{OnOff: &OnOff{On: ms(rapid.IntRange(1, 1e5).Draw(t, "on")), Off: ms(rapid.IntRange(1, 1e5).Draw(t, "off"))}}
	}
	return Burst{Poisson: &PoissonBurst{}}
}

// TestScheduleProperties: whatever the scenario, arrivals are ascending and within the block, the same seed gives the
// same schedule, the shards of any n are disjoint and together the whole, and nothing arrives where the rate is 0.
func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		measure := rapid.IntRange(1, 20).Draw(t, "measure")
		shape, burst := drawShape(t, measure), drawBurst(t)
		sc := &Scenario{Seed: rapid.Uint64().Draw(t, "seed"), Phases: Phases{Warmup: sec(rapid.IntRange(0, 5).Draw(t, "warmup")), Measure: sec(measure)},
			Arrivals: Arrivals{Rate: Rate(rapid.Float64Range(0.1, 100).Draw(t, "rate")), Shape: &shape, Burst: &burst}}
		s, err := NewSchedule(sc)
		if err != nil {
			if strings.Contains(err.Error(), "nothing arrives") || strings.Contains(err.Error(), "asks for 0 arrivals") {
				t.Skip()
			}
			t.Fatal(err)
		}
		if !s.Open || !slices.IsSorted(s.Times) || s.Times[0] < 0 || s.Times[len(s.Times)-1] >= sc.Phases.Horizon().D() {
			t.Fatalf("open %v, %d arrivals from %v to %v of %v", s.Open, len(s.Times), s.Times[0], s.Times[len(s.Times)-1], sc.Phases.Horizon().D())
		}
		again, err := NewSchedule(sc)
		if err != nil || !slices.Equal(s.Times, again.Times) || s.SHA256() != again.SHA256() {
			t.Fatalf("made again, the schedule differs (%v)", err)
		}
		for _, at := range s.Times {
			// Seams and edges may round either way by a nanosecond.
			if s.Rate(at) == 0 && s.Rate(at-time.Nanosecond) == 0 && s.Rate(at+time.Nanosecond) == 0 {
				t.Fatalf("an arrival at %v, where the rate is 0", at)
			}
		}

		n := rapid.IntRange(1, 20).Draw(t, "n")
		seen := make([]int, len(s.Times))
		for i := range n {
			indices, err := s.Shard(i, n)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(indices) {
				t.Fatalf("shard %d of %d is not ascending", i, n)
			}
			for _, k := range indices {
				seen[k]++
				if k%n != i {
					t.Fatalf("index %d is in shard %d of %d", k, i, n)
				}
			}
		}
		for k, times := range seen {
			if times != 1 {
				t.Fatalf("index %d is in %d of %d shards", k, times, n)
			}
		}
	})
}

func TestShardErrors(t *testing.T) {
	s := &Schedule{}
	for _, c := range [][2]int{{-1, 2}, {2, 2}, {0, 0}, {0, -1}} {
		if _, err := s.Shard(c[0], c[1]); err == nil {
			t.Errorf("shard %d of %d is no error", c[0], c[1])
		}
	}
}

// TestSeedsDiffer: another seed is another schedule, for every family, the evenly spaced one included.
func TestSeedsDiffer(t *testing.T) {
	for _, burst := range goldenFamilies() {
		digests := map[string]bool{}
		for seed := range uint64(20) {
			s, err := NewSchedule(&Scenario{Seed: seed, Phases: Phases{Measure: sec(100)}, Arrivals: Arrivals{Rate: 10, Burst: &burst}})
			if err != nil {
				t.Fatal(err)
			}
			digests[s.SHA256()] = true
		}
		if len(digests) != 20 {
			t.Errorf("%s: 20 seeds give %d schedules", burst, len(digests))
		}
	}
}

// TestRateKeepsTheStream: twice the rate uses the same random numbers, so that two rates can be compared arrival by
// arrival: every time is halved.
func TestRateKeepsTheStream(t *testing.T) {
	make := func(rate Rate, measure Duration) []time.Duration {
		s, err := NewSchedule(&Scenario{Seed: 9, Phases: Phases{Measure: measure}, Arrivals: Arrivals{Rate: rate, Preset: "bursty"}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Times
	}
	slow, fast := make(10, sec(200)), make(20, sec(100))
	if len(slow) != len(fast) {
		t.Fatalf("%d and %d arrivals", len(slow), len(fast))
	}
	for i := range slow {
		if d := slow[i] - 2*fast[i]; d < -2 || d > 2 {
			t.Fatalf("arrival %d is at %v and %v", i, slow[i], fast[i])
		}
	}
}

func TestSHA256IsOfLittleEndianNanoseconds(t *testing.T) {
	s := &Schedule{Open: true, Times: []time.Duration{1, 256, 1<<40 + 2}}
	sum := sha256.Sum256([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0})
	if got, want := s.SHA256(), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Many arrivals, so that the buffer is written more than once.
	long := &Schedule{Open: true, Times: make([]time.Duration, 5000)}
	sum = sha256.Sum256(make([]byte, 8*5000))
	if got, want := long.SHA256(), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWarmupAndWindows: the warm-up runs at the shape's first rate, and times in a shape start at the measure phase.
func TestWarmupAndWindows(t *testing.T) {
	phases := Phases{Warmup: sec(10), Measure: sec(50)}
	cases := []struct {
		name    string
		a       Arrivals
		rates   map[time.Duration]float64 // in seconds of the block
		windows []Window
	}{
		{"steps", Arrivals{Shape: &Shape{Steps: []Step{{For: sec(20), Rate: 4}, {Rate: 8}}}},
			map[time.Duration]float64{0: 4, 9: 4, 10: 4, 29: 4, 30: 8, 59: 8, 60: 0, -1: 0}, nil},
		{"spike", Arrivals{Rate: 5, Shape: &Shape{Spike: &Spike{At: sec(5), For: sec(10), Factor: 4, Edge: sec(2)}}},
			map[time.Duration]float64{0: 5, 14: 5, 16: 12.5, 17: 20, 22: 20, 24: 12.5, 25: 5, 59: 5},
			[]Window{{"spike", 15 * time.Second, 25 * time.Second}}},
		{"spike at once", Arrivals{Rate: 5, Shape: &Shape{Spike: &Spike{For: sec(10), Factor: 4}}},
			map[time.Duration]float64{0: 5, 9: 5, 10: 20, 19: 20, 20: 5}, []Window{{"spike", 10 * time.Second, 20 * time.Second}}},
		{"spike preset", Arrivals{Rate: 5, Preset: "spike"},
			map[time.Duration]float64{0: 5, 29: 5, 30: 15, 39: 15, 40: 5}, []Window{{"spike", 30 * time.Second, 40 * time.Second}}},
		{"ramp preset", Arrivals{Rate: 50, Preset: "ramp"}, map[time.Duration]float64{0: 5, 10: 5, 35: 32.5, 59: 58.9}, nil},
		{"diurnal preset", Arrivals{Rate: 8, Preset: "diurnal"}, map[time.Duration]float64{0: 8, 10: 8, 35: 8, 47: 8 * (1 + 0.25*math.Sin(2*math.Pi*37/50))}, nil},
		{"on-off preset", Arrivals{Rate: 8, Preset: "on-off"}, map[time.Duration]float64{0: 8, 59: 8}, nil},
		{"preset, but another spike", Arrivals{Rate: 5, Preset: "spike", Shape: &Shape{Spike: &Spike{At: sec(1), For: sec(2), Factor: 10}}},
			map[time.Duration]float64{10: 5, 11: 50, 12: 50, 13: 5, 35: 5}, []Window{{"spike", 11 * time.Second, 13 * time.Second}}},
		{"ramp", Arrivals{Shape: &Shape{Ramp: &Ramp{From: 10, To: 60}}}, map[time.Duration]float64{0: 10, 10: 10, 20: 20, 50: 50}, nil},
		{"diurnal", Arrivals{Rate: 10, Shape: &Shape{Diurnal: &Diurnal{Period: sec(40), Amplitude: 0.5, Phase: sec(10)}}},
			map[time.Duration]float64{0: 5, 9: 5, 10: 5, 20: 10, 30: 15, 40: 10, 50: 5}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := NewSchedule(&Scenario{Phases: phases, Arrivals: c.a})
			if err != nil {
				t.Fatal(err)
			}
			for at, want := range c.rates {
				if got := s.Rate(at * time.Second); math.Abs(got-want) > 1e-9 {
					t.Errorf("rate at %ds is %g, want %g", at, got, want)
				}
			}
			if got := s.Windows(); !slices.Equal(got, c.windows) {
				t.Errorf("windows %v, want %v", got, c.windows)
			}
		})
	}
}

// TestPresets: what each preset stands for, and that what is written out wins over it.
func TestPresets(t *testing.T) {
	gamma := Burst{Gamma: &CVBurst{CV: 4}}
	cases := []struct {
		a    Arrivals
		want string
	}{
		{Arrivals{Rate: 9}, "9/s, constant rate, Poisson"},
		{Arrivals{Rate: 9, Preset: "steady"}, "9/s, constant rate, Poisson"},
		{Arrivals{Rate: 9, Preset: "bursty"}, "9/s, constant rate, gamma gaps of CV 2"},
		{Arrivals{Rate: 9, Preset: "spike"}, "9/s, spike x3 at 40s for 20s, Poisson"},
		{Arrivals{Rate: 9, Preset: "on-off"}, "9/s, constant rate, on for 17s, off for 43s"},
		{Arrivals{Rate: 9, Preset: "ramp"}, "9/s, ramp from 0.9/s to 10.8/s, Poisson"},
		{Arrivals{Rate: 9, Preset: "diurnal"}, "9/s, diurnal +-25% over 1m40s, Poisson"},
		{Arrivals{Rate: 9, Preset: "diurnal", Burst: &Burst{OnOff: &OnOff{On: sec(17), Off: sec(43)}}}, "9/s, diurnal +-25% over 1m40s, on for 17s, off for 43s"},
		{Arrivals{Rate: 9, Preset: "spike", Burst: &gamma}, "9/s, spike x3 at 40s for 20s, gamma gaps of CV 4"},
		{Arrivals{Preset: "bursty", Shape: &Shape{Ramp: &Ramp{From: 1, To: 5}}}, "ramp from 1/s to 5/s, gamma gaps of CV 2"},
	}
	for _, c := range cases {
		s, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(100)}, Arrivals: c.a})
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
		} else if s.String() != c.want {
			t.Errorf("got %q, want %q", s, c.want)
		}
	}
}

// TestOnOffBase: on and off periods have their lengths at the base rate; without one, at the mean rate of the shape.
func TestOnOffBase(t *testing.T) {
	burst := Burst{OnOff: &OnOff{On: sec(1), Off: sec(3)}}
	make := func(a Arrivals) *Schedule {
		a.Burst = &burst
		s, err := NewSchedule(&Scenario{Phases: Phases{Warmup: sec(100), Measure: sec(1000)}, Arrivals: a})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ramp := &Shape{Ramp: &Ramp{From: 10, To: 30}}
	if make(Arrivals{Shape: ramp}).SHA256() != make(Arrivals{Rate: 20, Shape: ramp}).SHA256() {
		t.Error("the base of a ramp from 10/s to 30/s is not 20/s")
	}
	if make(Arrivals{Shape: ramp}).SHA256() == make(Arrivals{Rate: 21, Shape: ramp}).SHA256() {
		t.Error("the base rate has no effect")
	}
	// At a constant rate a gap longer than 0.5 s is an off period or a part of one: about one in 4 s.
	s := make(Arrivals{Rate: 100})
	long := 0
	for i := 1; i < len(s.Times); i++ {
		if s.Times[i]-s.Times[i-1] > 500*time.Millisecond {
			long++
		}
	}
	// 275 cycles are expected; an off period is longer than 0.5 s with chance e^(-1/6) = 0.85.
	if long < 180 || long > 290 {
		t.Errorf("%d gaps of more than 0.5 s in 1100 s, want about 233", long)
	}
}

func TestClosedLoopHasNoSchedule(t *testing.T) {
	s, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(10)}, Arrivals: Arrivals{ClosedLoop: &ClosedLoop{Users: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if s.Open || len(s.Times) != 0 || s.SHA256() != "" || s.Rate(sec(1).D()) != 0 || len(s.Windows()) != 0 || st.Arrivals != 0 || st.CV != nil {
		t.Errorf("a closed loop has a schedule: %+v, %+v", s, st)
	}
}

func TestPhaseErrors(t *testing.T) {
	for _, p := range []Phases{{}, {Measure: -1}, {Warmup: -1, Measure: sec(1)}, {Warmup: math.MaxInt64, Measure: sec(1)}} {
		if _, err := NewSchedule(&Scenario{Phases: p, Arrivals: Arrivals{Rate: 1}}); err == nil {
			t.Errorf("phases %v are no error", p)
		}
	}
}

// TestStats holds the figures against ones worked out by hand.
func TestStats(t *testing.T) {
	s := &Schedule{Open: true, Phases: Phases{Measure: sec(20)}}
	for i := range 20 { // second i has i mod 2 * 2 arrivals: 0, 2, 0, 2, ...
		if i%2 == 1 {
			s.Times = append(s.Times, sec(i).D(), sec(i).D()+500*time.Millisecond)
		}
	}
	st := s.Stats()
	if st.Arrivals != 20 || st.Rate != 1 {
		t.Errorf("%d arrivals at %g/s, want 20 at 1/s", st.Arrivals, st.Rate)
	}
	// Ten gaps of 0.5 s and nine of 1.5 s: mean 18.5/19 s.
	mean := 18.5 / 19
	cv := math.Sqrt((10*(0.5-mean)*(0.5-mean)+9*(1.5-mean)*(1.5-mean))/18) / mean
	if st.CV == nil || math.Abs(*st.CV-cv) > 1e-12 {
		t.Errorf("CV %v, want %g", st.CV, cv)
	}
	second := st.Dispersions[0]
	// Counts 0 and 2, ten each: mean 1, variance 20/19.
	if second.Width != time.Second || second.Bins != 20 || math.Abs(*second.IDC-20.0/19) > 1e-12 || *second.PeakToMean != 2 {
		t.Errorf("by the second: %+v, IDC %g, peak/mean %g", second, *second.IDC, *second.PeakToMean)
	}
	if ten := st.Dispersions[1]; ten.Bins != 2 || ten.IDC != nil || ten.PeakToMean != nil {
		t.Errorf("an IDC of two bins: %+v", ten)
	}
	if half := s.StatsBetween(sec(10).D(), sec(13).D()); half.Arrivals != 2 || half.CV != nil || half.Rate != 2.0/3 {
		t.Errorf("from 10 s to 13 s: %+v", half)
	}
}
