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
		f = append(f, fact{"API", strings.Join(nonEmpty(conf.API, stream, conf.Connections.Protocol), ", ")})
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
	f = append(f, steadyFacts(p)...)
	if c := p.Connections; c != nil {
		f = append(f, fact{"new connections", count(int64(c.New)) + setUp("DNS", c.DNS) + setUp("TCP", c.TCP) + setUp("proxy", c.Proxy) + setUp("TLS", c.TLS) +
			"; means, in TTFT and in no service TTFT"})
	}
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

func setUp(part string, seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return "; " + part + " " + Seconds(*seconds)
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
