package report

import "github.com/infbench/infbench/pkg/workload"

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
	p.line("%sexpected from an unlimited prefix cache: %s of the prompt tokens of the measure phase", indent, optional(expected, percent))
}

// dataset says how often the rows of a dataset are used.
func (p *preview) dataset(rows int) {
	if rows == 0 {
		return
	}
	n := len(p.sched.Times)
	p.line("  %s rows of the dataset, used %s times over", count(int64(rows)), number(float64(n)/float64(rows)))
	if n > rows && p.scenario.Prompts.Shares() {
		if !p.scenario.Prompts.Common() {
			p.line("  the dataset is spent: behind the same shared text a row that comes again can be answered from a prefix cache, by a")
			p.line("  share that cannot be told; give more rows")
			return
		}
		p.line("  the dataset is spent: with cache: %s a row that comes again can be answered from a prefix cache, by a share that", p.scenario.Prompts.Cache)
		p.line("  cannot be told; give more rows, or write cache: unique")
	}
}
