package analyze_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// presetScenario runs a preset over a server that holds every prefix, with four tenths of the prompt tokens shared.
const presetScenario = `
name: preset
seed: 11
phases: {warmup: 10s, measure: %gs, drain: 60s}
arrivals: {preset: %s, rate: %g/s}
prompts:
  synthetic: {input: {lognormal: {median: 100, sigma: 0.5}}, output: {uniform: {min: 1, max: 5}}}
  shared: {groups: 15, zipf: 1, tokens: {fixed: 320}, share: 0.4}
approaches:
  - name: one
    simulate: {slots: 1000, overhead: 1ms, prefill_per_token: 1ns, decode_step: 1ms, prefix_cache_tokens: 10000000}
`

// TestPresetsAreSentByTheirLaw holds what the record says was sent against the laws that the presets stand for, and not
// against the schedule: the rate in every tenth of the measure phase, the CV of the gaps, the dispersion of the counts, the
// quantiles of the lengths, and the share that came from the prefix cache.
func TestPresetsAreSentByTheirLaw(t *testing.T) {
	if raceDetector {
		t.Skip("the same paths run in other tests; arithmetic is slow here")
	}
	const (
		day     = 400.0
		on, off = 17.0, 43.0
		codeIDC = 1 + 2*2*(on+off)/on*off/(on+off)*on*off/(on+off) // at 2/s, over a long time (measurement.md, section 3.3)
	)
	flat := func(float64) float64 { return 1 }
	for name, p := range map[string]struct {
		rate, measure float64
		shape         func(x float64) float64 // the rate over the base rate, at a part x of the measure phase
		cv            float64                 // 0: the rate changes, which is in the CV of the gaps as well
		idc           float64                 // of the counts over a tenth of the measure phase, for the error of each
	}{
		"steady": {4, day, flat, 1, 1},
		"bursty": {4, day, flat, 2, 4}, // the IDC of a renewal process grows towards CV^2
		"spike": {3, day, func(x float64) float64 {
			if x >= 0.4 && x < 0.6 {
				return 3
			}
			return 1
		}, 0, 1},
		"on-off":  {2, 1200, flat, 0, codeIDC},
		"ramp":    {5, day, func(x float64) float64 { return 0.1 + 1.1*x }, 0, 1},
		"diurnal": {4, day, func(x float64) float64 { return 1 + 0.25*math.Sin(2*math.Pi*x) }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, rec := play(t, fmt.Sprintf(presetScenario, p.measure, name, p.rate), nil)
				w := an.Summary.Workload
				b := &w.Sent[0]
				times, inputs, outputs := sentRows(t, rec)
				n := float64(len(times))
				for k := range 10 {
					got, want := 0.0, 0.0
					for _, at := range times {
						if x := (at.Seconds() - 10) / p.measure; x >= float64(k)/10 && x < float64(k+1)/10 {
							got++
						}
					}
					for i := range 1000 {
						want += p.rate * p.measure / 10 / 1000 * p.shape((float64(k)+(float64(i)+0.5)/1000)/10)
					}
					if math.Abs(got-want) > 4*math.Sqrt(want*p.idc) {
						t.Errorf("tenth %d: %g sent, the law has %.1f", k, got, want)
					}
				}
				if p.cv > 0 && math.Abs(b.CV.Value-p.cv) > 4*p.cv*p.cv/math.Sqrt(n) {
					t.Errorf("CV %v, want %g", *b.CV, p.cv)
				}
				if name == "steady" {
					for _, d := range b.IDC {
						if bins := p.measure / d.Seconds; math.Abs(d.Value-1) > 4*math.Sqrt(2/bins) {
							t.Errorf("IDC %+v, want 1", d)
						}
					}
				}
				if name == "on-off" {
					onOff(t, times)
				}
				quantiles(t, inputs, n, func(q float64) float64 { return 100 * math.Exp(0.5*math.Sqrt2*math.Erfinv(2*q-1)) })
				mean := 0.0
				for _, o := range outputs {
					mean += float64(o) / n
				}
				if math.Abs(mean-3) > 4*math.Sqrt2/math.Sqrt(n) { // uniform over 1..5 has variance 2
					t.Errorf("mean output %.3f, want 3", mean)
				}
				if math.Abs(*b.CacheableShare-0.4) > 0.01 || math.Abs(*b.CachedShare-*b.CacheableShare) > 1e-9 || len(b.Differences) > 0 {
					t.Errorf("%.4f cacheable, want 0.4, %.4f cached; %+v", *b.CacheableShare, *b.CachedShare, b.Differences)
				}
			})
		})
	}
}

// onOff holds the seconds of an on-off process at 2/s against its law: 17 of 60 hold requests, 7.06/s of them, so that one of
// those is empty by chance once in a thousand times.
func onOff(t *testing.T, times []time.Duration) {
	t.Helper()
	const seconds, on = 1200, 17.0 / 60
	counts := make([]int, seconds)
	for _, at := range times {
		counts[int(at.Seconds()-10)]++
	}
	busy, periods := 0, 0
	for i, n := range counts {
		if n > 0 {
			busy++
			if i > 0 && counts[i-1] == 0 {
				periods++
			}
		}
	}
	// The share of time that is on has the variance 2 r (1-r) tau / T with tau = 17*43/60 s.
	se := math.Sqrt(2 * on * (1 - on) * 17 * 43 / 60 / seconds)
	if got := float64(busy) / seconds; math.Abs(got-on) > 4*se || periods < 8 || periods > 36 {
		t.Errorf("%.3f of the time is on, want %.3f +- %.3f; %d periods in 20 min", got, on, se, periods)
	}
}

// sentRows are the rows of the measure phase: when each was sent, how much of its prompt is its own, and what it asks for.
func sentRows(t *testing.T, rec *measure.Record) (times []time.Duration, inputs, outputs []int) {
	t.Helper()
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if s.Phase != measure.Measure {
			continue
		}
		at, ok := s.Sent.Get()
		if !ok || !s.OK() {
			t.Fatalf("request %d: %s", s.Index, s.Error)
		}
		own := s.AskedInput
		if own > 320 && s.Cacheable == 320 {
			own -= 320
		}
		times, inputs, outputs = append(times, at), append(inputs, own), append(outputs, *s.OutputTokens)
	}
	return times, inputs, outputs
}

// quantiles holds lengths against a law: of n values, n q lie below its q-quantile, give or take four standard errors. A
// group's first request, whose shared text cannot be told from its own, is one of 15 among hundreds.
func quantiles(t *testing.T, lengths []int, n float64, law func(q float64) float64) {
	t.Helper()
	for _, q := range []float64{0.1, 0.5, 0.9} {
		below := 0.0
		for _, l := range lengths {
			if float64(l) <= law(q) {
				below++
			}
		}
		if math.Abs(below-n*q) > 4*math.Sqrt(n*q*(1-q))+15 {
			slices.Sort(lengths)
			t.Errorf("%g of %g lengths are below the law's %g-quantile of %.1f; it is %d", below, n, q, law(q), lengths[int(q*n)])
		}
	}
}
