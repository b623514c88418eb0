package analyze

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// scripted answers after a delay that depends on the request alone.
type scripted struct {
	epoch time.Time
	do    func(i int) (delay, queue time.Duration, class endpoint.Class)
}

func (s *scripted) Do(_ context.Context, req *workload.Request, obs endpoint.Observer) endpoint.Result {
	read := uint32(0)
	at := func(k endpoint.Kind) {
		read++
		obs.Observe(endpoint.Event{Kind: k, At: time.Since(s.epoch), Read: read})
	}
	delay, queue, class := s.do(req.Index)
	at(endpoint.Connected)
	at(endpoint.Sent)
	time.Sleep(delay)
	if class != endpoint.OK {
		return endpoint.Result{Class: class, Error: "scripted"}
	}
	at(endpoint.Answer)
	time.Sleep(10 * time.Millisecond)
	at(endpoint.Answer)
	at(endpoint.Done)
	n, in := 2, 100
	r := endpoint.Result{Class: class, Status: 200, Usage: endpoint.Usage{Input: &in, Output: &n}}
	if queue > 0 {
		r.Server.Queue = &queue
	}
	return r
}

func (s *scripted) Close() {}

// measured runs one scripted approach in virtual time, n arrivals 10 ms apart, and analyses the directory.
func measured(t *testing.T, n int, change func(*workload.Scenario, *measure.Manifest), do func(i int) (time.Duration, time.Duration, endpoint.Class)) *Analysis {
	t.Helper()
	const gap = 10 * time.Millisecond
	s := &workload.Scenario{Name: "test", Phases: workload.Phases{Measure: workload.Duration(time.Duration(n) * gap), Drain: workload.Duration(time.Minute)},
		Approaches: []workload.Approach{{Name: "a"}}, SLO: workload.SLO{Request: workload.RequestLimits{TTFT: workload.Duration(150 * time.Millisecond)}}}
	m := &measure.Manifest{ID: "id", Started: time.Now(), Scenario: s, Schedule: measure.ScheduleRecord{OpenLoop: true, Arrivals: n}}
	if change != nil {
		change(s, m)
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := measure.Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * gap
	}
	epoch := time.Now()
	b := measure.Block{Approach: "a", Endpoint: &scripted{epoch, do}, Epoch: epoch, Phases: s.Phases, Times: times,
		Request: func(i int) workload.Request { return workload.Request{Index: i, MaxTokens: 2} }}
	if err := (&measure.Runner{Writer: w}).Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Run(rec)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRunSummarisesADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := measured(t, 2000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			switch {
			case i%100 == 99:
				return 10 * time.Millisecond, 0, endpoint.HTTPStatus
			case i%10 == 0:
				return 200 * time.Millisecond, 100 * time.Millisecond, endpoint.OK
			}
			return 100 * time.Millisecond, time.Millisecond, endpoint.OK
		})
		s := a.Summary.Approaches[0]
		if s.Attempts != 2000 || s.OK != 1980 || s.Errors[endpoint.HTTPStatus] != 20 || s.ErrorExamples[endpoint.HTTPStatus] != "scripted" {
			t.Errorf("attempts %d ok %d errors %v", s.Attempts, s.OK, s.Errors)
		}
		if math.Abs(s.OfferedRate-100) > 1e-9 || math.Abs(s.DeliveredRate-100) > 1e-9 {
			t.Errorf("offered %g delivered %g, want 100", s.OfferedRate, s.DeliveredRate)
		}
		ttft := s.Metrics[workload.TTFT]
		if !near(ttft.P50, 0.1) || !near(ttft.P90, 0.2) || !near(ttft.P95, 0.2) {
			t.Errorf("ttft %+v", ttft)
		}
		if !near(s.Metrics[workload.ITL].P50, 0.01) || s.Metrics[workload.ITL].N != 1980 {
			t.Errorf("itl %+v", s.Metrics[workload.ITL])
		}
		if !near(s.Metrics[workload.QueueingDelay].P50, 0.001) || s.Labels[workload.QueueingDelay] != "reported" {
			t.Errorf("queueing delay %+v, %v", s.Metrics[workload.QueueingDelay], s.Labels)
		}
		// 10% are too slow and 1% failed
		if math.Abs(s.Goodput.Ratio-0.89) > 1e-9 || math.Abs(s.Goodput.PerSecond-89) > 1e-9 {
			t.Errorf("goodput %+v", s.Goodput)
		}
		if *s.Tokens.Output != 3960 || s.Tokens.Basis != "usage" || *s.Tokens.AskedOutput != 3960 {
			t.Errorf("tokens %+v", s.Tokens)
		}
		// The run happens in virtual time, but the process's own pauses are this machine's.
		for _, r := range a.Summary.Validity.Reasons {
			if r.Verdict != Valid && !slices.Contains([]string{"gc_pause", "cpu", "throttled"}, r.Code) {
				t.Errorf("validity %+v", r)
			}
		}
	})
}

func TestSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := measured(t, 2000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			if i == 1000 {
				return time.Millisecond, 0, endpoint.Truncated
			}
			return 90 * time.Millisecond, 40 * time.Millisecond, endpoint.OK
		})
		s := a.Series[0]
		// Little's law on the client's own side: 100/s times 100 ms in flight is 10.
		for _, b := range s.InFlight[2 : len(s.InFlight)-3] {
			if math.Abs(b.V-10) > 0.5 {
				t.Errorf("in flight at %gs: %g, want 10", b.T, b.V)
			}
		}
		for _, b := range a.Arrivals {
			if math.Abs(b.V-100) > 1e-6 {
				t.Errorf("offered at %gs: %g/s, want 100", b.T, b.V)
			}
		}
		if !slices.Equal(s.Failed, []float64{10}) || len(s.TTFT) != 1999 {
			t.Errorf("failed at %v, %d points", s.Failed, len(s.TTFT))
		}
		c := s.Curves[workload.TTFT]
		if c.N != 1999 || math.Abs(c.Reached-1999.0/2000) > 1e-12 || c.P[len(c.P)-1] != c.Reached {
			t.Errorf("curve %+v", c)
		}
		for _, b := range s.Breakdown {
			total := 0.0
			for _, p := range b.Parts {
				total += p.Value
				if p.Name == PartQueue && math.Abs(p.Value-0.04) > 1e-9 || p.Name == PartService && math.Abs(p.Value-0.05) > 1e-9 {
					t.Errorf("%s: %s %g", b.At, p.Name, p.Value)
				}
			}
			if math.Abs(total-0.09) > 1e-9 {
				t.Errorf("%s: the parts come to %g, the TTFT is 0.09", b.At, total)
			}
		}
		if len(s.Breakdown) != 4 || s.QueueingLabel != "reported" || math.Abs(s.Queueing[5].V-0.04) > 1e-9 {
			t.Errorf("%d breakdowns, queueing %s %v", len(s.Breakdown), s.QueueingLabel, s.Queueing[5])
		}
	})
}

// A run longer than a scatter's worth of points is thinned, not cut.
func TestPointsAreThinnedEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := measured(t, 10000, nil, func(int) (time.Duration, time.Duration, endpoint.Class) { return time.Millisecond, 0, endpoint.OK })
		points := a.Series[0].TTFT
		if len(points) > maxPoints || len(points) < maxPoints/2 || points[len(points)-1].T < 99 {
			t.Errorf("%d points up to %gs", len(points), points[len(points)-1].T)
		}
	})
}

func TestValidityReasons(t *testing.T) {
	fine := func(int) (time.Duration, time.Duration, endpoint.Class) {
		return 100 * time.Millisecond, 0, endpoint.OK
	}
	tests := []struct {
		name, code, verdict string
		n                   int
		change              func(*workload.Scenario, *measure.Manifest)
		do                  func(int) (time.Duration, time.Duration, endpoint.Class)
	}{
		{"closed loop", "closed_loop", Valid, 1000, func(_ *workload.Scenario, m *measure.Manifest) { m.Schedule.OpenLoop = false }, fine},
		{"everything failed", "all_failed", Invalid, 1000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			return 0, 0, []endpoint.Class{endpoint.Truncated, endpoint.Empty}[i%2]
		}},
		{"hardly any request", "few_samples", Suspect, 10, nil, fine},
		{"too few for p99", "few_samples", Valid, 100, nil, fine},
		{"an approach was not reached", "missing_approaches", Suspect, 1000, func(s *workload.Scenario, _ *measure.Manifest) {
			s.Approaches = append(s.Approaches, workload.Approach{Name: "b"})
		}, fine},
		{"most attempts fail", "failures", Suspect, 1000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			if i%4 != 0 {
				return 0, 0, endpoint.HTTPStatus
			}
			return 100 * time.Millisecond, 0, endpoint.OK
		}},
		{"some attempts fail", "failures", Valid, 1000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			if i%20 == 0 {
				return 0, 0, endpoint.HTTPStatus
			}
			return 100 * time.Millisecond, 0, endpoint.OK
		}},
		{"refused connections are the endpoint's", "refused", Valid, 1000, nil, func(i int) (time.Duration, time.Duration, endpoint.Class) {
			if i%5 == 4 {
				return 0, 0, endpoint.ConnectFailed
			}
			return 100 * time.Millisecond, 0, endpoint.OK
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := measured(t, tt.n, tt.change, tt.do).Summary.Validity
				i := slices.IndexFunc(v.Reasons, func(r Reason) bool { return r.Code == tt.code })
				if i < 0 || v.Reasons[i].Verdict != tt.verdict || v.Reasons[i].Text == "" {
					t.Fatalf("reasons %+v, want %s as %s", v.Reasons, tt.code, tt.verdict)
				}
				if severity(v.Verdict) < severity(tt.verdict) {
					t.Errorf("verdict %s with a reason that is %s", v.Verdict, tt.verdict)
				}
			})
		})
	}
}

// lateFold is an approach whose generator was late by d for 2% of its requests, against a TTFT of 100 ms.
func lateFold(d time.Duration) *fold {
	f := newFold("a", workload.RequestLimits{})
	for i := range 1000 {
		late := time.Duration(0)
		if i%50 == 0 {
			late = d
		}
		f.add(&measure.Sample{Class: endpoint.OK, Scheduled: measure.At(0), Dispatched: measure.At(late), Sent: measure.At(late),
			FirstToken: measure.At(100 * time.Millisecond), Done: measure.At(time.Second), Chunks: 1, Reads: 1})
	}
	return f
}

func TestSendLagVerdict(t *testing.T) {
	for d, want := range map[time.Duration]string{500 * time.Microsecond: Valid, 5 * time.Millisecond: Suspect, 50 * time.Millisecond: Invalid} {
		a := &audit{}
		a.lag(lateFold(d))
		if got := a.verdict().Verdict; got != want {
			t.Errorf("lag p99 %s against a TTFT of 100 ms: %s, want %s", d, got, want)
		}
	}
}

func TestUnsentRequestsInvalidate(t *testing.T) {
	f := foldOf(100, 0)
	for range 5 {
		f.add(&measure.Sample{Class: endpoint.Cancelled, Scheduled: measure.At(0)})
	}
	a := &audit{}
	a.delivery(f)
	if v := a.verdict(); v.Verdict != Invalid || v.Reasons[0].Code != "offered_delivered" {
		t.Errorf("%+v", v)
	}
}

// Whose fault it is that a request never went out.
func TestDelivery(t *testing.T) {
	at := measure.At
	tests := []struct {
		name          string
		row           measure.Sample
		code, verdict string // empty: no reason
	}{
		{"still waiting for a connection at the end of the drain", measure.Sample{Class: endpoint.Unfinished, Dispatched: at(0), ConnectStart: at(0)}, "refused", Valid},
		{"the server took no bytes", measure.Sample{Class: endpoint.TimeoutTotal, Dispatched: at(0), ConnectStart: at(0), Connected: at(0)}, "", Valid},
		{"no file descriptor left", measure.Sample{Class: endpoint.ClientLimit, Error: "too many open files", Dispatched: at(0), ConnectStart: at(0)}, "client_limits", Invalid},
		{"never tried", measure.Sample{Class: endpoint.Cancelled, Dispatched: at(0)}, "offered_delivered", Invalid},
	}
	for _, tt := range tests {
		f := foldOf(100, 0)
		for range 5 {
			f.add(&tt.row)
		}
		a := &audit{}
		a.delivery(f)
		v := a.verdict()
		if tt.code == "" && len(v.Reasons) > 0 || tt.code != "" && (len(v.Reasons) != 1 || v.Reasons[0].Code != tt.code) || v.Verdict != tt.verdict {
			t.Errorf("%s: %+v, want %s %s", tt.name, v, tt.verdict, tt.code)
		}
	}
}

// A proxy that holds answers back until they are whole makes every gap 0, which no threshold on gaps can see.
func TestBufferedAnswersAreSuspect(t *testing.T) {
	for whole, want := range map[int]string{10: Valid, 100: Suspect} {
		f := newFold("a", workload.RequestLimits{})
		for i := range 100 {
			n, s := 20, measure.Sample{Class: endpoint.OK, Scheduled: measure.At(0), Sent: measure.At(0), Chunks: 20, Reads: 20,
				FirstToken: measure.At(time.Second), LastToken: measure.At(2 * time.Second)}
			if s.OutputTokens = &n; i < whole {
				s.Reads, s.LastToken = 1, s.FirstToken
			}
			f.add(&s)
		}
		a := &audit{}
		a.tokens(f)
		if v := a.verdict(); v.Verdict != want {
			t.Errorf("%d of 100 answers in one read: %+v, want %s", whole, v, want)
		}
	}
}

// Lists are lists in summary.json, also when they are empty.
func TestNoObjectiveIsAnEmptyList(t *testing.T) {
	if b, err := json.Marshal(must(foldOf(1, 0).summary(workload.SLO{}, nil))); err != nil || !strings.Contains(string(b), `"slo":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}

// A load beyond what the machine was proven for is suspect.
func TestBeyondTheProvenLoad(t *testing.T) {
	floor := &measure.NoiseFloor{EventsPerSecond: 1000}
	block := func(events int64, simulated bool) *measure.BlockRecord {
		return &measure.BlockRecord{Approach: "a", Simulated: simulated, Client: measure.ClientRecord{Events: events, Wall: 10 * time.Second}}
	}
	for _, tt := range []struct {
		name  string
		block *measure.BlockRecord
		floor *measure.NoiseFloor
		want  string
	}{
		{"within", block(9_000, false), floor, Valid},
		{"beyond", block(11_000, false), floor, Suspect},
		{"beyond, embedded", block(11_000, true), floor, Valid},
		{"never measured", block(11_000, false), nil, Valid},
	} {
		a := &audit{}
		a.proven(tt.block, tt.floor)
		if got := a.verdict().Verdict; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
