package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Preview shows on a terminal what a scenario will send: the arrivals over time against the rate that was asked for,
// how bursty they are, how long prompts and answers are, how many tokens that comes to per approach, and what a prefix
// cache could spare of them.
func Preview(w io.Writer, s *workload.Scenario, sched *workload.Schedule, source *workload.Source, width int) error {
	b := bufio.NewWriter(w)
	p := &preview{w: b, width: min(max(width, 60), 120), scenario: s, sched: sched}
	p.head()
	p.datasets(source.Datasets())
	if !sched.Open {
		p.closed()
		return b.Flush()
	}
	p.chart()
	p.statistics()
	p.lengths(source.Lengths)
	p.shared(source)
	p.dataset(&s.Prompts, len(sched.Times), source.Rows(), "  ")
	p.mix(source)
	p.conversations(source)
	return b.Flush()
}

type preview struct {
	w        *bufio.Writer
	width    int
	scenario *workload.Scenario
	sched    *workload.Schedule
}

func (p *preview) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *preview) head() {
	s := p.scenario
	var names []string
	for _, a := range s.Approaches {
		names = append(names, printable(a.Name))
	}
	for _, l := range p.title() {
		p.line("%s", l)
	}
	if s.Description != "" {
		for _, l := range wrap(printable(s.Description), p.width) {
			p.line("%s", l)
		}
	}
	who := "approach: "
	if len(names) > 1 {
		who = fmt.Sprintf("each of %d approaches in turn: ", len(names))
	}
	for _, l := range wrap(fmt.Sprintf("warm-up %s, measure %s, drain up to %s; %s%s", s.Phases.Warmup.D(), s.Phases.Measure.D(),
		s.Phases.Drain.D(), who, strings.Join(names, ", ")), p.width) {
		p.line("%s", l)
	}
	if s.Phases.LightLoad != nil {
		for _, l := range wrap("light load: "+describeLightLoad(s), p.width) {
			p.line("%s", l)
		}
	}
	p.line("")
}

func (p *preview) closed() {
	c := p.scenario.Arrivals.ClosedLoop
	for _, l := range wrap(fmt.Sprintf("Closed loop: %d users, each sending its next request %s after the last reply. There is no schedule: how much is "+
		"sent depends on how fast the endpoint answers, and its percentiles do not compare with an open-loop run's.", c.Users, c.Think.D()), p.width) {
		p.line("%s", l)
	}
}

// chart draws arrivals per second as bars, and the rate that was asked for as dots where it is above the bar's end.
func (p *preview) chart() {
	horizon := p.sched.Phases.Horizon().D()
	cols := p.width - chartMargin - 1
	bars, curve := make([]float64, cols), make([]float64, cols)
	step := horizon / time.Duration(cols)
	for _, t := range p.sched.Times {
		bars[min(int(t/step), cols-1)] += 1 / step.Seconds()
	}
	for i := range cols {
		curve[i] = p.sched.Rate(time.Duration(i)*step + step/2)
	}
	p.line("arrivals per second (bars: as they fall; ·: the rate asked for)")
	drawChart(p.line, bars, curve)
	p.marks(cols, step, chartMargin)
	p.line("")
}

// marks writes the time axis: both ends, and the windows that the plots shade.
func (p *preview) marks(cols int, step time.Duration, margin int) {
	axis := []rune(strings.Repeat(" ", cols+1))
	put := func(at time.Duration, s string) {
		from := min(int(at/step), cols-len(s)+1)
		for i, r := range s {
			if from+i >= 0 && from+i < len(axis) {
				axis[from+i] = r
			}
		}
	}
	for _, w := range p.sched.Windows() {
		put(w.From, fmt.Sprintf("^%s %s-%s", w.Name, w.From, w.To))
	}
	put(0, "0s")
	if warm := p.sched.Phases.Warmup.D(); warm > 0 && int(warm/step) > 3 {
		put(warm, "^measure")
	}
	end := p.sched.Phases.Horizon().D().String()
	put(p.sched.Phases.Horizon().D(), end)
	p.line("%*s %s", margin-1, "", strings.TrimRight(string(axis), " "))
}

func (p *preview) statistics() {
	whole := p.sched.Stats()
	measure := p.sched.StatsBetween(p.sched.Phases.Warmup.D(), p.sched.Phases.Horizon().D())
	p.line("%-28s %12s %12s", "arrivals", "measure", "with warm-up")
	row := func(name string, f func(workload.ScheduleStats) string) {
		p.line("  %-26s %12s %12s", name, f(measure), f(whole))
	}
	row("requests", func(s workload.ScheduleStats) string { return count(int64(s.Arrivals)) })
	row("mean rate", func(s workload.ScheduleStats) string { return perSecond(s.Rate) })
	row("CV of the gaps", func(s workload.ScheduleStats) string { return figureOrAbsent(s.CV) })
	for i := range measure.Dispersions {
		name := measure.Dispersions[i].Width.String()
		row("IDC at "+name, func(s workload.ScheduleStats) string { return figureOrAbsent(s.Dispersions[i].IDC) })
		row("peak / mean at "+name, func(s workload.ScheduleStats) string { return figureOrAbsent(s.Dispersions[i].PeakToMean) })
	}
	p.line("  schedule SHA-256             %s", p.sched.SHA256())
	p.trace(p.sched.Trace)
	if p.sched.Mix != nil {
		p.mixTraces()
	}
	p.line("")
}

func (p *preview) trace(t *workload.Replay) {
	if t != nil {
		p.line("  trace (%s)%s %d of %d rows used; SHA-256 %.12s", t.Format, strings.Repeat(" ", max(20-len(t.Format), 0)), t.Used, t.Rows, t.SHA256)
		if t.Copies > 1 {
			p.line("    superposed copies: %d", t.Copies)
		}
		if t.Step > 0 {
			p.line("    time stamps spread over %s", span(t.Step))
		}
		for _, reason := range sortedKeys(t.Dropped) {
			p.line("    dropped: %-18s %d", reason, t.Dropped[reason])
		}
	}
}

func figureOrAbsent(v *float64) string {
	if v == nil {
		return absent
	}
	return number(*v)
}

func sortedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// lengths shows how long prompts and answers are. Requests that leave the length of their answer to the server have none.
func (p *preview) lengths(lengths func(i int) (input, output int)) {
	l := lengthsOf(p.sched, lengths)
	p.line("%-28s %8s %8s %8s %8s %8s", "tokens, as asked for", "p10", "p50", "p90", "p99", "max")
	for _, row := range []struct {
		name string
		v    []int
	}{{"prompt", l.input}, {"answer", l.output}} {
		at := func(q float64) string { return quantileOf(row.v, q) }
		p.line("  %-26s %8s %8s %8s %8s %8s", row.name, at(0.1), at(0.5), at(0.9), at(0.99), at(1))
	}
	p.line("  %s", p.total(&l))
	if left := len(l.input) - len(l.output); left > 0 {
		for _, text := range wrap(fmt.Sprintf("%s of %s requests leave the length of the answer to the server: the figures above are without these answers",
			count(int64(left)), count(int64(len(l.input)))), p.width-2) {
			p.line("  %s", text)
		}
	}
}

// total is how many tokens are asked for, as far as anybody can tell before.
func (p *preview) total(l *asked) string {
	approaches := int64(len(p.scenario.Approaches))
	if len(l.output) == 0 {
		return fmt.Sprintf("about %s prompt tokens per approach, %s in all", count(l.prompts), count(l.prompts*approaches))
	}
	return fmt.Sprintf("about %s prompt and %s answer tokens per approach, %s in all", count(l.prompts), count(l.answers),
		count((l.prompts+l.answers)*approaches))
}

// conversations says what the arrivals begin. How long later prompts get the answers decide.
func (p *preview) conversations(source *workload.Source) {
	if !p.scenario.Converses() {
		return
	}
	turns := make([]int, len(p.sched.Times))
	sum := 0
	for i := range turns {
		turns[i] = source.Turns(i)
		sum += turns[i]
	}
	slices.Sort(turns)
	at := func(q float64) int { return turns[int(math.Ceil(q*float64(len(turns))))-1] }
	foreseen := source.Foresee(p.sched, measure.GuessedAnswer)
	var in, out int64
	for _, r := range foreseen {
		in, out = in+int64(r.Input), out+int64(r.Output)
	}
	p.line("")
	if c := p.scenario.Sessions; c != nil {
		p.line("Each arrival begins a conversation: the figures above are of first turns.")
		p.line("  thinking between an answer and the next turn: %s", describeDelays(c.Think))
	} else {
		p.line("Arrivals of some classes begin conversations: the figures above are of first turns.")
	}
	p.line("  turns: mean %s, p50 %d, p90 %d, max %d", number(float64(sum)/float64(len(turns))), at(0.5), at(0.9), at(1))
	for _, l := range wrap(fmt.Sprintf("about %s requests with %s prompt and %s answer tokens per approach before the end cuts them, if an answer takes %s and %s a token", count(int64(len(foreseen))), count(in), count(out),
		span(measure.GuessedAnswer(0)), span(measure.GuessedAnswer(1)-measure.GuessedAnswer(0))), p.width-2) {
		p.line("  %s", l)
	}
}
