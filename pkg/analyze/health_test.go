package analyze

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// ticking is a block of n seconds on 2 cores whose process uses a tenth of them; change alters single ticks.
func ticking(n int, change func(i int, t *measure.Tick)) *clientBlock {
	b := &clientBlock{BlockRecord: &measure.BlockRecord{Approach: "a"}, limits: measure.Limits{Cores: 2, Files: 100, Ports: 1000}}
	b.Client = measure.ClientRecord{Cores: 2, Wall: time.Duration(n) * time.Second, Beats: int64(n) * 1000, CPU: time.Duration(n) * 200 * time.Millisecond}
	used := time.Duration(0)
	for i := range n {
		t := measure.Tick{T: time.Duration(i+1) * time.Second}
		t.Health = measure.Health{CPU: 200 * time.Millisecond, StallMax: time.Millisecond, Files: 20}
		if change != nil {
			change(i, &t)
		}
		used += t.CPU // change sees the tick's own
		t.CPU = used
		b.ticks = append(b.ticks, t)
	}
	b.fold(2 * time.Second)
	return b
}

func TestClientHealthIsJudgedByWindows(t *testing.T) {
	busyFor := func(seconds int, of time.Duration) func(int, *measure.Tick) {
		return func(i int, t *measure.Tick) {
			if i >= 60 && i < 60+seconds {
				t.CPU = of
			}
		}
	}
	record := func(change func(c *measure.ClientRecord)) *clientBlock {
		b := ticking(120, nil)
		change(&b.Client)
		return b
	}
	for name, c := range map[string]struct {
		block         *clientBlock
		code, verdict string // "" none
		says          string
	}{
		"well":                         {ticking(120, nil), "", "", ""},
		"3 s at all cores, 50% of 5 s": {ticking(120, busyFor(2, 2*time.Second)), "", "", ""},
		"5 s at 80% in a quiet block":  {ticking(120, busyFor(5, 1600*time.Millisecond)), "cpu", Suspect, "80% of its 2 cores in the 5s before second 65"},
		"5 s at all cores":             {ticking(120, busyFor(5, 2*time.Second)), "cpu", Invalid, "it was the bottleneck"},
		"short, busy all along":        {ticking(3, func(_ int, t *measure.Tick) { t.CPU = 2 * time.Second }), "", "", ""}, // below: by its totals
		"one stall": {ticking(120, func(i int, t *measure.Tick) {
			t.StallMax = map[bool]time.Duration{true: 100 * time.Millisecond}[i == 30]
		}), "stall", Suspect, "100ms at second 31.0"},
		"a stall in the warm-up": {ticking(120, func(i int, t *measure.Tick) {
			t.StallMax = map[bool]time.Duration{true: 100 * time.Millisecond}[i == 1]
		}), "", "", ""},
		"many short stalls": {ticking(120, func(i int, t *measure.Tick) {
			t.Stalled, t.StallMax = time.Duration(i%10/9)*170*time.Millisecond, 20*time.Millisecond
		}), "stall", Suspect, "1.7% of the time, up to 20ms at once"},
		"a core that others want": {func() *clientBlock {
			b := ticking(120, func(i int, t *measure.Tick) { t.Stalled = 20 * time.Millisecond })
			b.Client.CoreWait = 30 * time.Second
			return b
		}(), "stall", Suspect, "waited 30.0 s for a core"},
		"many short stalls in the warm-up": {ticking(120, func(i int, t *measure.Tick) { t.Stalled = time.Duration(1-min(i, 2)/2) * 900 * time.Millisecond }), "", "", ""},
		"throttled":                        {record(func(c *measure.ClientRecord) { c.Throttled = 3 }), "throttled", Suspect, "raise the quota"},
		"a long pause":                     {record(func(c *measure.ClientRecord) { c.GCPauseMax = 20 * time.Millisecond }), "gc_pause", Suspect, "20ms"},
		"a busy collector":                 {record(func(c *measure.ClientRecord) { c.GC = 36 * time.Second }), "gc_share", Suspect, "15% of its 2 cores"},
		"descriptors":                      {ticking(120, func(i int, t *measure.Tick) { t.Files = 20 + 75*(i/119) }), "files", Suspect, "95 of 100"},
		"sockets of the whole machine":     {ticking(120, func(_ int, t *measure.Tick) { t.Sockets = 990 }), "ports", Valid, "990 TCP sockets"},
		"a short block by its totals":      {func() *clientBlock { b := ticking(3, nil); b.Client.CPU = 5 * time.Second; b.fold(0); return b }(), "cpu", Suspect, "83% of its 2 cores over the block"},
	} {
		a := &audit{}
		a.client(c.block)
		if c.code == "" {
			if len(a.reasons) > 0 {
				t.Errorf("%s: %+v", name, a.reasons)
			}
			continue
		}
		if len(a.reasons) != 1 || a.reasons[0].Code != c.code || a.reasons[0].Verdict != c.verdict || !strings.Contains(a.reasons[0].Text, c.says) {
			t.Errorf("%s: %+v, want %s %s %q", name, a.reasons, c.verdict, c.code, c.says)
			continue
		}
		if v := a.verdict(); v.ClientLimited() != (c.verdict != Valid) {
			t.Errorf("%s: client limited: %t", name, v.ClientLimited())
		}
	}
}

// The embedded endpoint shares the process: its CPU is no proof that the client was the bottleneck.
func TestEmbeddedEndpointIsNeverInvalidByCPU(t *testing.T) {
	b := ticking(60, func(_ int, t *measure.Tick) { t.CPU = 2 * time.Second })
	b.Simulated = true
	a := &audit{}
	a.client(b)
	if len(a.reasons) != 1 || a.reasons[0].Verdict != Suspect {
		t.Errorf("%+v", a.reasons)
	}
}

// A client that falls behind for ten seconds of an hour is found, though its p99 of lag over the hour is small.
func TestFallingBehindIsJudgedByWindows(t *testing.T) {
	f := newFold("a", workload.RequestLimits{})
	add := func(at, lag time.Duration) {
		f.add(&measure.Sample{Approach: "a", Class: endpoint.OK, Phase: measure.Measure, Scheduled: measure.At(at), Dispatched: measure.At(at + lag),
			ConnectStart: measure.At(at + lag), Connected: measure.At(at + lag), Sent: measure.At(at + lag)})
	}
	for at := time.Duration(0); at < time.Hour; at += 100 * time.Millisecond {
		lag := 20 * time.Microsecond
		if at >= 30*time.Minute && at < 30*time.Minute+10*time.Second {
			lag = 2 * time.Second // for a fifth of them the window is over
		}
		add(at, lag)
	}
	a := &audit{}
	a.delivery(f)
	if len(a.reasons) != 1 || a.reasons[0].Code != "offered_delivered" || a.reasons[0].Verdict != Invalid ||
		!strings.Contains(a.reasons[0].Text, "of 100 requests due in the 10s from second 1800, 20 were not started") {
		t.Errorf("%+v", a.reasons)
	}
	if d, _ := f.lag.ValueAtRank(rank(0.99, f.lag.Count())); d > time.Millisecond {
		t.Errorf("the p99 over the hour is %v: it would have been found by that", d)
	}
}

// Reading late is no fault until events merge, or where nothing but the clock stamps them.
func TestReadingLate(t *testing.T) {
	fill := func(readLag, gap time.Duration, stamps string) *fold {
		f := newFold("a", workload.RequestLimits{})
		f.attempts = 100
		f.tally.Hist(workload.ReadLag).RecordN(readLag, 100)
		f.tally.Hist(workload.ChunkGap).RecordN(gap, 100)
		f.tally.Hist(workload.TTFT).RecordN(200*time.Millisecond, 100)
		f.stamps[stamps] = 100
		return f
	}
	block := ticking(10, nil)
	block.Client.SchedLatencyP99 = 5 * time.Millisecond
	for name, c := range map[string]struct {
		f    *fold
		code string
	}{
		"kernel stamps, a third of a gap": {fill(3*time.Millisecond, 9*time.Millisecond, endpoint.StampsKernel), ""},
		"kernel stamps, most of a gap":    {fill(8*time.Millisecond, 9*time.Millisecond, endpoint.StampsKernel), "read_lag"},
		"the clock's":                     {fill(0, 9*time.Millisecond, endpoint.StampsClock), "stamp_lag"},
	} {
		a := &audit{}
		a.reading(c.f, []*clientBlock{block})
		if c.code == "" && len(a.reasons) > 0 || c.code != "" && (len(a.reasons) != 1 || a.reasons[0].Code != c.code) {
			t.Errorf("%s: %+v, want %q", name, a.reasons, c.code)
		}
	}
}

// An endpoint that fails everything is no fault of the client, and takes no other approach along.
func TestOneDeadApproach(t *testing.T) {
	a := &audit{}
	dead, good := newFold("dead", workload.RequestLimits{}), newFold("good", workload.RequestLimits{})
	for i := range 200 {
		at := measure.At(time.Duration(i) * time.Millisecond)
		s := measure.Sample{Class: endpoint.OK, Phase: measure.Measure, Scheduled: at, Dispatched: at, ConnectStart: at, Connected: at, Sent: at}
		good.add(&s)
		s.Class, s.Connected, s.Sent = endpoint.Unfinished, measure.Stamp{}, measure.Stamp{}
		if i%2 == 0 {
			s.ConnectStart = measure.Stamp{} // waits for its turn to dial
		}
		dead.add(&s)
	}
	dead.dialTurns, dead.refused, dead.queued, dead.unsent = true, 200, 100, 0 // as foldRows would have it
	m := &measure.Manifest{Scenario: &workload.Scenario{}}
	for _, f := range []*fold{dead, good} {
		a.about = f.name
		a.approach(f, m, nil)
	}
	v := a.verdict()
	if v.Verdict != Invalid || v.Of("dead") != Invalid || v.Of("good") != Valid || v.ClientLimited() || !v.EndpointDown() {
		t.Errorf("%+v", v)
	}
	var said []string
	for _, r := range v.Reasons {
		said = append(said, r.Code)
	}
	for _, code := range []string{"all_failed", "refused", "unfinished"} {
		if !slices.Contains(said, code) {
			t.Errorf("no reason %s: %v", code, said)
		}
	}
}
