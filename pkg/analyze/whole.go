package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/measure"
)

// whole takes in what is missing of an arm's record. Whoever may stop a run in the middle and look chooses when to stop, and an
// endpoint that dies half-way leaves only the blocks in which it was well: neither may pass, whatever the blocks say that there
// are. What fails by them still fails.
func (c *Check) whole(arm *Arm) {
	var why []string
	if m := arm.Record.Manifest; m.State != measure.Complete {
		state := "the run is " + m.State
		if m.Problem != "" {
			state += " (" + m.Problem + ")"
		}
		why = append(why, state)
	}
	planned, there := arm.scenario().Rounds(), 0
	for round := range planned {
		if arm.Blocks[round] != nil {
			there++
		}
	}
	if there < planned {
		why = append(why, fmt.Sprintf("%d of its %d rounds went through", there, planned))
	}
	if len(why) > 0 {
		c.Results = append(c.Results, GateCheck{Name: "record of " + arm.Name, Verdict: CannotTell, Allowed: "every planned round, in a run that is complete",
			Why: strings.Join(why, "; ") + fmt.Sprintf(": finish it with infbench run SCENARIO --resume %s, or measure anew", arm.Record.Dir)})
	}
}

// takeFailed adds the blocks in which the endpoint failed to those of their rounds that went through later: their requests count
// in the shares. A block that somebody stopped says nothing of the endpoint.
func (a *Arm) takeFailed(blocks []BlockSummary) {
	for i := range blocks {
		b := &blocks[i]
		if done := a.Blocks[b.Record.Round]; b.Approach == a.Approach && b.State == measure.Failed && done != nil && b.Attempts > 0 {
			done.failed = append(done.failed, b)
		}
	}
}

// withFailed are the block and those of its round that failed before it.
func (b *BlockSummary) withFailed() []*BlockSummary {
	return append([]*BlockSummary{b}, slices.Clone(b.failed)...)
}

// tried are the attempts of a round, with those of the blocks that failed in it.
func (b *BlockSummary) tried() (attempts, ok int) {
	for _, one := range b.withFailed() {
		attempts, ok = attempts+one.Attempts, ok+one.OK
	}
	return attempts, ok
}

// goodShare is the share of a round's attempts that were good; nil without request limits.
func (b *BlockSummary) goodShare() *float64 {
	if b.Goodput == nil {
		return nil
	}
	var good float64
	attempts, _ := b.tried()
	for _, one := range b.withFailed() {
		if one.Goodput != nil {
			good += one.Goodput.Ratio * float64(one.Attempts)
		}
	}
	if len(b.failed) == 0 || attempts == 0 {
		return &b.Goodput.Ratio // to the bit
	}
	return new(good / float64(attempts))
}

// sameMeasurement tells whether both arms are one approach of one run, wherever its record lies: a copy and a link are the same.
func sameMeasurement(a, b *Arm) bool {
	return a.Approach == b.Approach && a.Record.Manifest.SameRun(b.Record.Manifest)
}
