package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// plan makes the schedule and the prompts of a round of blocks.
func (r *runJob) plan(round int) error {
	s := r.scenario.Round(round)
	sched, err := workload.NewSchedule(s)
	if err != nil {
		return err
	}
	source, err := workload.NewSource(s, sched)
	if err != nil {
		return err
	}
	if r.record != nil && !workload.SameDatasets(r.record.Datasets, source.Datasets()) {
		return fail(exitUsage, fmt.Errorf("%s was begun with other contents of the dataset or documents: put the files back as they were, or begin a new run", r.dir))
	}
	source.SetRun(r.nonce)
	r.schedule, r.source = sched, source
	return nil
}

// open makes the record, or goes on with one.
func (r *runJob) open(m *measure.Manifest) (*measure.Writer, error) {
	switch {
	case r.record == nil:
		return measure.Create(r.dir, m)
	case r.scenario.Rounds() > r.record.Scenario.Rounds():
		return measure.Extend(r.dir, r.scenario.Rounds(), time.Now())
	}
	return measure.Resume(r.dir)
}

// blockJob is one approach in one round.
type blockJob struct{ round, approach int }

// jobs are the blocks that are still to be driven, in their order.
func (r *runJob) jobs() []blockJob {
	var jobs []blockJob
	for round := range r.scenario.Rounds() {
		for _, i := range r.scenario.Order(round) {
			if r.record == nil || !r.record.WentThrough(round, r.scenario.Approaches[i].Name) {
				jobs = append(jobs, blockJob{round, i})
			}
		}
	}
	return jobs
}

// nextIndex is the first block index that the record does not have. A block that was never begun leaves its index out, so that
// their number is not it.
func (r *runJob) nextIndex() int {
	next := 0
	if r.record != nil {
		for i := range r.record.Blocks {
			next = max(next, r.record.Blocks[i].Index+1)
		}
	}
	return next
}

// blocks drives every approach in every round, one after the other, until an interrupt. An approach that fails leaves the
// others their turn, and gets no further one.
func (r *runJob) blocks(ctx context.Context, w *measure.Writer) error {
	jobs := r.jobs()
	first, planned := r.nextIndex(), 0 // the next block's index, the round that is planned
	var failed []error
	out := map[int]bool{}
	for i, job := range jobs {
		if r.stop.count() > 0 || i > 0 && !r.cooldown() {
			break
		}
		if out[job.approach] {
			continue
		}
		if job.round != planned {
			if err := r.plan(job.round); err != nil {
				return errors.Join(append(failed, err)...)
			}
			planned = job.round
		}
		if err := r.beginRound(w, job.round); err != nil {
			return errors.Join(append(failed, err)...)
		}
		ap := r.scenario.Approaches[job.approach]
		r.progress.begin(i+1, len(jobs), r.called(ap.Name, job.round))
		err := r.block(ctx, w, first+i, job.round, ap)
		r.progress.end()
		if err != nil {
			failed = append(failed, err)
			out[job.approach] = true
		}
		if errors.Is(err, measure.ErrRecord) {
			break // the disk will not take the next one either
		}
	}
	return errors.Join(failed...)
}

// called is what a block is called while it runs.
func (r *runJob) called(approach string, round int) string {
	if n := r.scenario.Rounds(); n > 1 {
		return fmt.Sprintf("%s, round %d of %d", approach, round+1, n)
	}
	return approach
}

// cooldown rests between two blocks. It reports false where the run was stopped meanwhile.
func (r *runJob) cooldown() bool {
	rest := r.scenario.Phases.Cooldown.D()
	if rest == 0 {
		return true
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.stop.first:
		return false
	}
}

// beginRound records a round that begins, and holds one that is gone on with against its record.
func (r *runJob) beginRound(w *measure.Writer, round int) error {
	if r.scenario.Rounds() == 1 {
		return nil
	}
	switch rounds := w.Rounds(); {
	case round > len(rounds):
		return fmt.Errorf("%s records %d rounds and lacks those before round %d: its manifest was changed", r.dir, len(rounds), round+1)
	case round < len(rounds):
		if got, want := r.schedule.SHA256(), rounds[round].SHA256; got != want {
			return fmt.Errorf("round %d of %s had the schedule %.12s, and the scenario now gives %.12s: a trace that it reads has changed; start a new run", round+1, r.dir, want, got)
		}
		return nil
	}
	stats := r.schedule.Stats()
	return w.BeginRound(measure.RoundRecord{Seed: r.scenario.Round(round).Seed, SHA256: r.schedule.SHA256(), Arrivals: len(r.schedule.Times), Rate: stats.Rate, CV: stats.CV,
		Asked: r.source.Asked(r.schedule), AskedClasses: r.source.AskedByClass(r.schedule)})
}

// takeUp prepares to go on with the run in a directory: it must be one of this very scenario, but for a number of blocks that
// may have grown.
func (r *runJob) takeUp(dir string) error {
	rec, err := measure.Open(dir)
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	m := rec.Manifest
	if measure.InUse(dir) {
		return fmt.Errorf("--resume: %s is being written by another process: wait until it has ended, or stop it", dir)
	}
	if m.Scenario == nil {
		return fmt.Errorf("--resume: %s: the manifest holds no scenario", dir)
	}
	asks, has := r.scenario.Rounds(), m.Scenario.Rounds()
	switch digest := r.scenario.WithBlocks(m.Scenario.Blocks).Digest(); {
	case m.Digest == digest && asks < has:
		return fmt.Errorf("--resume: the run in %s has %d rounds of blocks, and this asks for %d: give --blocks %d to go on with it, or more to let it grow", dir, has, asks, has)
	case m.Digest != digest:
		return fmt.Errorf("--resume: %s is a run of another scenario (digest %.19s, and this is %.19s): give the scenario with the flags that it was run with", dir, m.Digest, digest)
	case r.nonce != "" && r.nonce != m.RunNonce:
		return fmt.Errorf("--nonce %s: the run in %s has %s: remove the flag", r.nonce, dir, m.RunNonce)
	case m.State == measure.Complete && len(r.jobsAfter(m)) == 0:
		return fmt.Errorf("--resume: the run in %s went through: nothing is left to do", dir)
	}
	r.dir, r.nonce, r.record = dir, m.RunNonce, m
	return nil
}

// jobsAfter are the blocks that a recorded run has left to do.
func (r *runJob) jobsAfter(m *measure.Manifest) []blockJob {
	before := r.record
	defer func() { r.record = before }()
	r.record = m
	return r.jobs()
}
