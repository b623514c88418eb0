package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// document is what a report says, before it is written in one form or another.
type document struct {
	title    string   // scenario, and simulated where so
	badges   []badge  // state, loop, validity
	subtitle string   // what was sent
	identity string   // what would make it again
	verdict  string   // of validity
	headline string   // what the verdict means
	reasons  []reason // why
	slo      []string // which approaches hold it
	table    table
	sloTable table
	notes    []string
	details  []detail
	// judgements explain the SLO verdicts that are not plain from a figure.
	judgements []judgement
	method     []fact
	glossary   []term
}

type badge struct {
	text string
	tone tone
}

// reason is one reason of the validity verdict.
type reason struct {
	verdict string // suspect, invalid or note
	code    string
	text    string
}

// fact is one line of "how it was measured".
type fact struct{ name, value string }

// detail is what is told of one approach alone.
type detail struct {
	name, standing string
	facts          []fact
	errors         []errorLine
	stats          []statLine
	parts          []partLine
	partNames      []string
	warnings       []string
}

type errorLine struct {
	class   endpoint.Class
	n       int
	example string
}

// statLine is one metric of one approach, its cells in the order of detailStats.
type statLine struct {
	metric, label string
	n             string
	cells         []cell
}

var detailStats = []string{"mean", "min", "p50", "p90", "p95", "p99", "p99.9", "max"}

// partLine splits TTFT at one statistic.
type partLine struct {
	at    string
	cells []string // in the order of detail.partNames
	sum   string
}

// judgement is one explanation, and the approaches that it holds for.
type judgement struct {
	objective, verdict, why string
	names                   []string
}

func newDocument(a *analyze.Analysis) *document {
	s := a.Summary
	d := &document{title: s.Scenario.Name, verdict: s.Validity.Verdict, table: comparison(s), sloTable: sloTable(a), slo: sloSentences(s),
		method: method(a), glossary: glossary}
	if d.title == "" {
		d.title = "unnamed scenario"
	}
	if d.verdict == "" {
		d.verdict = "not judged"
	}
	d.badges = badges(s)
	d.subtitle, d.identity, d.judgements = subtitle(s), identity(s), judgements(s)
	d.headline = map[string]string{
		analyze.Valid:   "The measurement can be trusted.",
		analyze.Suspect: "Read the figures with the reasons below in mind.",
		analyze.Invalid: "Draw no conclusion about the approaches from this run.",
	}[s.Validity.Verdict]
	for _, r := range s.Validity.Reasons {
		v := r.Verdict
		if v == analyze.Valid {
			v = "note"
		}
		d.reasons = append(d.reasons, reason{verdict: v, code: r.Code, text: r.Text})
	}
	d.notes = legendNotes(d.table, d.sloTable)
	for i := range s.Approaches {
		d.details = append(d.details, newDetail(a, i))
	}
	return d
}

// badges are what must be read before any figure.
func badges(s *analyze.Summary) []badge {
	var b []badge
	if simulated(s) {
		b = append(b, badge{"simulated", unsure})
	}
	state := s.Run.State
	if state == "" {
		state = "state unknown"
	}
	t := unsure
	if state == "complete" {
		t = plain
	}
	b = append(b, badge{state, t})
	loop := badge{"closed loop", unsure}
	if s.Schedule.OpenLoop {
		loop = badge{"open loop", plain}
	}
	b = append(b, loop)
	switch s.Validity.Verdict {
	case analyze.Suspect:
		b = append(b, badge{analyze.Suspect, unsure})
	case analyze.Invalid:
		b = append(b, badge{analyze.Invalid, bad})
	}
	return b
}

func subtitle(s *analyze.Summary) string {
	parts := []string{count(int64(s.Schedule.Arrivals)) + " scheduled arrivals"}
	if s.Schedule.Rate > 0 {
		parts = append(parts, "mean "+perSecond(s.Schedule.Rate))
	}
	if s.Schedule.CV != nil {
		parts = append(parts, "CV "+number(*s.Schedule.CV))
	}
	return strings.Join(parts, " · ")
}

func identity(s *analyze.Summary) string {
	var parts []string
	if s.Run.ID != "" {
		parts = append(parts, "run "+s.Run.ID)
	}
	parts = append(parts, fmt.Sprintf("seed %d", s.Scenario.Seed))
	if h := s.Schedule.SHA256; h != "" {
		parts = append(parts, "schedule "+h[:min(12, len(h))])
	}
	return strings.Join(parts, " · ")
}

// method says how it was measured.
func method(a *analyze.Analysis) []fact {
	s := a.Summary
	f := []fact{
		{"run", orAbsent(s.Run.ID)},
		{"started", s.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"state", orAbsent(s.Run.State)},
		{"scenario", orAbsent(strings.Join(nonEmpty(s.Scenario.Name, s.Scenario.Digest), ", "))},
		{"seed", fmt.Sprint(s.Scenario.Seed)},
		{"loop", map[bool]string{true: "open: every request is sent when the schedule says, whatever the server does",
			false: "closed: a fixed number of users, each waiting for its answer; latency holds back the load"}[s.Schedule.OpenLoop]},
		{"schedule", fmt.Sprintf("%s arrivals, SHA-256 %s", count(int64(s.Schedule.Arrivals)), orAbsent(s.Schedule.SHA256))},
		{"rate and burstiness", fmt.Sprintf("mean %s, coefficient of variation of the gaps %s (Poisson: about 1)", perSecond(s.Schedule.Rate), optional(s.Schedule.CV, number))},
	}
	if s.Run.Started.IsZero() {
		f[1].value = absent
	}
	if sc := a.Scenario; sc != nil {
		if sc.Description != "" {
			f = append(f, fact{"about", sc.Description})
		}
		f = append(f, fact{"arrivals", describeArrivals(sc.Arrivals)},
			fact{"phases", fmt.Sprintf("warm-up %s (not counted), measure %s, drain up to %s", span(sc.Phases.Warmup.D()), span(sc.Phases.Measure.D()), span(sc.Phases.Drain.D()))},
			fact{"request limits", describeLimits(sc.SLO.Request)})
	}
	f = append(f, fact{"tool", orAbsent(s.Run.Tool)}, fact{"machine", orAbsent(s.Run.Machine)})
	return append(f, clientFacts(s.Client)...)
}

// clientFacts is the load generator's own health.
func clientFacts(c analyze.ClientInfo) []fact {
	if c.CPUSeconds == 0 && c.SendLag == nil {
		return []fact{{"client", "its health was not recorded"}}
	}
	lag := absent
	if q := c.SendLag; q != nil {
		var parts []string
		for _, stat := range []string{"p50", "p99", "max"} {
			parts = append(parts, stat+" "+statCell(q, stat).text)
		}
		lag = strings.Join(parts, ", ") + " (n " + count(q.N) + ")"
	}
	return []fact{
		{"client lag", lag + ": how late the generator itself started requests"},
		{"client CPU", fmt.Sprintf("%s s for %s events, %s µs per event", number(c.CPUSeconds), count(c.Events), optional(c.CPUUsPerEvent, number))},
		{"client memory", "peak " + mebibytes(c.MaxRSSBytes)},
		{"client pauses", "longest GC pause " + optional(c.GCPauseMax, Seconds) + ", scheduler latency p99 " + optional(c.SchedLatencyP99, Seconds)},
	}
}

func newDetail(a *analyze.Analysis, i int) detail {
	p := &a.Summary.Approaches[i]
	d := detail{name: p.Name, standing: standing(p)}
	d.facts = approachFacts(a, p)
	for _, class := range slices.SortedStableFunc(maps.Keys(p.Errors), func(x, y endpoint.Class) int {
		if p.Errors[x] != p.Errors[y] {
			return p.Errors[y] - p.Errors[x]
		}
		return strings.Compare(string(x), string(y))
	}) {
		if p.Errors[class] > 0 {
			d.errors = append(d.errors, errorLine{class, p.Errors[class], p.ErrorExamples[class]})
		}
	}
	for _, m := range workload.Metrics() {
		q := p.Metrics[m]
		if q == nil {
			continue
		}
		line := statLine{metric: metricName(m), label: p.Labels[m], n: count(q.N)}
		for _, stat := range detailStats {
			line.cells = append(line.cells, statCell(q, stat))
		}
		d.stats = append(d.stats, line)
		for _, w := range q.Warnings {
			if !isStatWarning(w) {
				d.warnings = append(d.warnings, metricName(m)+": "+w)
			}
		}
	}
	d.breakdown(seriesOf(a, i))
	return d
}

func judgements(s *analyze.Summary) []judgement {
	var list []judgement
	for _, p := range s.Approaches {
		for _, o := range p.SLO {
			if o.Why == "" {
				continue
			}
			i := slices.IndexFunc(list, func(j judgement) bool {
				return j.objective == o.Objective && j.verdict == o.Verdict && j.why == o.Why
			})
			if i < 0 {
				i = len(list)
				list = append(list, judgement{objective: o.Objective, verdict: o.Verdict, why: o.Why})
			}
			list[i].names = append(list[i].names, p.Name)
		}
	}
	return list
}

// isStatWarning tells the warnings that a table shows in the place of the figure.
func isStatWarning(w string) bool {
	stat, _, ok := strings.Cut(w, ": ")
	return ok && slices.Contains(detailStats, stat)
}

func (d *detail) breakdown(s *analyze.ApproachSeries) {
	for _, b := range s.Breakdown {
		for _, part := range b.Parts {
			if !slices.Contains(d.partNames, part.Name) {
				d.partNames = append(d.partNames, part.Name)
			}
		}
	}
	for _, b := range s.Breakdown {
		line := partLine{at: b.At}
		var sum float64
		for _, name := range d.partNames {
			i := slices.IndexFunc(b.Parts, func(p analyze.Part) bool { return p.Name == name })
			if i < 0 {
				line.cells = append(line.cells, absent)
				continue
			}
			sum += b.Parts[i].Value
			line.cells = append(line.cells, Seconds(b.Parts[i].Value))
		}
		line.sum = Seconds(sum)
		d.parts = append(d.parts, line)
	}
}

// approachFacts says what the approach is and what became of the tokens.
func approachFacts(a *analyze.Analysis, p *analyze.ApproachSummary) []fact {
	var f []fact
	if p.Simulated {
		f = append(f, fact{"endpoint", "simulated: an embedded server that follows a model"})
	}
	if conf := approachOf(a.Scenario, p.Name); conf != nil {
		if !p.Simulated && conf.URL != "" {
			f = append(f, fact{"endpoint", publicURL(conf.URL)})
		}
		if conf.Model != "" {
			f = append(f, fact{"model", conf.Model})
		}
		stream := "streamed"
		if !conf.Streaming() {
			stream = "not streamed"
		}
		f = append(f, fact{"API", strings.Join(nonEmpty(conf.API, stream), ", ")})
	}
	for _, lever := range slices.Sorted(maps.Keys(p.Levers)) {
		if lever != "model" || approachOf(a.Scenario, p.Name) == nil {
			f = append(f, fact{lever, p.Levers[lever]})
		}
	}
	t := p.Tokens
	f = append(f, fact{"input tokens", tokenLine(t.Input, t.AskedInput) + part(t.CachedInput, "from a cache")},
		fact{"output tokens", tokenLine(t.Output, t.AskedOutput) + part(t.Reasoning, "reasoning")},
		fact{"tokens counted from", orAbsent(t.Basis)})
	if p.Coalesced != nil {
		f = append(f, fact{"coalesced chunks", percent(*p.Coalesced) + " shared a network read with another: their gaps are not seen"})
	}
	return f
}

func approachOf(s *workload.Scenario, name string) *workload.Approach {
	if s == nil {
		return nil
	}
	for i := range s.Approaches {
		if s.Approaches[i].Name == name {
			return &s.Approaches[i]
		}
	}
	return nil
}

// tokenLine sets the achieved count beside what was asked for.
func tokenLine(got, asked *int64) string {
	switch {
	case got == nil && asked == nil:
		return absent
	case got == nil:
		return "not counted, " + count(*asked) + " asked for"
	case asked == nil:
		return count(*got)
	case *asked == 0:
		return count(*got) + ", 0 asked for"
	}
	return fmt.Sprintf("%s, %s of %s asked for", count(*got), percent(float64(*got)/float64(*asked)), count(*asked))
}

func part(n *int64, what string) string {
	if n == nil {
		return ""
	}
	return "; " + count(*n) + " " + what
}

// metricName is how a metric is called in text.
func metricName(m workload.Metric) string {
	names := map[workload.Metric]string{workload.TTFT: "TTFT", workload.ServiceTTFT: "service TTFT", workload.TTFVT: "TTFVT", workload.ITL: "ITL",
		workload.ChunkGap: "chunk gap", workload.TPOT: "TPOT", workload.Stall: "stall", workload.E2E: "E2E", workload.SendDelay: "send delay",
		workload.ServerQueue: "server queue", workload.TTFTExcess: "TTFT excess", workload.QueueingDelay: "queueing delay"}
	if n, ok := names[m]; ok {
		return n
	}
	return string(m)
}
