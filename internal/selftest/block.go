package selftest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// block is a schedule that is driven the whole way of a run: the runner, the endpoint, the recorder and a record on disk.
type block struct {
	times  []time.Duration
	script scripted.Script // of every request but for its index
	warmup time.Duration
	spin   time.Duration
	seen   []scripted.Served // what the client saw of each request
}

// spent is what a block cost the process.
type spent struct {
	allocations uint64
	memory      Memory
}

// run hands the record to read; it is gone afterwards. A request that fails is an error.
func (b *block) run(ctx context.Context, url string, read func(*measure.Record, spent) error) error {
	dir, err := os.MkdirTemp("", "infbench-selftest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "run")
	phases := workload.Phases{Warmup: workload.Duration(b.warmup), Measure: workload.Duration(b.times[len(b.times)-1] + time.Second - b.warmup),
		Drain: workload.Duration(lasts(b.script) + time.Minute)} // from the last send on
	w, err := measure.Create(dir, &measure.Manifest{Started: time.Now(), Scenario: &workload.Scenario{Name: "selftest", Phases: phases}})
	if err != nil {
		return err
	}
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url, Model: "scripted"}, Epoch: epoch})
	if err != nil {
		return errors.Join(err, w.Close(measure.Failed, err.Error(), time.Now()))
	}
	defer e.Close()
	tap := &Tap{Endpoint: e, Epoch: epoch, Seen: b.seen}
	before, peak := allocations(), watchMemory()
	err = (&measure.Runner{Writer: w, Spin: b.spin}).Run(ctx, measure.Block{Approach: "selftest", Endpoint: tap, Epoch: epoch, Phases: phases,
		Times: b.times, Request: b.request})
	cost := spent{memory: peak(), allocations: allocations() - before}
	if err = errors.Join(err, w.Close(measure.Complete, "", time.Now()), tap.Err()); err != nil {
		return err
	}
	rec, err := measure.Open(dir)
	if err != nil {
		return err
	}
	return read(rec, cost)
}

func (b *block) request(i int) workload.Request {
	s := b.script
	s.Index = i
	return workload.Request{Index: i, Messages: []workload.Message{{Role: "user", Content: s.Prompt()}}, MaxTokens: s.Events}
}

// lasts is how long one answer takes.
func lasts(s scripted.Script) time.Duration { return s.TTFT + time.Duration(s.Events)*s.Gap }

// allocations is the number of objects that the process has allocated.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
