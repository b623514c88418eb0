package analyze

import (
	"math"
	"testing"

	"github.com/infbench/infbench/internal/stat"
)

// waitingRoom puts n requests through a queue of one place, or through a processor that they share, and gives what a client sees of
// them: the excess over a light-load TTFT of 10 ms and the request's own work, with noise of 3% on the work.
func waitingRoom(seed uint64, n int, load float64, shared bool) *queueFold {
	r := stat.Keyed(seed, "waiting room", 0)
	const network, mean = 0.01, 0.1
	q := &queueFold{lines: map[int]*LightLine{0: {To: 1, Limit: 0.008, Network: new(network)}}, out: &Queueing{}}
	arrive, work, end := make([]float64, n), make([]float64, n), make([]float64, n)
	now := 0.0
	for i := range n {
		now += r.Exp() * mean / load
		arrive[i], work[i] = now, mean*r.Lognormal(math.Exp(-0.32), 0.8)
	}
	if shared {
		end = processorSharing(arrive, work)
	} else {
		free := 0.0
		for i := range n {
			free = max(free, arrive[i]) + work[i]
			end[i] = free
		}
	}
	for i := range n {
		off := work[i] * (r.Lognormal(1, 0.03) - 1)
		excess := end[i] - arrive[i] - work[i] + off
		q.rows = append(q.rows, waited{counted: true, first: arrive[i] + network + work[i] + excess, done: arrive[i] + network + work[i] + excess,
			expected: network + work[i], excess: excess, beside: math.NaN(), queue: math.NaN()})
	}
	q.out.LightLoad = []*LightLine{q.lines[0]}
	return q
}

// processorSharing gives when each of some works ends that share one processor in equal parts.
func processorSharing(arrive, work []float64) []float64 {
	end := make([]float64, len(arrive))
	left := map[int]float64{}
	now, next := 0.0, 0
	for next < len(arrive) || len(left) > 0 {
		first, least := -1, math.Inf(1)
		for i := range arrive[:next] { // in order: the same each time
			if l, in := left[i]; in && l < least {
				first, least = i, l
			}
		}
		done := math.Inf(1)
		if first >= 0 {
			done = now + least*float64(len(left))
		}
		if next < len(arrive) && arrive[next] <= done {
			for i := range left {
				left[i] -= (arrive[next] - now) / float64(len(left))
			}
			now, left[next] = arrive[next], work[next]
			next++
			continue
		}
		for i := range left {
			left[i] -= least
		}
		now, end[first] = done, done
		delete(left, first)
	}
	return end
}

// TestMechanism: over 200 seeds at three loads, requests that wait are told from those that are slowed down by others beside them,
// and a shared processor is never called a queue.
func TestMechanism(t *testing.T) {
	trials := uint64(200)
	if testing.Short() || underRace {
		trials = 20
	}
	for _, load := range []float64{0.3, 0.6, 0.9} {
		missed, wrong := 0, 0
		for seed := range trials {
			q := waitingRoom(seed, 400, load, false)
			if q.judge(false); q.out.Basis != Inferred {
				missed++
			}
			q = waitingRoom(seed, 400, load, true)
			if q.judge(false); q.out.Basis != CannotTell {
				wrong++
			}
		}
		t.Logf("load %.1f: of %d queues %d were not told, of %d shared processors %d were called a queue", load, trials, missed, trials, wrong)
		if wrong > 0 || missed > int(trials)/20 {
			t.Errorf("load %.1f: %d missed, %d wrong", load, missed, wrong)
		}
	}
}

// TestMechanismAlike: with prompts that are all alike the elasticity says nothing, and the releases do.
func TestMechanismAlike(t *testing.T) {
	q := waitingRoom(1, 400, 0.6, false)
	for i := range q.rows {
		w := &q.rows[i]
		w.first += 0.11 - w.expected // as if all had worked for 100 ms after the same wait
		w.expected = 0.11
	}
	free := 0.0
	for i := range q.rows {
		w := &q.rows[i]
		sent := w.first - w.expected - w.excess
		begin := max(free, sent)
		free = begin + 0.1
		w.excess = begin - sent
		w.first, w.done = sent+w.expected+w.excess, sent+w.expected+w.excess
	}
	q.lines[0].Limit = 1e-3
	q.judge(false)
	if q.out.Elasticity != nil || q.out.Releases == nil || q.out.Releases.Share < 0.95 || q.out.Basis != Inferred {
		t.Errorf("%s (%s), elasticity %+v, releases %+v", q.out.Basis, q.out.Why, q.out.Elasticity, q.out.Releases)
	}
	for i := range q.rows { // the ends say nothing any more
		q.rows[i].done += 0.037 * float64(i%7+1) / 7
	}
	q.out = &Queueing{LightLoad: q.out.LightLoad}
	if q.judge(false); q.out.Basis != CannotTell {
		t.Errorf("%s (%s), releases %+v", q.out.Basis, q.out.Why, q.out.Releases)
	}
}

// TestCannotTell: without light load, without a line, with too few requests and where most have no excess nothing is said.
func TestCannotTell(t *testing.T) {
	for name, change := range map[string]func(q *queueFold){
		"no light load": func(q *queueFold) { q.out.LightLoad, q.rows = nil, nil },
		"no line":       func(q *queueFold) { q.lines[0].Problem, q.rows = "5 of 24 requests had a first token", nil },
		"few":           func(q *queueFold) { q.rows = q.rows[:20] },
		"unknown": func(q *queueFold) {
			q.out.Unknown = 100
		},
	} {
		q := waitingRoom(1, 400, 0.9, false)
		change(q)
		if q.judge(false); q.out.Basis != CannotTell || q.out.Why == "" {
			t.Errorf("%s: %s (%s)", name, q.out.Basis, q.out.Why)
		}
		if _, ok := q.inferred(1, 1); ok {
			t.Errorf("%s: a queue is inferred", name)
		}
	}
	q := waitingRoom(1, 400, 0.001, false) // nobody waits
	if q.judge(false); q.out.Basis != Inferred || *q.out.BelowLimit < 0.9 {
		t.Errorf("%s (%s)", q.out.Basis, q.out.Why)
	}
}
