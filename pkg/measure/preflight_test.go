package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Little's law for constant arrivals and lengths: rate x time in the system.
func TestPlanOfAConstantLoad(t *testing.T) {
	var foreseen []workload.Arrival
	for at := time.Duration(0); at < 2*time.Minute; at += 100 * time.Millisecond {
		foreseen = append(foreseen, workload.Arrival{At: at, Input: 500, Output: 200})
	}
	lengths := func(int) (int, int) { return 500, 200 }
	p := PlanOf(foreseen, nil, &workload.Approach{}, lengths)
	if want := 50; p.InFlight != want || p.Exact { // 10/s x (1 s + 200 x 20 ms)
		t.Errorf("%d in flight, want %d", p.InFlight, want)
	}
	if p.EventsPerSecond != 2000 || p.PromptTokens != 500 || p.NewPerMinute != 0 || p.Ends != 1 {
		t.Errorf("%+v", p)
	}
	p = PlanOf(foreseen, nil, &workload.Approach{Connections: workload.Connections{Reuse: "never"}, Simulate: &workload.Simulation{}}, lengths)
	if p.NewPerMinute != 600 || p.Ends != 2 {
		t.Errorf("%+v", p)
	}
	p = PlanOf(nil, &workload.ClosedLoop{Users: 7}, &workload.Approach{}, lengths)
	if p.InFlight != 7 || !p.Exact {
		t.Errorf("%+v", p)
	}
	if p = PlanOf(nil, nil, &workload.Approach{}, lengths); p.InFlight != 0 {
		t.Errorf("%+v", p)
	}
}

func TestCheckNamesWhatIsShort(t *testing.T) {
	ample := Limits{Cores: 2, Files: 1000, Ports: 20_000, Memory: 1 << 30}
	floor := &NoiseFloor{EventsPerSecond: 10_000}
	for name, c := range map[string]struct {
		limits  Limits
		plan    Plan
		code    string // "" none
		certain bool
		says    string
	}{
		"enough":                  {ample, Plan{InFlight: 900, Ends: 1}, "", false, ""},
		"nothing is known":        {Limits{}, Plan{InFlight: 1e6, Ends: 1}, "", false, ""},
		"files, by a guess":       {ample, Plan{InFlight: 1000, Ends: 1}, "files", false, "ulimit -n 2048"},
		"files, both ends here":   {ample, Plan{InFlight: 500, Ends: 2}, "files", false, "1032 file descriptors"},
		"files, of a closed loop": {ample, Plan{InFlight: 1000, Ends: 1, Exact: true}, "files", true, "1000 requests in flight need"},
		"ports":                   {ample, Plan{InFlight: 100, Ends: 1, NewPerMinute: 30_000}, "ports", false, "connections.reuse: never"},
		"memory":                  {Limits{Memory: 1 << 20}, Plan{InFlight: 100, Ends: 1, PromptTokens: 1000}, "memory", false, "MiB are free"},
		"events":                  {ample, Plan{InFlight: 1, Ends: 1, EventsPerSecond: 20_000}, "cpu", false, "selftest has proven this machine up to 10000"},
		"events of an embedded endpoint, of which a self-test says nothing": {ample, Plan{InFlight: 1, Ends: 2, EventsPerSecond: 20_000}, "", false, ""},
	} {
		got := c.limits.Check(c.plan, floor)
		if c.code == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Code != c.code || got[0].Certain != c.certain || !strings.Contains(got[0].Text, c.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
