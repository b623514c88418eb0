package report

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// table shows the approaches side by side, one column each.
type table struct {
	columns []string
	groups  []group
	narrow  bool // on a terminal: labels take no more room than they need
}

// group is a block of rows about one thing.
type group struct {
	title, note string // note says what the group measures
	rows        []row
}

// row is one figure of every approach.
type row struct {
	label string
	cells []cell
	minor bool // detail of the row above
}

// cell is one figure.
type cell struct {
	text string
	tone tone
	why  string // explains the figure or its absence
}

// tone colours a cell where colour is at hand; the text says the same without it.
type tone string

const (
	plain   tone = ""
	good    tone = "good"
	bad     tone = "bad"
	unsure  tone = "unsure"
	missing tone = "missing"
)

// Texts of cells without a figure; legendNotes explains them.
const (
	tooSmall   = "n too small"
	inFailures = "in failures"
	alike      = "≈ " // before a figure
	shorter    = " †" // behind a figure
)

// legendNotes explains the marks that a table uses.
func legendNotes(tables ...table) []string {
	notes := []struct{ mark, text string }{
		{tooSmall, "n too small: fewer than 10 requests lie beyond this percentile, so it would be chance. Measure longer or at a higher rate."},
		{inFailures, "in failures: so many attempts failed that this percentile lies among them; it is worse than every time measured."},
		{absent, "—: not measured, or does not apply."},
		{alike, "≈: these differ from the smallest of their row by less than infbench itself may be off by on this machine (its noise floor): no difference was measured."},
		{shorter, "†: the answers were not as long as those of the approach with the longest (output_lengths, and \"workload as sent\"): E2E and throughput do not compare with its; TPOT does."},
		{fewBehind, "‡: requests depend on those before, and fewer than 10 independent ones lie beyond this percentile: another run may find another value. The verdict says how long would do."},
	}
	var out []string
	for _, n := range notes {
		used := false
		for _, t := range tables {
			for _, g := range t.groups {
				for _, r := range g.rows {
					used = used || slices.ContainsFunc(r.cells, func(c cell) bool {
						return c.text == n.mark || n.mark == alike && strings.HasPrefix(c.text, alike) || (n.mark == shorter || n.mark == fewBehind) && strings.HasSuffix(c.text, n.mark)
					})
				}
			}
		}
		if used {
			out = append(out, n.text)
		}
	}
	return out
}

// comparison is the main table.
func comparison(s *analyze.Summary) table {
	t := table{}
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
	}
	b := tableBuilder{s}
	t.groups = append(t.groups, b.requests(),
		group{title: "First token", note: "TTFT runs from the scheduled arrival; service TTFT, beside it, from the last byte sent", rows: b.firstToken()},
		group{title: "Between tokens", note: "ITL per token, TPOT per request", rows: slices.Concat(
			b.metric(workload.ITL, "ITL", "p50", "p99"), b.labels(workload.ITL, "ITL is", "measured"), b.count(workload.ITL, "ITL tokens (n)"),
			b.metric(workload.TPOT, "TPOT", "p50", "p99"), b.metric(workload.Stall, "stall", "p99"))},
		group{title: "Whole request", note: "E2E runs from the scheduled arrival to the end", rows: slices.Concat(
			b.markOutputs(b.metric(workload.E2E, "E2E", "p50", "p95", "p99")), b.count(workload.E2E, "E2E requests (n)"))},
		group{title: "Waiting", note: "inside TTFT: the client's delay before sending, then the server's queue", rows: slices.Concat(
			b.metric(workload.SendDelay, "send delay", "p50", "p99"),
			b.metric(workload.QueueingDelay, "queueing delay", "p50", "p95", "p99"), b.labels(workload.QueueingDelay, "queueing is", ""))},
		b.yield())
	if hasSpike(s) {
		t.groups = append(t.groups, b.spike())
	}
	if hasSessions(s) {
		t.groups = append(t.groups, b.conversations())
	}
	return t
}

type tableBuilder struct{ s *analyze.Summary }

// each makes a row with one cell per approach.
func (b tableBuilder) each(label string, cellOf func(p *analyze.ApproachSummary) cell) row {
	r := row{label: label}
	for i := range b.s.Approaches {
		r.cells = append(r.cells, cellOf(&b.s.Approaches[i]))
	}
	return r
}

// text makes a cell of a written figure.
func text(s string) cell {
	if s == absent {
		return cell{text: s, tone: missing}
	}
	return cell{text: s}
}

func (b tableBuilder) requests() group {
	g := group{title: "Requests", note: "of the measure phase"}
	g.rows = append(g.rows, b.attempts(), b.each("ok", func(p *analyze.ApproachSummary) cell { return text(count(int64(p.OK))) }), b.failed())
	for _, class := range errorClasses(b.s) {
		r := b.each(strings.ReplaceAll(string(class), "_", " "), func(p *analyze.ApproachSummary) cell { return text(count(int64(p.Errors[class]))) })
		r.minor = true
		g.rows = append(g.rows, r)
	}
	g.rows = append(g.rows, b.offered(),
		b.each("delivered rate", func(p *analyze.ApproachSummary) cell { return text(perSecond(p.DeliveredRate)) }))
	return g
}

func (b tableBuilder) attempts() row {
	return b.each("attempts (n)", func(p *analyze.ApproachSummary) cell { return text(count(int64(p.Attempts))) })
}

func (b tableBuilder) failed() row {
	return b.each("errors", func(p *analyze.ApproachSummary) cell {
		failed := p.Attempts - p.OK
		switch {
		case p.Attempts == 0:
			return text(absent)
		case failed == 0:
			return text("0")
		}
		return cell{text: count(int64(failed)) + " (" + percent(float64(failed)/float64(p.Attempts)) + ")", tone: bad}
	})
}

func (b tableBuilder) offered() row {
	return b.each("offered rate", func(p *analyze.ApproachSummary) cell { return text(perSecond(p.OfferedRate)) })
}

// errorClasses lists the classes that occurred, most frequent first.
func errorClasses(s *analyze.Summary) []endpoint.Class {
	total := map[endpoint.Class]int{}
	for _, p := range s.Approaches {
		for class, n := range p.Errors {
			if n > 0 && class != endpoint.OK {
				total[class] += n
			}
		}
	}
	classes := slices.Sorted(maps.Keys(total))
	slices.SortStableFunc(classes, func(a, b endpoint.Class) int { return total[b] - total[a] })
	return classes
}

// firstToken puts each percentile of service TTFT under that of TTFT.
func (b tableBuilder) firstToken() []row {
	var rows []row
	for _, stat := range []string{"p50", "p95", "p99"} {
		ttft := b.metric(workload.TTFT, "TTFT", stat)
		b.markFew(&ttft[0], stat)
		rows = append(rows, ttft...)
		service := b.metric(workload.ServiceTTFT, "service", stat)
		service[0].minor = true
		rows = append(rows, service...)
	}
	rows = append(rows, b.count(workload.TTFT, "TTFT requests (n)")...)
	if b.visibleLater() {
		rows = append(rows, b.metric(workload.TTFVT, "TTFVT", "p50", "p95", "p99")...)
	}
	return rows
}

// visibleLater reports whether some first visible token came after the first token: else TTFVT says nothing new.
func (b tableBuilder) visibleLater() bool {
	for _, p := range b.s.Approaches {
		t, v := p.Metrics[workload.TTFT], p.Metrics[workload.TTFVT]
		if t != nil && v != nil && (t.N != v.N || t.Mean != nil && v.Mean != nil && *t.Mean != *v.Mean) {
			return true
		}
	}
	return false
}

// metric makes one row per statistic.
func (b tableBuilder) metric(m workload.Metric, name string, stats ...string) []row {
	var rows []row
	for _, stat := range stats {
		r := b.each(name+" "+stat, func(p *analyze.ApproachSummary) cell { return statCell(p.Metrics[m], stat) })
		b.markEqual(&r, m, stat)
		rows = append(rows, r)
	}
	return rows
}

// markEqual marks the figures that differ from the smallest of the row by less than infbench itself may be off by.
func (b tableBuilder) markEqual(r *row, m workload.Metric, stat string) {
	floor := analyze.InstrumentError(b.s.Client.NoiseFloor, m)
	least := math.Inf(1)
	values := make([]*float64, len(b.s.Approaches))
	for i := range b.s.Approaches {
		if q := b.s.Approaches[i].Metrics[m]; q != nil {
			if values[i] = statOf(q, stat); values[i] != nil {
				least = math.Min(least, *values[i])
			}
		}
	}
	var same []int
	for i, v := range values {
		if v != nil && *v-least < floor {
			same = append(same, i)
		}
	}
	if len(same) < 2 {
		return
	}
	for _, i := range same {
		r.cells[i].text = alike + r.cells[i].text
	}
}

// count makes the row of a metric's n.
func (b tableBuilder) count(m workload.Metric, label string) []row {
	r := b.each(label, func(p *analyze.ApproachSummary) cell {
		if q := p.Metrics[m]; q != nil {
			return text(count(q.N))
		}
		return text(absent)
	})
	r.minor = true
	return []row{r}
}

// labels makes the row that says how a metric was come by; unlabelled is what no label means.
func (b tableBuilder) labels(m workload.Metric, label, unlabelled string) []row {
	r := b.each(label, func(p *analyze.ApproachSummary) cell {
		switch l := p.Labels[m]; {
		case l == analyze.CannotTell:
			return cell{text: l, tone: unsure}
		case p.Metrics[m] == nil || p.Metrics[m].N == 0:
			return text(absent)
		case l != "":
			return text(firstClause(l))
		case unlabelled != "":
			return text(unlabelled)
		}
		return text(absent)
	})
	r.minor = true
	return []row{r}
}

func (b tableBuilder) yield() group {
	g := group{title: "Yield", note: "goodput counts requests that met every request limit, over all attempts"}
	g.rows = append(g.rows, b.goodput(),
		b.each("good requests", func(p *analyze.ApproachSummary) cell {
			if p.Goodput == nil {
				return text(absent)
			}
			return text(perSecond(p.Goodput.PerSecond))
		}),
		b.markOutputs([]row{b.outputRate()})[0])
	basis := b.each("tokens from", func(p *analyze.ApproachSummary) cell { return text(orAbsent(p.Tokens.Basis)) })
	basis.minor = true
	g.rows = append(g.rows, basis)
	return g
}

func (b tableBuilder) goodput() row {
	return b.each("goodput", func(p *analyze.ApproachSummary) cell {
		if p.Goodput == nil {
			return text(absent)
		}
		return text(percent(p.Goodput.Ratio))
	})
}

func (b tableBuilder) outputRate() row {
	return b.each("output tokens", func(p *analyze.ApproachSummary) cell { return text(optional(p.Tokens.OutputPerSecond, perSecond)) })
}

func orAbsent(s string) string {
	if s == "" {
		return absent
	}
	return s
}

// statCell writes one statistic of a metric, or why there is none.
func statCell(q *analyze.Quantiles, stat string) cell {
	if q == nil {
		return text(absent)
	}
	if v := statOf(q, stat); v != nil {
		return text(Seconds(*v))
	}
	for _, w := range q.Warnings {
		if why, ok := strings.CutPrefix(w, stat+": "); ok {
			switch {
			case strings.Contains(why, "too small"):
				return cell{text: tooSmall, tone: missing, why: w}
			case strings.Contains(why, "failures"):
				return cell{text: inFailures, tone: bad, why: w}
			}
			return cell{text: absent, tone: missing, why: w}
		}
	}
	return text(absent)
}

func statOf(q *analyze.Quantiles, stat string) *float64 {
	switch stat {
	case "mean":
		return q.Mean
	case "min":
		return q.Min
	case "p50":
		return q.P50
	case "p90":
		return q.P90
	case "p95":
		return q.P95
	case "p99":
		return q.P99
	case "p99.9":
		return q.P999
	case "max":
		return q.Max
	}
	return nil
}
