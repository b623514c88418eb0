package report

import "github.com/infbench/infbench/pkg/workload"

// shared says what requests have in common, and what that lets a server spare.
func (p *preview) shared(source *workload.Source) {
	prompts := &p.scenario.Prompts
	var expected *float64
	if a := source.Asked(p.sched); a != nil {
		expected = a.CacheableShare
	}
	switch c := prompts.Shared; {
	case c != nil:
		members := 0
		for i := range p.sched.Times {
			if source.SharedTokens(i) > 0 {
				members++
			}
		}
		temperature := "cold"
		if prompts.Warm() {
			temperature = "each sent once in the warm-up"
		}
		p.line("  %s of the requests begin with one of %s shared texts (Zipf %s), %s", percent(float64(members)/float64(len(p.sched.Times))), count(int64(c.Groups)),
			number(c.Zipf), temperature)
	case prompts.Shares() && p.sched.Trace != nil && p.sched.Trace.BlockTokens > 0:
		p.line("  prompts begin alike as the trace's prefix blocks of %d tokens say", p.sched.Trace.BlockTokens)
	default:
		return
	}
	p.line("  expected from an unlimited prefix cache: %s of the prompt tokens of the measure phase", optional(expected, percent))
}

// dataset says how often the rows of a dataset are used.
func (p *preview) dataset(rows int) {
	if rows == 0 {
		return
	}
	n := len(p.sched.Times)
	p.line("  %s rows of the dataset, used %s times over", count(int64(rows)), number(float64(n)/float64(rows)))
	if n > rows && p.scenario.Prompts.Shares() {
		p.line("  the dataset is spent: with cache: %s a row that comes again can be answered from a prefix cache, by a share that", p.scenario.Prompts.Cache)
		p.line("  cannot be told; give more rows, or write cache: unique")
	}
}
