package report

import (
	"fmt"

	"github.com/infbench/infbench/pkg/workload"
)

// shared says what requests have in common, and what that lets a server spare.
func (p *preview) shared(source *workload.Source) {
	p.sharedOf(&p.scenario.Prompts, p.sched, source, "  ")
}

// sharedOf is shared for the prompts of a scenario or of a traffic class.
func (p *preview) sharedOf(prompts *workload.Prompts, sched *workload.Schedule, source *workload.Source, indent string) {
	var expected *float64
	if a := source.Asked(sched); a != nil {
		expected = a.CacheableShare
	}
	switch c := prompts.Shared; {
	case c != nil:
		members := 0
		for i := range sched.Times {
			if source.SharedTokens(i) > 0 {
				members++
			}
		}
		temperature := "cold"
		if prompts.Warm() {
			temperature = "each sent once in the warm-up"
		}
		p.line("%s%s of the requests begin with one of %s shared texts (Zipf %s), %s", indent, percent(float64(members)/float64(len(sched.Times))), count(int64(source.SharedTexts())),
			number(c.Zipf), temperature)
	case prompts.Shares() && sched.Trace != nil && sched.Trace.BlockTokens > 0:
		p.line("%sprompts begin alike as the trace's prefix blocks of %d tokens say", indent, sched.Trace.BlockTokens)
	default:
		return
	}
	for _, l := range wrap("expected from an unlimited prefix cache: "+optional(expected, percent)+" of the prompt tokens of the measure phase", p.width-len(indent)) {
		p.line("%s%s", indent, l)
	}
}

// dataset says how often the rows of a dataset are used.
func (p *preview) dataset(rows int) {
	if rows == 0 {
		return
	}
	n := len(p.sched.Times)
	p.line("  rows of the dataset: %s, each used %s times on average", count(int64(rows)), number(float64(n)/float64(rows)))
	if n > rows && p.scenario.Prompts.Shares() {
		cause := "with cache: " + p.scenario.Prompts.Cache
		if !p.scenario.Prompts.Common() {
			cause = "behind the same shared text"
		}
		text := fmt.Sprintf("the dataset is spent: %s a row that comes again can be answered from a prefix cache, by a share that cannot be told; %s", cause, p.scenario.Prompts.SpentRemedy())
		for _, l := range wrap(text, p.width-2) {
			p.line("  %s", l)
		}
	}
}
