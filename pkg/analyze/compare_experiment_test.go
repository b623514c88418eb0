package analyze

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// The experiments measure the error rates of compare on servers whose truth is known: queues of several slots, whose
// requests have lengths of their own and whose service has noise of its own, in virtual time. Each is seeded and prints its
// table (go test ./pkg/analyze -run Experiment -v); docs/compare.md has the last one.

// slots are those of the simulated server.
const slots = 8

// traffic is what both arms of a round get: when requests come, and how long they are.
type traffic struct{ at, length []float64 }

// trafficOf draws Poisson arrivals at a load, and lognormal lengths of mean 1.
func trafficOf(seed uint64, round, n int, load float64) traffic {
	r := stat.Keyed(seed, "experiment traffic", uint64(round))
	var t traffic
	const sigma = 0.8
	for at := 0.0; len(t.at) < n; {
		at += r.Exp() / (load * slots)
		t.at, t.length = append(t.at, at), append(t.length, r.Lognormal(math.Exp(-sigma*sigma/2), sigma))
	}
	return t
}

type freeAt []float64

func (h freeAt) Len() int           { return len(h) }
func (h freeAt) Less(i, j int) bool { return h[i] < h[j] }
func (h freeAt) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *freeAt) Push(x any)        { *h = append(*h, x.(float64)) }
func (h *freeAt) Pop() any          { panic("never") }

// serve puts the traffic through a server of several slots, first come first served: each request waits for a slot and then
// takes a tenth of its service for the first token. Decode is how much slower than usual the rest goes. It gives the TTFT and
// the E2E of the requests behind the first tenth, which is the warm-up.
func serve(t traffic, noise *stat.Rand, decode float64) (ttft, e2e []float64) {
	free := make(freeAt, slots)
	for i, at := range t.at {
		begin := max(at, free[0])
		service := t.length[i] * noise.Lognormal(1, 0.1)
		first := begin + 0.1*service
		end := first + 0.9*service*decode
		free[0] = end
		heap.Fix(&free, 0)
		if i >= len(t.at)/10 {
			ttft, e2e = append(ttft, first-at), append(e2e, end-at)
		}
	}
	return ttft, e2e
}

func at(sorted []float64, q float64) *float64 {
	return new(sorted[int(math.Ceil(q*float64(len(sorted))))-1])
}

func quantilesIn(v []float64) *Quantiles {
	slices.Sort(v)
	return &Quantiles{P50: at(v, 0.5), P90: at(v, 0.9), P95: at(v, 0.95), P99: at(v, 0.99)}
}

// experimentArms are two arms of so many blocks. Shared: both get the same traffic in each round.
func experimentArms(seed uint64, blocks, requests int, load, decode float64, shared bool) (a, b *Arm) {
	a, b = armOf("a", 1, make([]float64, blocks)...), armOf("b", 1, make([]float64, blocks)...)
	for round := range blocks {
		for k, arm := range []*Arm{a, b} {
			of := trafficOf(seed, round, requests, load)
			if !shared && k == 1 {
				of = trafficOf(seed+1<<32, round, requests, load)
			}
			slower := 1.0
			if k == 1 {
				slower = decode
			}
			ttft, e2e := serve(of, stat.Keyed(seed, "experiment noise "+arm.Name, uint64(round)), slower)
			arm.Blocks[round].Metrics = map[workload.Metric]*Quantiles{workload.TTFT: quantilesIn(ttft), workload.E2E: quantilesIn(e2e)}
		}
	}
	return a, b
}

func gatedFigure(t *testing.T, a, b *Arm, gated string) *Figure {
	t.Helper()
	c, err := Compare(a, b, false, CompareOptions{Gated: []string{gated}})
	if err != nil {
		t.Fatal(err)
	}
	return figureOf(t, c, gated)
}

// TestExperimentFalseAlarms: two identical servers, 400 times. A gated figure may differ in 5% of the trials; the interval of
// the p99 ratio holds 1 in 93 to 97%. Four binomial standard errors are 4.4 points; the bounds of the issue are tighter.
func TestExperimentFalseAlarms(t *testing.T) {
	trials := 400
	if !FullExperiment() {
		trials = 40
	}
	t.Logf("%5s %22s %22s", "load", "differs (ttft p95)", "interval of p99 holds 1")
	for i, load := range []float64{0.3, 0.5, 0.8} {
		alarms, held := 0, 0
		for k := range trials {
			a, b := experimentArms(uint64(10_000*(i+1)+k), 10, 1200, load, 1, true)
			if v := gatedFigure(t, a, b, "ttft p95").Verdict; v == Worse || v == Better {
				alarms++
			}
			if f := gatedFigure(t, a, b, "ttft p99"); *f.Low <= 0 && *f.High >= 0 {
				held++
			}
		}
		share, coverage := float64(alarms)/float64(trials), float64(held)/float64(trials)
		t.Logf("%5.1f %21.1f%% %21.1f%%", load, 100*share, 100*coverage)
		if trials == 400 && (share > 0.05 || coverage < 0.93 || coverage > 0.97) {
			t.Errorf("load %.1f: false alarms %.3f, coverage %.3f", load, share, coverage)
		}
	}
}

// TestExperimentPower: a slower decode is found.
func TestExperimentPower(t *testing.T) {
	trials := 100
	if !FullExperiment() {
		trials = 20
	}
	t.Logf("decode slower by, blocks: found in (figure e2e p95, load 0.5)")
	for i, c := range []struct {
		slower float64
		blocks int
		least  float64
	}{{0.10, 10, 0.9}, {0.05, 10, 0}, {0.05, 40, 0.9}, {0.02, 10, 0}} {
		found := 0
		for k := range trials {
			a, b := experimentArms(uint64(100_000*(i+1)+k), c.blocks, 1200, 0.5, 1+c.slower, true)
			if gatedFigure(t, a, b, "e2e p95").Verdict == Worse {
				found++
			}
		}
		share := float64(found) / float64(trials)
		t.Logf("%3.0f%% %3d blocks: %5.1f%%", 100*c.slower, c.blocks, 100*share)
		if trials == 100 && share < c.least {
			t.Errorf("%g slower at %d blocks: found in %.3f of the trials, want %.2f", c.slower, c.blocks, share, c.least)
		}
	}
}

// TestExperimentPairs: the same traffic for both arms cuts the variance of the log ratio of the p99.
func TestExperimentPairs(t *testing.T) {
	blocks := 600
	if !FullExperiment() {
		blocks = 60
	}
	t.Logf("%5s %10s %10s %8s", "load", "paired sd", "other sd", "variance")
	for i, load := range []float64{0.5, 0.8} {
		var sd [2]float64
		for k, shared := range []bool{true, false} {
			a, b := experimentArms(uint64(777+i), blocks, 1200, load, 1, shared)
			var m stat.Moments
			for round := range blocks {
				m.Add(math.Log(*b.Blocks[round].Metrics[workload.TTFT].P99 / *a.Blocks[round].Metrics[workload.TTFT].P99))
			}
			sd[k] = m.SD()
		}
		ratio := sd[1] * sd[1] / (sd[0] * sd[0])
		t.Logf("%5.1f %10.3f %10.3f %7.1fx", load, sd[0], sd[1], ratio)
		if blocks == 600 && ratio < 8 {
			t.Errorf("load %.1f: pairs cut the variance %.1f times, want 8", load, ratio)
		}
	}
}

// TestExperimentBlocks prints which difference so many blocks find in 9 of 10 cases, by the spread that pairs have.
func TestExperimentBlocks(t *testing.T) {
	a, b := experimentArms(5, 300, 1200, 0.5, 1, true)
	for _, name := range []string{"ttft p95", "ttft p99", "e2e p95"} {
		f := gatedFigure(t, a, b, name)
		line := fmt.Sprintf("%-9s sd of the log ratio of a block %.3f; found in 9 of 10 cases with", name, *f.SD)
		last := math.Inf(1)
		for _, n := range []int{5, 10, 20, 40} {
			delta, err := stat.Detectable(n, *f.SD, planAlpha, planPower)
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %d blocks: %.1f%%", n, 100*delta)
			if delta >= last {
				t.Errorf("%s: %d blocks find %g, fewer found %g", name, n, delta, last)
			}
			last = delta
		}
		t.Log(line)
	}
}
