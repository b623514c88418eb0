package measure_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// lightPrompts are requests of a light-load phase: 50, 100, 150 ... words.
func lightPrompts(n int) (requests []workload.Request) {
	for i := range n {
		req := promptOf(i)
		req.InputTokens, req.MaxTokens = 50*(i+1), 1
		requests = append(requests, req)
	}
	return requests
}

// driveLight runs one block with a light-load phase on a server with a single slot; change may alter the block.
func driveLight(t *testing.T, sim workload.Simulation, r *measure.Runner, light int, change func(*measure.Block)) (*measure.Record, []*measure.Sample, map[string]simulate.Truth) {
	t.Helper()
	l := memnet.Listen()
	server, err := simulate.Serve(t.Context(), l, sim, simulate.Options{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	a := workload.Approach{Name: "a", Model: "m"}
	if a.URL, err = server.Base(a.API); err != nil {
		t.Fatal(err)
	}
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, Dial: l.Dial})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	b := measure.Block{Approach: a.Name, Simulated: true, Endpoint: e, Epoch: epoch, LightLoad: lightPrompts(light),
		Phases: workload.Phases{Measure: workload.Duration(5 * time.Second), Drain: workload.Duration(time.Minute)},
		Times:  poisson(10, 5*time.Second), Request: promptOf}
	if change != nil {
		change(&b)
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := measure.Create(dir, &measure.Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test", Phases: b.Phases}})
	if err != nil {
		t.Fatal(err)
	}
	r.Writer = w
	_ = r.Run(t.Context(), b) // of a hopeless endpoint it is an error
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, rows := read(t, dir)
	e.Close()
	server.Stop()
	truths := map[string]simulate.Truth{}
	for _, tr := range server.Truth() {
		truths[tr.ID] = tr
	}
	return rec, rows, truths
}

var lightSim = workload.Simulation{Network: workload.Duration(4 * time.Millisecond), Overhead: workload.Duration(20 * time.Millisecond),
	PrefillPerToken: workload.Duration(100 * time.Microsecond), DecodeStep: workload.Duration(5 * time.Millisecond), Report: "vllm"}

// TestLightLoadPhase: its requests are sent one after the other, before time 0, and found nobody before them; they have rows of
// their own phase, to the nanosecond what the server says, and are in no total and no count of the block.
func TestLightLoadPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, rows, truths := driveLight(t, lightSim, &measure.Runner{}, 12, nil)
		b := rec.Manifest.Blocks[0]
		if b.LightLoad == nil || b.LightLoad.Asked != 12 || b.LightLoad.Requests != 12 || b.LightLoad.OK != 12 || b.LightLoad.Took <= 0 {
			t.Fatalf("%+v", b.LightLoad)
		}
		if !b.Started.After(b.LightLoad.Started.Add(b.LightLoad.Took)) {
			t.Errorf("the block began at %s, inside the phase", b.Started)
		}
		var last time.Duration
		light, queued := 0, 0
		for _, s := range rows {
			tr, ok := truths[s.RequestID]
			if !ok {
				t.Fatalf("the server knows no %q", s.RequestID)
			}
			if s.Phase != measure.LightLoad {
				if tr.Queue > 0 {
					queued++
				}
				continue
			}
			light++
			sent, _ := s.Sent.Get()
			if sent < last || tr.Queue != 0 {
				t.Errorf("request %d: sent %s, before the end of another at %s; queue %s", s.Index, sent, last, tr.Queue)
			}
			last, _ = s.Done.Get()
			if zero := b.LightLoad.Started; s.Sent != measure.At(tr.Received.Sub(zero)) || s.FirstToken != measure.At(tr.FirstWritten.Sub(zero)) {
				t.Errorf("request %d: sent %v, first token %v; the server says %s, %s", s.Index, s.Sent, s.FirstToken, tr.Received.Sub(zero), tr.FirstWritten.Sub(zero))
			}
		}
		if light != 12 || queued == 0 || b.Attempts != len(rows)-12 || b.Totals[workload.TTFT].Count != int64(len(rows)-12) {
			t.Errorf("%d light, %d queued, %d rows, %d attempts, %d TTFTs", light, queued, len(rows), b.Attempts, b.Totals[workload.TTFT].Count)
		}
	})
}

// TestLightLoadGivesUp: of an endpoint that fails every request it asks four, not all; the block then finds out by itself.
func TestLightLoadGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := lightSim
		sim.Faults = []workload.Fault{{Kind: "http_500", Probability: 1}}
		rec, rows, _ := driveLight(t, sim, &measure.Runner{}, 12, nil)
		l := rec.Manifest.Blocks[0].LightLoad
		if l.Asked != 12 || l.Requests != 4 || l.OK != 0 || rec.Manifest.Blocks[0].Attempts != len(rows)-4 {
			t.Errorf("%+v, %d rows", l, len(rows))
		}
	})
}

// TestLightLoadStops: a run that is stopped in the phase ends at once, and keeps what was sent.
func TestLightLoadStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(1200*time.Millisecond, func() { close(stop) }) // a second goes by before the block
		begun := time.Now()
		rec, rows, _ := driveLight(t, lightSim, &measure.Runner{Stop: stop}, 500, nil)
		b := rec.Manifest.Blocks[0]
		if b.State != measure.Interrupted || b.Attempts != 0 || b.LightLoad.Requests < 2 || b.LightLoad.Requests > 20 || len(rows) != b.LightLoad.Requests {
			t.Errorf("%s, %d attempts, %+v, %d rows", b.State, b.Attempts, b.LightLoad, len(rows))
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it went on for %s", took)
		}
	})
}
