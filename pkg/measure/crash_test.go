package measure_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// twoTokens answers every request in two tokens, 20 ms apart.
type twoTokens struct{ epoch time.Time }

func (e *twoTokens) Do(_ context.Context, _ *workload.Request, obs endpoint.Observer) endpoint.Result {
	for read, k := range []endpoint.Kind{endpoint.Connected, endpoint.Sent, endpoint.Answer, endpoint.Answer, endpoint.Done} {
		if read == 3 {
			time.Sleep(20 * time.Millisecond)
		}
		obs.Observe(endpoint.Event{Kind: k, At: time.Since(e.epoch), Read: uint32(read)})
	}
	return endpoint.Result{Class: endpoint.OK}
}

func (e *twoTokens) Close() {}

func twoTokenBlock(gap time.Duration, n int) measure.Block {
	epoch := time.Now()
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * gap
	}
	return measure.Block{Approach: "a", Endpoint: &twoTokens{epoch}, Epoch: epoch, Times: times,
		Phases:  workload.Phases{Measure: workload.Duration(time.Duration(n) * gap), Drain: workload.Duration(time.Minute)},
		Request: func(i int) workload.Request { return workload.Request{Index: i} }}
}

// What a kill -9 leaves behind is what the files hold at that instant. At any instant they give back every request that
// had ended a second before, with its gaps, as a run that is incomplete.
func TestAKillLosesAtMostTheLastSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := measure.Create(dir, &measure.Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test"}})
		if err != nil {
			t.Fatal(err)
		}
		const gap = 10 * time.Millisecond
		done := make(chan error)
		zero := time.Now().Add(50 * time.Millisecond) // the runner's lead
		go func() { done <- (&measure.Runner{Writer: w}).Run(t.Context(), twoTokenBlock(gap, 1000)) }()
		for kill := 100 * time.Millisecond; kill < 10*time.Second; kill += 730 * time.Millisecond {
			time.Sleep(time.Until(zero.Add(kill)))
			left := filepath.Join(t.TempDir(), "left")
			if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			rec, err := measure.Open(left)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, err := range rec.Rows() {
				if errors.Is(err, measure.ErrTorn) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			atLeast := int((kill - time.Second - 20*time.Millisecond) / gap)
			if n < atLeast || rec.Manifest.State != measure.Running {
				t.Errorf("killed at %s: %d requests in state %s, want at least %d", kill, n, rec.Manifest.State, atLeast)
			}
			if h := rec.Gaps[measure.Tag{Approach: "a", Metric: workload.ChunkGap}]; n > 0 && (h == nil || h.Count() != int64(n)) {
				t.Errorf("killed at %s: %d requests and not as many gaps", kill, n)
			}
		}
		if err := errors.Join(<-done, w.Close(measure.Complete, "", time.Now())); err != nil {
			t.Fatal(err)
		}
	})
}

// A run ten times as long holds no more memory while it runs, but for its schedule (8 bytes per arrival).
func TestMemoryIsConstantInTheLengthOfTheRun(t *testing.T) {
	inUse := func(n int) (most uint64) {
		synctest.Test(t, func(t *testing.T) {
			looks := 0
			live := func(measure.Live) {
				if looks++; looks%(n/200) == 0 { // ten times in a run of any length
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
			}
			record(t, &measure.Runner{Live: live}, twoTokenBlock(10*time.Millisecond, n))
		})
		return most
	}
	inUse(400) // what is allocated once
	short, long := inUse(1000), inUse(10000)
	if grown := int64(long) - int64(short); grown > 9000*8+512<<10 {
		t.Errorf("a run of 1,000 requests holds %d bytes, one of 10,000 %d more", short, grown)
	}
}
