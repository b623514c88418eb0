package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// fakeEndpoint answers every request by a script, on the bubble's clock.
type fakeEndpoint struct {
	epoch  time.Time
	script func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result
}

func (f *fakeEndpoint) Do(ctx context.Context, req *workload.Request, obs endpoint.Observer) endpoint.Result {
	read := uint32(0)
	return f.script(ctx, req, func(k endpoint.Kind) {
		read++
		obs.Observe(endpoint.Event{Kind: k, At: time.Since(f.epoch), Read: read})
	})
}

func (f *fakeEndpoint) Close() {}

// wait sleeps and reports a cancelled context as the class that its cause stands for.
func wait(ctx context.Context, d time.Duration) endpoint.Class {
	select {
	case <-time.After(d):
		return endpoint.OK
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), endpoint.ErrUnfinished) {
			return endpoint.Unfinished
		}
		return endpoint.Cancelled
	}
}

// answer sends five tokens, 10 ms apart, 100 ms after the request.
func answer(ctx context.Context, _ *workload.Request, at func(endpoint.Kind)) endpoint.Result {
	at(endpoint.Connected)
	at(endpoint.Sent)
	if c := wait(ctx, 100*time.Millisecond); c != endpoint.OK {
		return endpoint.Result{Class: c, Error: "stopped"}
	}
	at(endpoint.Headers)
	at(endpoint.Other)
	for i := range 5 {
		if i > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		at(endpoint.Answer)
	}
	at(endpoint.Done)
	n := 5
	return endpoint.Result{Class: endpoint.OK, Status: 200, Usage: endpoint.Usage{Output: &n}}
}

func every(gap time.Duration, n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * gap
	}
	return times
}

func testBlock(script func(context.Context, *workload.Request, func(endpoint.Kind)) endpoint.Result) Block {
	epoch := time.Now()
	return Block{Approach: "a", Endpoint: &fakeEndpoint{epoch, script}, Epoch: epoch,
		Phases:  workload.Phases{Warmup: workload.Duration(time.Second), Measure: workload.Duration(9 * time.Second), Drain: workload.Duration(5 * time.Second)},
		Times:   every(100*time.Millisecond, 100),
		Request: func(i int) workload.Request { return workload.Request{Index: i, MaxTokens: 5} }}
}

// runBlock runs one block into a fresh directory and reads it back.
func runBlock(t *testing.T, r *Runner, ctx context.Context, b Block) (*Record, []*Sample, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, &Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Writer = w
	rerr := r.Run(ctx, b)
	if err := w.Close(Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*Sample
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, s)
	}
	return rec, rows, rerr
}

func latency(t *testing.T, s *Sample, m workload.Metric) time.Duration {
	t.Helper()
	d, ok := s.Latency(m)
	if !ok {
		t.Fatalf("request %d has no %s", s.Index, m)
	}
	return d
}

func TestRunRecordsExactTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lives []Live
		r := &Runner{Live: func(l Live) { lives = append(lives, l) }}
		rec, rows, err := runBlock(t, r, t.Context(), testBlock(answer))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 100 {
			t.Fatalf("%d rows, want 100", len(rows))
		}
		for i, s := range rows {
			want := At(time.Duration(i) * 100 * time.Millisecond)
			phase := Measure
			if i < 10 {
				phase = Warmup
			}
			if s.Index != i || s.Scheduled != want || s.Dispatched != want || s.Sent != want || s.Phase != phase {
				t.Fatalf("row %d: index %d scheduled %v dispatched %v sent %v phase %s", i, s.Index, s.Scheduled, s.Dispatched, s.Sent, s.Phase)
			}
			for m, want := range map[workload.Metric]time.Duration{
				workload.TTFT: 100 * time.Millisecond, workload.ServiceTTFT: 100 * time.Millisecond, workload.TTFVT: 100 * time.Millisecond,
				workload.TPOT: 10 * time.Millisecond, workload.Stall: 10 * time.Millisecond, workload.E2E: 140 * time.Millisecond, workload.SendDelay: 0} {
				if got := latency(t, s, m); got != want {
					t.Errorf("row %d: %s = %s, want %s", i, m, got, want)
				}
			}
			if _, ok := s.Latency(workload.QueueingDelay); ok {
				t.Errorf("row %d has a queueing delay although nobody reported one", i)
			}
			if s.Events != 6 || s.Chunks != 5 || s.Reads != 5 || s.Basis != BasisUsage {
				t.Errorf("row %d: events %d chunks %d reads %d basis %s", i, s.Events, s.Chunks, s.Reads, s.Basis)
			}
		}
		gaps := rec.Gaps[Tag{Approach: "a", Block: 0, Metric: workload.ITL}]
		if gaps == nil || gaps.Count() != 90*4 {
			t.Fatalf("ITL of the measure phase: %+v, want 360 values", gaps)
		}
		if got := gaps.Totals(); got.Min != int64(10*time.Millisecond) || got.Max != int64(10*time.Millisecond) {
			t.Errorf("ITL totals %+v, want 10 ms", got)
		}
		b := rec.Manifest.Blocks[0]
		if b.State != Complete || b.Attempts != 100 || b.Scheduled != 100 || b.Client.Events != 600 {
			t.Errorf("block %+v", b)
		}
		if last := lives[len(lives)-1]; last.Done != 100 || last.InFlight != 0 || last.TTFTP99.Sub(At(0)) != At(100*time.Millisecond) {
			t.Errorf("last live %+v", last)
		}
	})
}

// A server that stands still for 2 s must show in the TTFT of everyone who arrived meanwhile, and must not delay one
// arrival.
func TestOpenLoopChargesAStallToEveryArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(lead)
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			at(endpoint.Sent)
			since := time.Since(start)
			if since >= 5*time.Second && since < 7*time.Second {
				time.Sleep(7*time.Second - since)
			}
			time.Sleep(5 * time.Millisecond)
			at(endpoint.Answer)
			at(endpoint.Done)
			return endpoint.Result{Class: endpoint.OK, Status: 200}
		})
		b.Times = every(10*time.Millisecond, 1000) // 100/s
		_, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		var ttft Hist
		slow := 0
		for _, s := range rows {
			if s.Dispatched != s.Scheduled {
				t.Fatalf("request %d was held back: scheduled %v, dispatched %v", s.Index, s.Scheduled, s.Dispatched)
			}
			d := latency(t, s, workload.TTFT)
			ttft.Record(d)
			if d > 5*time.Millisecond {
				slow++
			}
		}
		if slow != 200 {
			t.Errorf("%d requests felt the stall, want the 200 that arrived in it", slow)
		}
		if p99, _ := ttft.ValueAtRank(990); p99 < 1890*time.Millisecond {
			t.Errorf("p99 %s, want about 1.9 s", p99)
		}
	})
}

// The same server under a closed loop of one user meets the stall once: its p99 is milliseconds. The record says that
// the loop was closed by the scheduled times following the answers.
func TestClosedLoopHidesTheStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(lead)
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			at(endpoint.Sent)
			since := time.Since(start)
			if since >= 5*time.Second && since < 7*time.Second {
				time.Sleep(7*time.Second - since)
			}
			time.Sleep(5 * time.Millisecond)
			at(endpoint.Answer)
			at(endpoint.Done)
			return endpoint.Result{Class: endpoint.OK, Status: 200}
		})
		b.Times, b.Closed = nil, &workload.ClosedLoop{Users: 1, Think: workload.Duration(5 * time.Millisecond)}
		_, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		slow := 0
		for i, s := range rows {
			if latency(t, s, workload.TTFT) > 5*time.Millisecond {
				slow++
			}
			if i > 0 && s.Scheduled != At(mustGet(rows[i-1].Done)+5*time.Millisecond) {
				t.Fatalf("request %d was scheduled at %v, the answer before it ended at %v", i, s.Scheduled, rows[i-1].Done)
			}
		}
		if slow != 1 || len(rows) < 790 {
			t.Errorf("%d of %d requests felt the stall, want 1 of about 800", slow, len(rows))
		}
	})
}

func mustGet(s Stamp) time.Duration { d, _ := s.Get(); return d }

func TestStopDrainsAndKeepsTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(stop) })
		rec, rows, err := runBlock(t, &Runner{Stop: stop}, t.Context(), testBlock(answer))
		if err != nil {
			t.Fatal(err)
		}
		b := rec.Manifest.Blocks[0]
		if b.State != Interrupted || len(rows) != b.Scheduled || len(rows) < 29 || len(rows) > 31 {
			t.Errorf("state %s, %d rows of %d scheduled", b.State, len(rows), b.Scheduled)
		}
		for _, s := range rows {
			if !s.OK() {
				t.Errorf("request %d was in flight at the stop and ended as %s, want it drained", s.Index, s.Class)
			}
		}
	})
}

func TestCancelStopsAtOnceAndKeepsTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3050*time.Millisecond+lead, cancel)
		began := time.Now()
		rec, rows, err := runBlock(t, &Runner{}, ctx, testBlock(answer))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3050*time.Millisecond+2*lead {
			t.Errorf("took %s after a cancel at 3.05 s", took)
		}
		last := rows[len(rows)-1]
		if rec.Manifest.Blocks[0].State != Interrupted || last.Class != endpoint.Cancelled {
			t.Errorf("state %s, last row %s", rec.Manifest.Blocks[0].State, last.Class)
		}
	})
}

func TestUnfinishedAtTheEndOfTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			at(endpoint.Sent)
			if req.Index%10 == 9 {
				return endpoint.Result{Class: wait(ctx, time.Hour), Error: "hung"}
			}
			at(endpoint.Answer)
			at(endpoint.Done)
			return endpoint.Result{Class: endpoint.OK}
		})
		rec, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range rows {
			if s.Class == endpoint.Unfinished {
				n++
				if _, ok := s.Latency(workload.TTFT); ok {
					t.Errorf("request %d never got a token and has a TTFT", s.Index)
				}
			}
		}
		if n != 10 || len(rows) != 100 || rec.Manifest.Blocks[0].State != Complete {
			t.Errorf("%d unfinished of %d, state %s", n, len(rows), rec.Manifest.Blocks[0].State)
		}
	})
}

func TestHopelessEndpointEndsTheBlockEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBlock(func(context.Context, *workload.Request, func(endpoint.Kind)) endpoint.Result {
			return endpoint.Result{Class: endpoint.HTTPStatus, Status: 401, Error: "401: invalid api key"}
		})
		rec, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err == nil || !strings.Contains(err.Error(), "invalid api key") {
			t.Errorf("error %v, want the server's own words", err)
		}
		if rec.Manifest.Blocks[0].State != Failed || len(rows) < hopelessAfter || len(rows) > hopelessAfter+2 {
			t.Errorf("state %s after %d requests", rec.Manifest.Blocks[0].State, len(rows))
		}
	})
}

// One early success is hope: a flaky endpoint is measured to the end.
func TestFlakyEndpointIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			if req.Index == 7 {
				return answer(ctx, req, at)
			}
			return endpoint.Result{Class: endpoint.RateLimited, Status: 429, Error: "slow down"}
		})
		_, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil || len(rows) != 100 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})
}

// Refusals come back at once and answers take their time: that the first to end were all refused says nothing yet.
func TestSlowAnswersAmongQuickRefusalsAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			if req.Index%4 != 0 {
				return endpoint.Result{Class: endpoint.RateLimited, Status: 429, Error: "slow down"}
			}
			if c := wait(ctx, 4*time.Second); c != endpoint.OK {
				return endpoint.Result{Class: c}
			}
			return answer(ctx, req, at)
		})
		_, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil || len(rows) != 100 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})
}

// A disk that fails stops the run with an error that names the record; what was written before stays.
func TestDiskFailureStopsTheRun(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := Create(dir, &Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test"}})
		if err != nil {
			t.Fatal(err)
		}
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.ticks.f.Close()
		w.ticks.f = full
		w.ticks = &tickLog{f: full, enc: json.NewEncoder(full)}
		err = (&Runner{Writer: w}).Run(t.Context(), testBlock(answer))
		if !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("error %v, want that of the disk", err)
		}
		rec, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if b := rec.Manifest.Blocks[0]; b.State != Failed || b.Scheduled > 30 {
			t.Errorf("block %+v: the run went on over a full disk", b)
		}
	})
}

func TestCreateRefusesADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	m := func() *Manifest {
		return &Manifest{ID: "x", Started: time.Now(), Scenario: &workload.Scenario{Name: "x"}}
	}
	if _, err := Create(dir, m()); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, m()); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("error %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no run directory") {
		t.Errorf("opening an empty folder: %v", err)
	}
}

func TestRecorderFoldsEvents(t *testing.T) {
	type ev struct {
		kind   endpoint.Kind
		ms     int
		read   uint32
		tokens int
	}
	tests := []struct {
		name             string
		events           []ev
		usage, reasoning int // -1: not reported
		chunks, reads    int
		itl              string // values and counts, as recorded
		ttfvt            string
		tpot             string
	}{
		{"one token per read", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 30, 2, 0}, {endpoint.Answer, 40, 3, 0}}, 3, -1, 3, 3, "[10ms 20ms]", "10ms", "15ms"},
		{"two events in one read are one gap", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 30, 2, 0}, {endpoint.Answer, 30, 2, 0}}, 3, -1, 3, 2, "[10ms 10ms]", "10ms", "10ms"},
		{"the wire tells two tokens per event", []ev{{endpoint.Answer, 10, 1, 2}, {endpoint.Answer, 30, 2, 2}}, 4, -1, 2, 2, "[10ms 10ms]", "10ms", "6.666666ms"},
		{"usage tells two tokens per event", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 30, 2, 0}}, 4, -1, 2, 2, "[10ms 10ms]", "10ms", "6.666666ms"},
		{"reasoning first", []ev{{endpoint.Reasoning, 10, 1, 0}, {endpoint.Answer, 30, 2, 0}}, 2, 1, 2, 2, "[20ms]", "30ms", "20ms"},
		{"hidden reasoning is before the first token", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 30, 2, 0}}, 102, 100, 2, 2, "[20ms]", "10ms", "20ms"},
		{"tool call only", []ev{{endpoint.Tool, 10, 1, 0}, {endpoint.Tool, 30, 2, 0}}, 2, -1, 2, 2, "[20ms]", "-", "20ms"},
		{"no usage: chunks", []ev{{endpoint.Other, 5, 1, 0}, {endpoint.Answer, 10, 2, 0}, {endpoint.Answer, 30, 3, 0}}, -1, -1, 2, 2, "[20ms]", "10ms", "20ms"},
		{"chunks of 1.4 tokens weigh 1.4 tokens", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 20, 2, 0}, {endpoint.Answer, 30, 3, 0}, {endpoint.Answer, 40, 4, 0}, {endpoint.Answer, 50, 5, 0}},
			7, -1, 5, 5, "[7.1ms 7.1ms 7.1ms 7.1ms 7.1ms 7.1ms]", "10ms", "6.666666ms"},
		{"the end of the sequence has no text", []ev{{endpoint.Answer, 10, 1, 0}, {endpoint.Answer, 20, 2, 0}, {endpoint.Answer, 30, 3, 0}}, 4, -1, 3, 3, "[10ms 10ms]", "10ms", "6.666666ms"},
		{"one token has no TPOT", []ev{{endpoint.Answer, 10, 1, 0}}, 1, -1, 1, 1, "[]", "10ms", "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Sample{Scheduled: At(0)}
			r := recorder{sample: s, count: &counters{}}
			for _, e := range tt.events {
				r.Observe(endpoint.Event{Kind: e.kind, At: time.Duration(e.ms) * time.Millisecond, Read: e.read, Tokens: e.tokens})
			}
			res := endpoint.Result{Class: endpoint.OK}
			if tt.usage >= 0 {
				res.Usage.Output = &tt.usage
			}
			if tt.reasoning >= 0 {
				res.Usage.Reasoning = &tt.reasoning
			}
			r.finish(&res)
			if s.Chunks != tt.chunks || s.Reads != tt.reads {
				t.Errorf("chunks %d reads %d, want %d and %d", s.Chunks, s.Reads, tt.chunks, tt.reads)
			}
			var tally Tally
			if err := tally.Add(s); err != nil {
				t.Fatal(err)
			}
			var itl []time.Duration
			for k := int64(1); k <= tally.Hist(workload.ITL).Count(); k++ {
				v, _ := tally.Hist(workload.ITL).ValueAtRank(k)
				itl = append(itl, v.Round(100*time.Microsecond))
			}
			if got := fmt.Sprint(itl); got != tt.itl {
				t.Errorf("ITL %s, want %s", got, tt.itl)
			}
			for m, want := range map[workload.Metric]string{workload.TTFVT: tt.ttfvt, workload.TPOT: tt.tpot} {
				got := "-"
				if d, ok := s.Latency(m); ok {
					got = d.String()
				}
				if got != want {
					t.Errorf("%s %s, want %s", m, got, want)
				}
			}
		})
	}
}

// A display that blocks, as a stopped terminal does, holds nothing up and sees the last state when it goes on.
func TestABlockedDisplayHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Live
		_, rows, err := runBlock(t, &Runner{Live: func(l Live) {
			if last.Elapsed == 0 {
				time.Sleep(time.Hour)
			}
			last = l
		}}, t.Context(), testBlock(answer))
		if err != nil || len(rows) == 0 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, s := range rows {
			if lag, _ := s.Lag(); lag > 0 || !s.OK() {
				t.Fatalf("request %d: lag %v, %s", s.Index, lag, s.Class)
			}
		}
		if last.Done != int64(len(rows)) {
			t.Errorf("the last state shows %d requests done, of %d", last.Done, len(rows))
		}
	})
}

// The proxy that a block's requests went through stands in its record; nobody asked for one in the other.
func TestProxyInTheRecord(t *testing.T) {
	for _, proxy := range []string{"proxy.example:3128", ""} {
		synctest.Test(t, func(t *testing.T) {
			b := testBlock(answer)
			b.Proxy, b.Times = proxy, b.Times[:1]
			rec, _, err := runBlock(t, &Runner{}, t.Context(), b)
			if err != nil || rec.Manifest.Blocks[0].Proxy != proxy {
				t.Errorf("%q, %v", rec.Manifest.Blocks[0].Proxy, err)
			}
			manifest, err := os.ReadFile(filepath.Join(rec.Dir, "manifest.json"))
			if err != nil || strings.Contains(string(manifest), `"proxy"`) != (proxy != "") {
				t.Errorf("%s, %v", manifest, err)
			}
		})
	}
}
