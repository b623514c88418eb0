package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// sharedModel is a server of many slots whose prefill takes a millisecond a token and whose decoding takes nothing worth a mention.
func sharedModel(t *testing.T, change func(*workload.Simulation)) *model {
	t.Helper()
	sim := workload.Simulation{Slots: 1000, PrefillPerToken: workload.Duration(time.Millisecond), DecodeStep: 1, ProcessorSharing: true}
	if change != nil {
		change(&sim)
	}
	sim, err := Resolve(sim)
	if err != nil {
		t.Fatal(err)
	}
	return newModel(newParams(sim, 1))
}

// TestSharingByHand: one prompt of 100 ms alone for 50 ms; then another of 100 ms beside it: each goes at half the speed, so the first
// ends at 150 ms, and the second has 50 ms left and ends at 200 ms.
func TestSharingByHand(t *testing.T) {
	m := sharedModel(t, nil)
	a, b := &job{input: 100, output: 1}, &job{input: 100, output: 1}
	m.submit(0, a)
	m.advance(50 * time.Millisecond)
	m.submit(50*time.Millisecond, b)
	m.advance(time.Second)
	if a.prefillDone != 150*time.Millisecond || b.prefillDone != 200*time.Millisecond {
		t.Errorf("%s and %s", a.prefillDone, b.prefillDone)
	}
	if a.admitted != 0 || b.admitted != 50*time.Millisecond {
		t.Errorf("nobody waits: %s and %s", a.admitted, b.admitted)
	}
}

// TestSharingLeave: a request whose client leaves gives its part back at once.
func TestSharingLeave(t *testing.T) {
	m := sharedModel(t, nil)
	a, b := &job{input: 100, output: 1}, &job{input: 100, output: 1}
	m.submit(0, a)
	m.submit(0, b)
	m.advance(100 * time.Millisecond)
	m.cancel(100*time.Millisecond, a)
	m.advance(time.Second)
	if b.prefillDone != 150*time.Millisecond || a.outcome != OutcomeCancelled {
		t.Errorf("%s, %s", b.prefillDone, a.outcome)
	}
}

// TestSharingTheory: under Poisson arrivals the mean time in an M/G/1 queue with processor sharing is that of the prompt divided by
// 1 - load, whatever the law of the lengths (Kleinrock, Queueing Systems vol. 2, 4.4): the slowdown of short and of long prompts
// is the same.
func TestSharingTheory(t *testing.T) {
	m := sharedModel(t, nil)
	r := stat.Keyed(1, "sharing", 0)
	const load, mean = 0.7, 30.0
	var jobs []*job
	now := time.Duration(0)
	for range 40_000 {
		now += time.Duration(r.Exp() * mean / load * float64(time.Millisecond))
		j := &job{input: 10, output: 1}
		if r.IntN(2) == 0 {
			j.input = 50
		}
		m.advance(now)
		m.submit(now, j)
		jobs = append(jobs, j)
	}
	m.advance(now + time.Hour)
	slow := map[int][]float64{}
	for _, j := range jobs {
		slow[j.input] = append(slow[j.input], float64(j.prefillDone-j.arrived)/float64(time.Millisecond)/float64(j.input))
	}
	for input, values := range slow {
		var sum float64
		for _, v := range values {
			sum += v
		}
		if got, want := sum/float64(len(values)), 1/(1-load); math.Abs(got/want-1) > 0.05 {
			t.Errorf("prompts of %d: slowed down %.3f times, want %.3f", input, got, want)
		}
	}
}

// TestPrefillNoise: the logarithm of a prefill's time has the standard deviation that was asked for, and its median is the time itself.
func TestPrefillNoise(t *testing.T) {
	m := sharedModel(t, func(s *workload.Simulation) { s.ProcessorSharing, s.PrefillNoise = false, 0.2 })
	var logs stat.Moments
	var jobs []*job
	for range 5000 {
		j := &job{input: 100, output: 1}
		m.submit(0, j)
		jobs = append(jobs, j)
	}
	m.advance(time.Hour)
	for _, j := range jobs[:1000] { // those that found a slot at once
		logs.Add(math.Log(float64(j.prefillDone-j.admitted) / 1e8))
	}
	if math.Abs(logs.Mean()) > 0.03 || math.Abs(logs.SD()-0.2) > 0.02 {
		t.Errorf("mean %.3f, sd %.3f", logs.Mean(), logs.SD())
	}
}
