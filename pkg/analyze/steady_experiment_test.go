package analyze

import (
	"container/heap"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// These experiments measure how often the judgement of a steady state errs, on the queue of compare_experiment_test.go, whose
// truth is known. A request is a second long on average, so that a block of n requests at load rho lasts n/(8 rho) seconds.
// docs/steady.md has the last table (go test ./pkg/analyze -run ExperimentSteady -v).

// queueCase is a server and what it gets. Of the arrivals the first tenth is the warm-up.
type queueCase struct {
	name string
	load float64
	n    int
	// cv is that of the gaps between arrivals: 1 is Poisson.
	cv float64
	// cold of the requests behind the warm-up are slower by coldBy.
	cold, coldBy float64
}

// rows are the requests of a block, and the scenario that they are of.
func (c queueCase) rows(seed uint64) ([]measure.Sample, *workload.Scenario) {
	r := stat.Keyed(seed, "steady experiment", 0)
	at, free := 0.0, make(freeAt, slots)
	var rows []measure.Sample
	for i := range c.n {
		gap := r.Exp()
		if c.cv > 1 {
			gap = r.Gamma(1/(c.cv*c.cv)) * c.cv * c.cv
		}
		at += gap / (c.load * slots)
		begin, service := max(at, free[0]), r.Lognormal(0.7261490370736909, 0.8) // of mean 1
		if k := i - c.n/10; k >= 0 && float64(k) < c.cold*float64(c.n-c.n/10) {
			service *= c.coldBy
		}
		free[0] = begin + service
		heap.Fix(&free, 0)
		stamp := func(s float64) measure.Stamp { return measure.At(time.Duration(s * 1e9)) }
		rows = append(rows, measure.Sample{Index: i, Class: endpoint.OK, Scheduled: stamp(at), FirstToken: stamp(begin + 0.1*service), Done: stamp(begin + service)})
	}
	warmup := rows[c.n/10].Scheduled
	from, _ := warmup.Get()
	s := &workload.Scenario{Phases: workload.Phases{Warmup: workload.Duration(from), Measure: workload.Duration(time.Duration(at*1e9) - from + 1)}}
	for i := range rows {
		rows[i].Phase = measure.Measure
		if d, _ := rows[i].Scheduled.Get(); d < from {
			rows[i].Phase = measure.Warmup
		}
	}
	return rows, s
}

func (c queueCase) judge(seed uint64) *Steady {
	rows, s := c.rows(seed)
	f := newSteadyFold(&measure.BlockRecord{State: measure.Complete, Attempts: len(rows)}, s)
	for i := range rows {
		f.add(&rows[i])
	}
	return steadyOf([]steadyBlock{f.out}, s)
}

// TestExperimentSteady: what must not be found on a server that holds its load is found in at most 5% of the trials; what is
// there in at least 95%.
func TestExperimentSteady(t *testing.T) {
	trials := 200
	if !FullExperiment() {
		trials = 10
	}
	t.Logf("%-34s %5s %7s %15s %14s %12s", "server", "load", "n", "over-saturated", "warm-up short", "effective n")
	for i, c := range []struct {
		queueCase
		saturated, short float64 // wanted: 0 never, 1 always; -1 is not held
	}{
		{queueCase{"steady", 0.3, 1200, 1, 0, 1}, 0, 0},
		{queueCase{"steady", 0.5, 1200, 1, 0, 1}, 0, 0},
		{queueCase{"steady", 0.8, 1200, 1, 0, 1}, 0, 0},
		{queueCase{"steady", 0.8, 6000, 1, 0, 1}, 0, 0},
		{queueCase{"steady", 0.3, 200, 1, 0, 1}, 0, 0},
		{queueCase{"steady", 0.8, 200, 1, 0, 1}, -1, -1},
		{queueCase{"bursts of CV 2", 0.5, 1200, 2, 0, 1}, 0, 0},
		{queueCase{"bursts of CV 2", 0.8, 1200, 2, 0, 1}, -1, -1},
		{queueCase{"near its limit", 0.95, 1200, 1, 0, 1}, 0, 0},
		{queueCase{"over it", 1.1, 1200, 1, 0, 1}, -1, 0},
		{queueCase{"over it", 1.1, 3000, 1, 0, 1}, 1, 0},
		{queueCase{"over it", 1.1, 20000, 1, 0, 1}, 1, 0},
		{queueCase{"over it", 1.5, 300, 1, 0, 1}, 1, 0},
		{queueCase{"first tenth 3 times slower", 0.3, 1200, 1, 0.1, 3}, 0, 1},
		{queueCase{"first tenth 3 times slower", 0.5, 1200, 1, 0.1, 3}, 0, 1},
		{queueCase{"first tenth 3 times slower", 0.3, 20000, 1, 0.1, 3}, 0, 1},
		{queueCase{"first twentieth 2 times slower", 0.3, 1200, 1, 0.05, 2}, 0, -1},
	} {
		trials, saturated, short := trials, 0, 0
		if c.n > 10_000 {
			trials = (trials + 4) / 5
		}
		var effective stat.Moments
		for k := range trials {
			s := c.judge(uint64(1_000_000 + 1000*(i+1) + k)) // others than those on which the thresholds were set
			if s.OverSaturated != nil {
				saturated++
			}
			if s.WarmUp != nil {
				short++
			}
			if s.EffectiveN != nil {
				effective.Add(*s.EffectiveN)
			}
		}
		found := func(n int) float64 { return float64(n) / float64(trials) }
		t.Logf("%-34s %5.2f %7d %14.1f%% %13.1f%% %12.0f", c.name, c.load, c.n, 100*found(saturated), 100*found(short), effective.Mean())
		for _, held := range []struct {
			what         string
			found, wants float64
		}{{"over-saturated", found(saturated), c.saturated}, {"warm-up short", found(short), c.short}} {
			if trials >= 40 && (held.wants == 0 && held.found > 0.05 || held.wants == 1 && held.found < 0.95) {
				t.Errorf("%s, load %.2f, n %d: %s in %.3f of the trials, want %g", c.name, c.load, c.n, held.what, held.found, held.wants)
			}
		}
	}
}
