package report

import (
	"math"
	"slices"

	"github.com/infbench/infbench/pkg/workload"
)

// title is the scenario's name and what its schedule is, which is long for a mix.
func (p *preview) title() []string {
	text := printable(p.scenario.Name) + " · " + p.sched.String()
	if p.sched.Mix == nil {
		return []string{text}
	}
	return wrap(printable(text), p.width)
}

// mixTraces shows the trace that classes divide, and those that they replay alone.
func (p *preview) mixTraces() {
	if c := p.sched.Mix.Common; c != nil {
		p.trace(c.Trace)
	}
	for _, c := range p.sched.Mix.Classes {
		if c.Share == 0 && c.Trace != nil {
			p.line("  class %s", c.Name)
			p.trace(c.Trace)
		}
	}
}

// mix shows each traffic class: how its requests come, how long they are, and what part it has of all.
func (p *preview) mix(source *workload.Source) {
	if p.sched.Mix == nil {
		return
	}
	classes := p.sched.Mix.Classes
	rows := make([]asked, len(classes))
	var all int64
	for i, one := range source.Classes() {
		rows[i] = lengthsOf(classes[i].Schedule, one.Lengths)
		all += rows[i].prompts + rows[i].answers
	}
	const name = 18
	p.line("")
	p.line("%-*s %8s %8s %8s  %13s  %13s", name, "", "", "share of", "share of", "prompt tokens", "answer tokens")
	p.line("%-*s %8s %8s %8s  %6s %6s  %6s %6s", name, "traffic classes", "rate", "requests", "tokens", "p50", "p99", "p50", "p99")
	for i, c := range classes {
		r := rows[i]
		p.line("  %s %8s %8s %8s  %6s %6s  %6s %6s", padRight(shorten(c.Name, name-2), name-2), perSecond(c.Stats().Rate), percent(float64(len(c.Times))/float64(len(p.sched.Times))),
			percent(float64(r.prompts+r.answers)/float64(max(all, 1))), quantileOf(r.input, 0.5), quantileOf(r.input, 0.99), quantileOf(r.output, 0.5), quantileOf(r.output, 0.99))
		for _, l := range wrap(printable(c.String()), p.width-4) {
			p.line("    %s", l)
		}
		p.sharedOf(&p.scenario.Mix[i].Prompts, c.Schedule, source.Classes()[i], "    ")
	}
}

// asked are the lengths that requests ask for, in ascending order, and their sums. An answer whose length is left to the
// server is in none of them.
type asked struct {
	input, output    []int
	prompts, answers int64
}

func lengthsOf(sched *workload.Schedule, lengths func(i int) (input, output int)) asked {
	var l asked
	for i := range sched.Times {
		in, out := lengths(i)
		l.input = append(l.input, in)
		l.prompts += int64(in)
		if out > 0 {
			l.output = append(l.output, out)
			l.answers += int64(out)
		}
	}
	slices.Sort(l.input)
	slices.Sort(l.output)
	return l
}

// quantileOf is the smallest value with a share of at least q at or below it; absent where there is none.
func quantileOf(sorted []int, q float64) string {
	if len(sorted) == 0 {
		return absent
	}
	return count(int64(sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]))
}
