package simulate

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// waits drives a model with n Poisson arrivals and gives the time that each waited for a slot. Arrivals and services
// come from generators of different seeds.
func waits(t *testing.T, sim workload.Simulation, rate float64, n int, seed uint64) []time.Duration {
	t.Helper()
	sim, err := Resolve(sim)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(newParams(sim, seed))
	gaps := stat.Keyed(seed+1000, "test arrivals", 0)
	jobs := make([]*job, n)
	at := time.Duration(0)
	for i := range jobs {
		at += time.Duration(gaps.Exp() / rate * float64(time.Second))
		m.advance(at)
		jobs[i] = &job{output: 1}
		m.submit(at, jobs[i])
	}
	m.advance(at + 10000*time.Hour)
	all := make([]time.Duration, n)
	for i, j := range jobs {
		if j.outcome != OutcomeOK {
			t.Fatalf("request %d: outcome %q", i, j.outcome)
		}
		all[i] = j.admitted - j.arrived
	}
	return all
}

// batchMeans is the mean of a stationary series and the half width of its confidence interval: the batches are so long
// that their means are nearly independent, so that Student's t applies to them (Law, Simulation Modeling and
// Analysis, section 9.5).
func batchMeans(series []time.Duration, batches int, level float64) (mean, half float64) {
	size := len(series) / batches
	means := make([]float64, batches)
	for b := range means {
		for _, v := range series[b*size : (b+1)*size] {
			means[b] += v.Seconds() / float64(size)
		}
		mean += means[b] / float64(batches)
	}
	ss := 0.0
	for _, v := range means {
		ss += (v - mean) * (v - mean)
	}
	quantile := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(batches - 1)}.Quantile(0.5 + level/2)
	return mean, quantile * math.Sqrt(ss/float64(batches-1)/float64(batches))
}

// erlangC is the probability of waiting in M/M/c with a load of a erlangs, by Erlang B's recursion.
func erlangC(c int, a float64) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	rho := a / float64(c)
	return b / (1 - rho*(1-b))
}

// The mean wait of M/M/1 (rho/(mu-lambda)), M/D/1 (Pollaczek and Khinchine: half of it) and M/M/c (Erlang C) lies
// within the 99% confidence interval of the simulation, and the interval is narrow enough to mean something.
func TestQueueingTheory(t *testing.T) {
	const mu = 20.0 // per second and slot
	for _, tc := range []struct {
		law     string
		slots   int
		rho     float64
		n       int     // requests, after the warm-up
		precise float64 // half width allowed, relative to the mean
	}{
		{"exponential", 1, 0.5, 200_000, 0.04},
		{"exponential", 1, 0.7, 200_000, 0.05},
		{"exponential", 1, 0.8, 200_000, 0.08},
		{"fixed", 1, 0.5, 200_000, 0.04},
		{"fixed", 1, 0.8, 200_000, 0.06},
		{"exponential", 2, 0.7, 200_000, 0.06},
		{"exponential", 8, 0.8, 400_000, 0.08},
		{"exponential", 32, 0.9, 600_000, 0.15},
	} {
		t.Run(fmt.Sprintf("%s c=%d rho=%v", tc.law, tc.slots, tc.rho), func(t *testing.T) {
			t.Parallel()
			c := float64(tc.slots)
			lambda := tc.rho * c * mu
			want := erlangC(tc.slots, c*tc.rho) / (c*mu - lambda)
			if tc.slots == 1 {
				if mm1 := tc.rho / (mu - lambda); math.Abs(mm1-want) > 1e-12 {
					t.Fatalf("Erlang C gives %v for one slot, M/M/1 %v", want, mm1)
				}
			}
			if tc.law == "fixed" {
				want /= 2
			}
			sim := workload.Simulation{Slots: tc.slots, Service: &workload.ServiceTime{Law: tc.law, Mean: workload.Duration(time.Second / mu)}}
			const warm = 10_000
			series := waits(t, sim, lambda, warm+tc.n, 11)[warm:]
			mean, half := batchMeans(series, 40, 0.99)
			t.Logf("mean wait %.3f ms +- %.3f, theory %.3f ms", mean*1e3, half*1e3, want*1e3)
			if math.Abs(mean-want) > half {
				t.Errorf("mean wait %v s is not within %v of %v", mean, half, want)
			}
			if half > tc.precise*want {
				t.Errorf("half width %v s says too little about %v", half, want)
			}
		})
	}
}

// In M/M/1 the share that does not wait is 1-rho, and the wait of the others is exponential with mean 1/(mu-lambda).
func TestWaitDistribution(t *testing.T) {
	const mu, lambda = 20.0, 14.0
	series := waits(t, workload.Simulation{Service: &workload.ServiceTime{Law: "exponential", Mean: workload.Duration(time.Second / mu)}},
		lambda, 210_000, 5)[10_000:]
	for _, x := range []float64{0, 0.05, 0.1, 0.2, 0.5} {
		above := make([]time.Duration, len(series))
		for i, w := range series {
			if w.Seconds() > x {
				above[i] = time.Second
			}
		}
		share, half := batchMeans(above, 40, 0.999)
		if want := lambda / mu * math.Exp(-(mu-lambda)*x); math.Abs(share-want) > half {
			t.Errorf("P(wait > %v s) = %v +- %v, theory %v", x, share, half, want)
		}
	}
}

// The same through HTTP: the truth that the server tells agrees with the theory too, and with what the client sees.
func TestMM1ThroughHTTP(t *testing.T) {
	const mu, rho, n = 100.0, 0.5, 8000
	const lambda = rho * mu
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(6), Report: "vllm",
			Service: &workload.ServiceTime{Law: "exponential", Mean: workload.Duration(time.Second / mu)}}, Options{Seed: 4})
		gaps := stat.Keyed(17, "test arrivals", 0)
		answers := make([]*seen, n)
		var wg sync.WaitGroup
		for i := range n {
			time.Sleep(time.Duration(gaps.Exp() / lambda * float64(time.Second)))
			wg.Go(func() { answers[i] = r.ask(context.Background(), fmt.Sprint(i), "x", 1) })
		}
		wg.Wait()
		truth := map[string]Truth{}
		for _, tr := range r.server.Truth() {
			truth[tr.ID] = tr
		}
		series := make([]time.Duration, n)
		for i, a := range answers {
			tr := truth[fmt.Sprint(i)]
			series[i] = tr.Queue
			if got := a.tokens(); len(got) != 1 || got[0] != 6*millisecond+tr.Queue+tr.Prefill {
				t.Fatalf("request %d: token at %v, truth %+v", i, got, tr)
			}
			if got := a.metrics["queue_time_ms"]; got != float64(tr.Queue)/1e6 {
				t.Fatalf("request %d: reported queue %v ms, truth %v", i, got, tr.Queue)
			}
		}
		mean, half := batchMeans(series, 20, 0.99)
		want := rho / (mu - lambda)
		t.Logf("mean wait %.3f ms +- %.3f, theory %.3f ms", mean*1e3, half*1e3, want*1e3)
		if math.Abs(mean-want) > half || half > 0.3*want {
			t.Errorf("mean wait %v s +- %v, theory %v", mean, half, want)
		}
	})
}

// Other tenants are Poisson arrivals on the same slots: with one slot and a fixed time each they make an M/D/1 queue,
// and by PASTA a rare visitor waits as long as they do.
func TestBackground(t *testing.T) {
	const busy, rate = 0.6, 6.0
	sim, err := Resolve(workload.Simulation{PrefillPerToken: milli(1), Background: &workload.Background{Rate: rate, Input: 100, Output: 1}})
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(newParams(sim, 3))
	gaps := stat.Keyed(9, "test visitors", 0)
	var series []time.Duration
	at := time.Duration(0)
	for range 40_000 {
		at += time.Duration((2 + 8*gaps.Exp()) * float64(time.Second))
		m.advance(at)
		j := &job{output: 1} // an empty prompt: no time of its own
		m.submit(at, j)
		m.advance(at)
		at += time.Duration(gaps.Exp() * float64(time.Second))
		m.advance(at)
		for j.state != jobDone {
			at += time.Second
			m.advance(at)
		}
		series = append(series, j.admitted-j.arrived)
	}
	mean, half := batchMeans(series, 40, 0.99)
	want := busy * 0.1 / 2 / (1 - busy)
	t.Logf("mean wait %.3f ms +- %.3f, theory %.3f ms", mean*1e3, half*1e3, want*1e3)
	if math.Abs(mean-want) > half || half > 0.05*want {
		t.Errorf("mean wait %v s +- %v, theory %v", mean, half, want)
	}
}
