package analyze_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// stage is simulated servers that stay up from one run to the next.
type stage map[string]host

type host struct {
	*memnet.Listener
	*simulate.Running
}

// on gives the server of a simulation: approaches and runs with the same one call the same server.
func (st stage) on(t *testing.T, sim *workload.Simulation, seed uint64) host {
	t.Helper()
	key := fmt.Sprint(*sim)
	at, open := st[key]
	if !open {
		var err error
		at.Listener = memnet.Listen()
		if at.Running, err = simulate.Serve(t.Context(), at.Listener, *sim, simulate.Options{Seed: seed}); err != nil {
			t.Fatal(err)
		}
		st[key] = at
	}
	return at
}

func (st stage) stop() {
	for _, at := range st {
		at.Stop()
	}
}

// play runs a scenario on servers of its own. keep says which requests of a block are not lost on the way to the runner.
func play(t *testing.T, text string, keep func(i int) bool) (*analyze.Analysis, *measure.Record) {
	t.Helper()
	st := stage{}
	defer st.stop()
	return st.play(t, text, "", keep)
}

// play runs a scenario, whose approaches are all simulated, in virtual time through all of the real way, as infbench run
// does, and analyses the directory.
func (st stage) play(t *testing.T, text, nonce string, keep func(i int) bool) (*analyze.Analysis, *measure.Record) {
	t.Helper()
	s, err := workload.Parse([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.Dir = filepath.Join("..", "workload", "testdata", "traces")
	sched, err := workload.NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	source, err := workload.NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	source.SetRun(nonce)
	dir := filepath.Join(t.TempDir(), "run")
	w, err := measure.Create(dir, &measure.Manifest{ID: "test", RunNonce: nonce, Datasets: source.Datasets(), Started: time.Now(), Scenario: s, Asked: source.Asked(sched), AskedClasses: source.AskedByClass(sched),
		Schedule: measure.ScheduleRecord{OpenLoop: sched.Open, Arrivals: len(sched.Times)}})
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	var indices []int
	for i, at := range sched.Times {
		if keep == nil || keep(i) {
			times, indices = append(times, at), append(indices, i)
		}
	}
	for k, a := range s.Approaches {
		at := st.on(t, a.Simulate, s.Seed)
		if a.URL, err = at.Base(a.API); err != nil {
			t.Fatal(err)
		}
		a.Model = "m"
		epoch := time.Now()
		e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, Dial: at.Dial, KeepText: s.Converses()})
		if err != nil {
			t.Fatal(err)
		}
		b := measure.Block{Index: k, Approach: a.Name, Simulated: true, Endpoint: e, Epoch: epoch, Phases: s.Phases, Times: times, Closed: s.Arrivals.ClosedLoop,
			Request: func(i int) workload.Request {
				if sched.Open {
					i = indices[i]
				}
				return source.Request(i, workload.Nonce{Approach: a.Name, Block: k})
			}}
		if s.Converses() {
			b.Follow = source.Follow
		}
		if l := s.Phases.LightLoad; l != nil {
			if b.LightLoad, err = source.LightLoad(sched, l.Requests, nonce, workload.Nonce{Approach: a.Name, Block: k}); err != nil {
				t.Fatal(err)
			}
		}
		if err := (&measure.Runner{Writer: w}).Run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		e.Close()
	}
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	an, err := analyze.Run(rec)
	if err != nil {
		t.Fatal(err)
	}
	return an, rec
}

const sentScenario = `
name: sent
seed: 3
phases: {warmup: 10s, measure: %s, drain: 60s}
arrivals: %s
prompts: %s
approaches:
  - name: one
    simulate: {profile: hosted-small}
`

const someLengths = "{synthetic: {input: {lognormal: {median: 100, sigma: 0.5}}, output: {uniform: {min: 1, max: 5}}}}"

// kinds are the presets, a burst family apart, and an excerpt of a production trace.
var kinds = map[string]string{
	"steady":                fmt.Sprintf(sentScenario, "100s", "{preset: steady, rate: 3/s}", someLengths),
	"bursty":                fmt.Sprintf(sentScenario, "100s", "{preset: bursty, rate: 3/s}", someLengths),
	"spike":                 fmt.Sprintf(sentScenario, "100s", "{preset: spike, rate: 3/s}", someLengths),
	"on-off":                fmt.Sprintf(sentScenario, "400s", "{preset: on-off, rate: 2/s}", someLengths),
	"ramp":                  fmt.Sprintf(sentScenario, "100s", "{preset: ramp, rate: 5/s}", someLengths),
	"diurnal":               fmt.Sprintf(sentScenario, "100s", "{preset: diurnal, rate: 3/s}", someLengths),
	"constant":              fmt.Sprintf(sentScenario, "100s", "{rate: 3/s, burst: {constant: {}}}", someLengths),
	"Azure conversation":    fmt.Sprintf(sentScenario, "60s", "{shape: {trace: {path: azure-2023-conv-first300.csv}}}", "{trace: {max_output: 20}}"),
	"Azure, twice the rate": fmt.Sprintf(sentScenario, "30s", "{shape: {trace: {path: azure-2023-conv-first300.csv, speed: 2}}}", "{trace: {max_input: 500, max_output: 5}}"),
}

// TestSentIsWhatWasAsked: in virtual time the client is never late, so every figure of what was sent is that of what was
// asked, to the last bit, and each request was sent when it was scheduled plus its own lag.
func TestSentIsWhatWasAsked(t *testing.T) {
	for name, text := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, rec := play(t, text, nil)
				w := an.Summary.Workload
				if w.Asked == nil || len(w.Sent) != 1 || w.Asked.Requests < 50 || len(w.Asked.IDC) == 0 || w.Asked.Input.P50 == nil {
					t.Fatalf("asked %+v, %d blocks", w.Asked, len(w.Sent))
				}
				for _, b := range w.Sent {
					if b.Requests != w.Asked.Requests || b.Rate != w.Asked.Rate || *b.CV != *w.Asked.CV || !slices.Equal(b.IDC, w.Asked.IDC) || b.Unsent != 0 {
						t.Errorf("%s: sent %+v, asked %+v", b.Approach, b.Traffic, *w.Asked)
					}
					same(t, b.Approach+" input", b.Input, w.Asked.Input)
					same(t, b.Approach+" input, counted", b.CountedInput, w.Asked.Input)
					same(t, b.Approach+" output", b.Output, w.Asked.Output)
					same(t, b.Approach+" output, counted", b.CountedOutput, w.Asked.Output)
					if len(b.Differences) > 0 {
						t.Errorf("%s differs: %+v", b.Approach, b.Differences)
					}
				}
				if r := reasonOf(an, "workload_as_sent"); r != nil {
					t.Error(r.Text)
				}
				for s := range rec.Rows() {
					if lag, ok := s.Lag(); !ok || s.Sent != s.Scheduled || lag != 0 {
						t.Fatalf("request %d: scheduled %v, sent %v, lag %v", s.Index, s.Scheduled, s.Sent, lag)
					}
				}
			})
		})
	}
}

func same(t *testing.T, what string, got, want *workload.TokenLengths) {
	t.Helper()
	value := func(e *workload.Estimate) float64 {
		if e == nil {
			return math.Inf(1)
		}
		return e.Value
	}
	if got == nil || got.N != want.N || got.Mean != want.Mean || value(got.P10) != value(want.P10) || value(got.P50) != value(want.P50) || value(got.P90) != value(want.P90) || value(got.P99) != value(want.P99) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func reasonOf(an *analyze.Analysis, code string) *analyze.Reason {
	reasons := an.Summary.Validity.Reasons
	if i := slices.IndexFunc(reasons, func(r analyze.Reason) bool { return r.Code == code }); i >= 0 {
		return &reasons[i]
	}
	return nil
}

// TestLostRequestsAreAnotherWorkload: requests that never went out change the load, and the run says so.
func TestLostRequestsAreAnotherWorkload(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   string
		keep   func(i int) bool
		figure string
	}{
		"one in fifty is lost":    {"steady", func(i int) bool { return i%50 != 0 }, "rate"},
		"every third of a burst":  {"bursty", func(i int) bool { return i%3 != 0 }, "cv"},
		"the second half is lost": {"spike", func(i int) bool { return i < 250 }, "idc 10s"},
		"a quarter of a trace":    {"Azure conversation", func(i int) bool { return i%4 != 1 }, "rate"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, _ := play(t, kinds[tt.kind], tt.keep)
				r := reasonOf(an, "workload_as_sent")
				if r == nil || r.Verdict != analyze.Suspect || !strings.Contains(r.Text, tt.figure) || severe(an) < 1 {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func severe(an *analyze.Analysis) int {
	return slices.Index([]string{analyze.Valid, analyze.Suspect, analyze.Invalid}, an.Summary.Validity.Verdict)
}

// TestClosedLoopAsksForNoArrivals: there is nothing to compare with, and what was sent is described nevertheless.
func TestClosedLoopAsksForNoArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, _ := play(t, fmt.Sprintf(sentScenario, "60s", "{closed_loop: {users: 3}}", someLengths), nil)
		w := an.Summary.Workload
		if w.Asked != nil || len(w.Sent) != 1 || w.Sent[0].Requests < 50 || w.Sent[0].Input.P50 == nil || len(w.Sent[0].Differences) > 0 || reasonOf(an, "workload_as_sent") != nil {
			t.Errorf("%+v", w)
		}
	})
}
