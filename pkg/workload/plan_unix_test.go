//go:build unix

package workload

import (
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used of its cores. It is no wall time: a busy machine changes it little.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestPlanOfAMillion: all that a run computes of 10^6 arrivals before it sends the first, the schedule, the lengths, what
// is shared and what is asked, takes less than 2 s of CPU, for the dearest of shapes and families.
func TestPlanOfAMillion(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("measures CPU time")
	}
	const limit = 2 * time.Second
	prompts := Prompts{Synthetic: &Synthetic{Input: &Lengths{Lognormal: &Lognormal{Median: 500, Sigma: 1}}, Output: &Lengths{Lognormal: &Lognormal{Median: 100, Sigma: 1}}},
		Shared: &Shared{Groups: 1000, Zipf: 1, Tokens: &Lengths{Fixed: pointer(640)}, Share: 0.4}}
	diurnal := &Shape{Diurnal: &Diurnal{Period: sec(100), Amplitude: 0.5}}
	for name, s := range map[string]Scenario{
		"constant, gamma":  {Arrivals: Arrivals{Rate: 1000, Burst: &Burst{Gamma: &CVBurst{CV: 2}}}, Prompts: prompts},
		"diurnal, Weibull": {Arrivals: Arrivals{Rate: 1000, Shape: diurnal, Burst: &Burst{Weibull: &CVBurst{CV: 3}}}, Prompts: prompts},
	} {
		s.Seed, s.Phases.Measure = 1, sec(1000)
		within(t, name, limit, func() int {
			sched, err := NewSchedule(&s)
			if err != nil {
				t.Fatal(err)
			}
			source, err := NewSource(&s, sched)
			if err != nil {
				t.Fatal(err)
			}
			return source.Asked(sched).Requests
		})
	}
	var text strings.Builder
	if _, err := io.Copy(&text, newAzureLike(1_000_001)); err != nil {
		t.Fatal(err)
	}
	within(t, "trace", limit, func() int {
		plan, err := newReplayPlan(&Scenario{Phases: Phases{Measure: sec(48000)}}, &Trace{Path: "t.csv"})
		if err != nil {
			t.Fatal(err)
		}
		f, err := newTraceFile(strings.NewReader(text.String()), &Trace{Path: "t.csv"})
		if err != nil {
			t.Fatal(err)
		}
		times, _, err := plan.read(f)
		if err != nil {
			t.Fatal(err)
		}
		return len(times)
	})
}

// within holds what a plan takes against a limit. Cores that are shared with others compute at half their speed at times:
// one of three tries must be within.
func within(t *testing.T, name string, limit time.Duration, plan func() (arrivals int)) {
	t.Helper()
	var took time.Duration
	for range 3 {
		start := cpuTime(t)
		arrivals := plan()
		took = cpuTime(t) - start
		t.Logf("%s: %d arrivals, %v", name, arrivals, took)
		if arrivals < 950_000 {
			t.Fatalf("%s: %d arrivals", name, arrivals)
		}
		if took <= limit {
			return
		}
	}
	t.Errorf("%s: %v of CPU, the limit is %v", name, took, limit)
}
