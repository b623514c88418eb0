package analyze

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// minute is a scenario of one minute without a warm-up.
func minute() *workload.Scenario {
	return &workload.Scenario{Phases: workload.Phases{Measure: workload.Duration(time.Minute)}}
}

// evenly are n requests a minute, evenly spaced, of these TTFTs.
func evenly(n int, ttft func(i int) float64) []measure.Sample {
	stamp := func(s float64) measure.Stamp { return measure.At(time.Duration(s * 1e9)) }
	rows := make([]measure.Sample, n)
	for i := range rows {
		at := 60 * (float64(i) + 0.5) / float64(n)
		d := ttft(i)
		rows[i] = measure.Sample{Index: i, Class: endpoint.OK, Phase: measure.Measure, Scheduled: stamp(at), FirstToken: stamp(at + d), Done: stamp(at + d + 0.1)}
	}
	return rows
}

func judged(rows []measure.Sample, s *workload.Scenario) steadyBlock {
	f := newSteadyFold(&measure.BlockRecord{State: measure.Complete, Attempts: len(rows)}, s)
	for i := range rows {
		f.add(&rows[i])
	}
	return f.out
}

// autoregressive is a series whose integrated autocorrelation time is (1+a)/(1-a).
func autoregressive(seed uint64, a float64) func(int) float64 {
	r, x := stat.Keyed(seed, "autoregressive", 0), 0.0
	return func(int) float64 {
		x = a*x + math.Sqrt(1-a*a)*r.Normal()
		return 1 + 0.1*x
	}
}

// TestSteadyEffectiveN: the effective number of requests is that of the closed form, whether each has a bin of its own or a bin
// is the mean of a batch.
func TestSteadyEffectiveN(t *testing.T) {
	for _, n := range []int{12_000, 200_000, 1_500_000} {
		for _, a := range []float64{0, 0.5, 0.9} {
			b := judged(evenly(n, autoregressive(uint64(n), a)), minute())
			want := float64(n) * (1 - a) / (1 + a)
			if b.n != n || b.effective < 0.8*want || b.effective > 1.2*want {
				t.Errorf("n %d, correlation %g: effective n %.0f, want about %.0f", n, a, b.effective, want)
			}
			if b.cold || b.saturated {
				t.Errorf("n %d, correlation %g: %+v", n, a, b)
			}
		}
	}
}

// TestSteadyOrder: rows come in the order in which requests end, and say the same.
func TestSteadyOrder(t *testing.T) {
	rows, s := queueCase{"", 0.1, 1200, 1, 0.1, 3}.rows(1)
	want := judged(rows, s)
	if !want.cold || want.ratio < 2.5 || want.ratio > 3.5 {
		t.Fatalf("%+v", want)
	}
	byEnd := slices.Clone(rows)
	slices.SortFunc(byEnd, func(x, y measure.Sample) int { d, _ := x.Done.Sub(y.Done).Get(); return int(d) })
	got := judged(byEnd, s)
	// Means are summed in another order.
	if math.Abs(got.effective/want.effective-1) > 1e-9 || math.Abs(got.ratio/want.ratio-1) > 1e-9 || got.settled != want.settled {
		t.Errorf("in the order of the ends %+v, of the arrivals %+v", got, want)
	}
	slow := rows[1200/10+108] // the first request behind the slow ones
	at, _ := slow.Scheduled.Get()
	if math.Abs(want.settled-at.Seconds()) > 0.05*s.Phases.Measure.D().Seconds() {
		t.Errorf("settled at second %.1f, truth %.1f", want.settled, at.Seconds())
	}
}

// TestSteadyIsNotJudged: what is too short, was cut short or does not vary gives no finding and no figure from nothing.
func TestSteadyIsNotJudged(t *testing.T) {
	random := autoregressive(3, 0)
	if st := steadyOf([]steadyBlock{judged(evenly(49, random), minute())}, minute()); st != nil {
		t.Errorf("49 requests: %+v", st)
	}
	f := newSteadyFold(&measure.BlockRecord{State: measure.Interrupted, Attempts: 100}, minute())
	for _, s := range evenly(100, random) {
		f.add(&s)
	}
	if f.finish(); f.out.n != 0 {
		t.Errorf("a block that was cut short: %+v", f.out)
	}
	if b := judged(evenly(100, func(int) float64 { return 1 }), minute()); b.cold || b.saturated || b.effective != 100 {
		t.Errorf("equal values: %+v", b)
	}
	failed := evenly(100, random)
	for i := range failed {
		failed[i].Class = endpoint.RateLimited
	}
	if b := judged(failed, minute()); b.n != 0 {
		t.Errorf("failures: %+v", b)
	}
	if b := judged(evenly(400, func(i int) float64 { return map[bool]float64{true: 30, false: random(i)}[i == 0] }), minute()); b.cold {
		t.Errorf("one slow request at the start: %+v", b)
	}
}

// TestSteadyPause: a server that stands still for a while within the phase, and serves as before, was warm.
func TestSteadyPause(t *testing.T) {
	random := autoregressive(5, 0)
	pause := func(i int) float64 {
		if i >= 200 && i < 400 {
			return random(i) + float64(400-i)/20
		}
		return random(i)
	}
	if b := judged(evenly(1200, pause), minute()); b.cold {
		t.Errorf("%+v", b)
	}
}

// overload are the rows of a minute in which the queue grows.
func overload() []measure.Sample {
	r := stat.Keyed(1, "overload", 0)
	return evenly(600, func(i int) float64 { return 0.5 + 0.03*float64(i) + 0.2*r.Float64() })
}

// TestSteadyClosedLoop: users wait for their answers, so no queue can grow.
func TestSteadyClosedLoop(t *testing.T) {
	if b := judged(overload(), minute()); !b.saturated {
		t.Fatalf("an open loop: %+v", b)
	}
	s := minute()
	s.Arrivals.ClosedLoop = &workload.ClosedLoop{Users: 4}
	if b := judged(overload(), s); b.saturated {
		t.Errorf("%+v", b)
	}
}

// TestSteadyVaries: a load that changes on purpose is not the endpoint's; one that is constant in the mean is judged.
func TestSteadyVaries(t *testing.T) {
	at := func(text string) *workload.Scenario {
		s, err := workload.Parse([]byte("name: x\nphases: {measure: 60s}\nprompts: {synthetic: {input: {fixed: 1}, output: {fixed: 1}}}\napproaches: [{name: a, simulate: {profile: edge}}]\narrivals: "+text+"\n"), "x.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for text, want := range map[string]string{
		"{rate: 1/s}":                                                 "",
		"{rate: 1/s, preset: steady}":                                 "",
		"{rate: 1/s, preset: bursty}":                                 "",
		"{rate: 1/s, burst: {on_off: {on: 1s, off: 2s}}}":             "",
		"{closed_loop: {users: 3}}":                                   "",
		"{rate: 1/s, preset: spike}":                                  "a spike",
		"{rate: 1/s, preset: ramp}":                                   "a ramp",
		"{rate: 1/s, preset: diurnal}":                                "a day",
		"{rate: 1/s, preset: on-off}":                                 "1 cycles: 20",
		"{rate: 1/s, burst: {on_off: {on: 2s, off: 2s}}}":             "15 cycles: 20",
		"{shape: {steps: [{for: 1s, rate: 2/s}]}}":                    "steps",
		"{rate: 1/s, shape: {spike: {at: 1s, for: 1s, factor: 2}}}":   "a spike",
		"{rate: 1/s, shape: {diurnal: {period: 9s, amplitude: 0.2}}}": "a day",
		"{preset: bursty, shape: {ramp: {from: 1/s, to: 2/s}}}":       "a ramp",
	} {
		switch got := varies(at(text)); {
		case want == "" && got != "", want != "" && !strings.Contains(got, want):
			t.Errorf("%s: %q, want %q", text, got, want)
		case want != "":
			if st := steadyOf([]steadyBlock{judged(overload(), minute())}, at(text)); st.NotJudged == "" || st.OverSaturated != nil || st.WarmUp != nil || st.EffectiveN != nil {
				t.Errorf("%s: %+v", text, st)
			}
		}
	}
	s := at("{rate: 1/s}")
	s.Mix = []workload.TrafficClass{{Name: "batch", Arrivals: &workload.Arrivals{Preset: "ramp"}}}
	if got := varies(s); !strings.Contains(got, "a ramp (traffic class batch)") {
		t.Errorf("%q", got)
	}
}

// TestSteadyOverBlocks: a start that is slow in one of several blocks counts where it is the first, and a trend in half of them.
func TestSteadyOverBlocks(t *testing.T) {
	even := steadyBlock{n: 100, seconds: 60, effective: 50}
	cold, grows := even, even
	cold.cold, cold.ratio, cold.settled, cold.settles = true, 2, 12, true
	grows.saturated, grows.offeredRate, grows.servedRate, grows.slower = true, 10, 8, 4
	for name, tt := range map[string]struct {
		blocks           []steadyBlock
		short, saturated int
	}{
		"the first is cold":    {[]steadyBlock{cold, even, even, even}, 1, 0},
		"another is":           {[]steadyBlock{even, cold, even, even}, 0, 0},
		"half are":             {[]steadyBlock{even, cold, even, cold}, 2, 0},
		"one grows":            {[]steadyBlock{grows, even, even}, 0, 0},
		"half grow":            {[]steadyBlock{grows, even}, 0, 1},
		"growth beats a start": {[]steadyBlock{grows, cold}, 0, 1},
	} {
		st := steadyOf(tt.blocks, minute())
		short, saturated := 0, 0
		if st.WarmUp != nil {
			short = st.WarmUp.Blocks
		}
		if st.OverSaturated != nil {
			saturated = st.OverSaturated.Blocks
		}
		if short != tt.short || saturated != tt.saturated {
			t.Errorf("%s: short in %d blocks, over-saturated in %d; want %d, %d", name, short, saturated, tt.short, tt.saturated)
		}
		if n := float64(len(tt.blocks)); *st.EffectiveN != 50*n || *st.RunLength != 50 || *st.Tau != 2 || math.Abs(*st.RelaxationSeconds-1.2) > 1e-12 {
			t.Errorf("%s: %v effective, %v long, tau %v, %v s", name, *st.EffectiveN, *st.RunLength, *st.Tau, *st.RelaxationSeconds)
		}
	}
}

// TestSteadyAdvice: the texts hold the figures that help.
func TestSteadyAdvice(t *testing.T) {
	s := minute()
	reasons := func(st *Steady) string {
		a := newAudit()
		f := &fold{name: "x", ok: 1000, steady: st}
		a.steady(f, s)
		var text []string
		for _, r := range a.reasons {
			text = append(text, r.Verdict+" "+r.Code+": "+r.Text)
		}
		return strings.Join(text, "\n")
	}
	few := steadyOf([]steadyBlock{{n: 1000, seconds: 60, effective: 250}}, s)
	few.few(&Quantiles{P50: new(1.0), P90: new(1.0), P95: new(1.0), P99: new(1.0)})
	if !slices.Equal(few.Few, []string{"p99"}) || math.Abs(*few.NeededSeconds-240) > 1e-9 {
		t.Errorf("%v, %v", few.Few, *few.NeededSeconds)
	}
	grows := &Steady{Blocks: 1, OverSaturated: &OverSaturation{Blocks: 1, OfferedRate: 10, ServedRate: 8, Growth: 120, Slower: 37.24}}
	cold := &Steady{Blocks: 3, WarmUp: &ShortWarmUp{Blocks: 2, Seconds: 7.21, Ratio: 3, Settled: true}}
	for want, got := range map[string]string{
		"valid few_effective: x: its TTFTs depend on those before (one in 4 counts), so 1000 say as much as 250 independent ones, and fewer than ten of these lie beyond p99: another run may find another value. About 5 blocks of this length would do (--blocks 5)":                                                                                                                                   reasons(few),
		"suspect over_saturated: x: more came in than was served: 10 requests/s were offered and 8/s answered, 120 more were in flight at the end than at the start, and TTFT rose by a factor of 37.2. Its latencies depend on how long one measured, and 8/s is what it can do at most. For latencies, offer 6.4/s or less, for 39m or longer (200 relaxation times of a queue at that load: a guide)": reasons(grows),
		"suspect warm_up_short: x: it had not settled when the measure phase began: until second 7.21 its TTFTs were 3 times as slow as later on (the typical one, MSER-5), in 2 of 3 blocks. Make phases.warmup at least 7.3s (it is 0s)":                                                                                                                                                               reasons(cold),
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	for s, want := range map[float64]string{0: "0s", 0.0123: "0.013s", 5: "5s", 59.1: "60s", 119: "2m", 601: "11m", 7000: "117m", 7100: "119m", 7201: "3h"} {
		if got := roundUp(s); got != want {
			t.Errorf("roundUp(%v) is %s, want %s", s, got, want)
		}
	}
	if got := lengthAdvice(1000, 60); got != "About 17 blocks of this length would do (--blocks 17), or 5 of 4m" {
		t.Error(got)
	}
}
