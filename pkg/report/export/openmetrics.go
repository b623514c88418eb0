package export

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// family is one metric family of the exposition, with its samples in the order in which they were added.
type family struct {
	name, kind, unit, help string
	samples                []string
}

// add adds a sample: label names and values in turn, of which pairs with an empty value are left out.
func (f *family) add(v float64, labels ...string) {
	var pairs []string
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] != "" {
			pairs = append(pairs, labels[i]+`="`+escapeLabel(labels[i+1])+`"`)
		}
	}
	name := f.name
	if f.kind == "info" {
		name += "_info"
	}
	f.samples = append(f.samples, name+"{"+strings.Join(pairs, ",")+"} "+strconv.FormatFloat(v, 'g', -1, 64))
}

// maybe adds a sample if there is a value.
func (f *family) maybe(v *float64, labels ...string) {
	if v != nil {
		f.add(*v, labels...)
	}
}

func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

// writeOpenMetrics writes the summary as OpenMetrics 1.0 text. All are gauges: a run is over, and nothing in it counts up.
func writeOpenMetrics(w io.Writer, rec *measure.Record) error {
	an, err := analyze.Run(rec)
	if err != nil {
		return err
	}
	attempts := 0
	for _, a := range an.Summary.Approaches {
		attempts += a.Attempts
	}
	if attempts == 0 {
		return fmt.Errorf("%s: %w: the measure phase has no request", rec.Dir, ErrEmpty)
	}
	out := bufio.NewWriter(w)
	for _, f := range families(an.Summary) {
		if len(f.samples) == 0 {
			continue
		}
		fmt.Fprintf(out, "# TYPE %s %s\n", f.name, f.kind)
		if f.unit != "" {
			fmt.Fprintf(out, "# UNIT %s %s\n", f.name, f.unit)
		}
		fmt.Fprintf(out, "# HELP %s %s\n", f.name, f.help)
		for _, s := range f.samples {
			fmt.Fprintln(out, s)
		}
	}
	fmt.Fprintln(out, "# EOF")
	return out.Flush()
}

// families are the summary's figures, one family a kind of figure. A figure of one traffic class has the label traffic_class.
func families(s *analyze.Summary) []*family {
	run := &family{name: "infbench_run", kind: "info", help: "What was run."}
	run.add(1, "run", s.Run.ID, "scenario", s.Scenario.Name, "scenario_digest", s.Scenario.Digest, "schedule_sha256", s.Schedule.SHA256,
		"state", s.Run.State, "version", s.Run.Tool, "machine", s.Run.Machine)
	started := &family{name: "infbench_run_started_timestamp_seconds", kind: "gauge", unit: "seconds", help: "When the run started, since the Unix epoch."}
	started.add(float64(s.Run.Started.UnixMilli()) / 1000)
	validity := &family{name: "infbench_validity", kind: "gauge", help: "1 for the verdict on whether the figures of an approach can be trusted."}
	fs := newFigures()
	for i := range s.Approaches {
		a := &s.Approaches[i]
		for _, v := range []string{analyze.Valid, analyze.Suspect, analyze.Invalid} {
			validity.add(indicator(a.Validity == v), "approach", a.Name, "verdict", v)
		}
		fs.add(figuresOf(a), "approach", a.Name)
		for j := range a.Classes {
			fs.add(&a.Classes[j], "approach", a.Name, "traffic_class", a.Classes[j].Name)
		}
	}
	return append([]*family{run, started, validity}, fs.all()...)
}

// figuresOf is an approach in the form of a traffic class, whose figures are a part of its own.
func figuresOf(a *analyze.ApproachSummary) *analyze.ClassSummary {
	return &analyze.ClassSummary{Attempts: a.Attempts, OK: a.OK, Errors: a.Errors, OfferedRate: a.OfferedRate, DeliveredRate: a.DeliveredRate,
		Metrics: a.Metrics, Tokens: a.Tokens, Goodput: a.Goodput, SLO: a.SLO}
}

// figures are the families that every approach and traffic class has samples in.
type figures struct {
	quantile, mean, largest, samples, attempts, errors, errorRatio, offered, delivered *family
	goodput, goodputRate, tokens, outputRate, objective                                *family
}

func newFigures() *figures {
	gauge := func(name, unit, help string) *family {
		return &family{name: "infbench_" + name, kind: "gauge", unit: unit, help: help}
	}
	return &figures{
		quantile:    gauge("latency_quantile_seconds", "seconds", "Quantile of a latency over the attempts of the measure phase; absent where too few requests stand behind it or it lies among the failures."),
		mean:        gauge("latency_mean_seconds", "seconds", "Mean of a latency, of the requests that have it."),
		largest:     gauge("latency_max_seconds", "seconds", "Largest value of a latency, of the requests that have it."),
		samples:     gauge("latency_samples", "", "Values of a latency."),
		attempts:    gauge("attempts", "", "Requests of the measure phase."),
		errors:      gauge("errors", "", "Requests of the measure phase that failed, by class of error."),
		errorRatio:  gauge("error_ratio", "ratio", "Share of attempts that failed."),
		offered:     gauge("offered_requests_per_second", "", "Scheduled requests per second."),
		delivered:   gauge("delivered_requests_per_second", "", "Requests per second that were sent."),
		goodput:     gauge("goodput_ratio", "ratio", "Share of attempts that met every request limit."),
		goodputRate: gauge("goodput_requests_per_second", "", "Requests per second that met every request limit."),
		tokens:      gauge("tokens", "", "Tokens of the successful requests of the measure phase."),
		outputRate:  gauge("output_tokens_per_second", "", "Output tokens per second of the measure phase."),
		objective:   gauge("objective", "", "1 for the verdict on an objective."),
	}
}

func (f *figures) all() []*family {
	return []*family{f.quantile, f.mean, f.largest, f.samples, f.attempts, f.errors, f.errorRatio, f.offered, f.delivered,
		f.goodput, f.goodputRate, f.tokens, f.outputRate, f.objective}
}

func (f *figures) add(c *analyze.ClassSummary, labels ...string) {
	with := func(more ...string) []string { return append(slices.Clone(labels), more...) }
	for _, m := range workload.Metrics() {
		q := c.Metrics[m]
		if q == nil {
			continue
		}
		for _, p := range []struct {
			of string
			v  *float64
		}{{"0.5", q.P50}, {"0.9", q.P90}, {"0.95", q.P95}, {"0.99", q.P99}, {"0.999", q.P999}} {
			f.quantile.maybe(p.v, with("metric", string(m), "quantile", p.of)...)
		}
		f.mean.maybe(q.Mean, with("metric", string(m))...)
		f.largest.maybe(q.Max, with("metric", string(m))...)
		f.samples.add(float64(q.N), with("metric", string(m))...)
	}
	f.attempts.add(float64(c.Attempts), labels...)
	for _, class := range slices.Sorted(maps.Keys(c.Errors)) {
		f.errors.add(float64(c.Errors[class]), with("class", string(class))...)
	}
	if c.Attempts > 0 {
		f.errorRatio.add(float64(c.Attempts-c.OK)/float64(c.Attempts), labels...)
		f.offered.add(c.OfferedRate, labels...)
		f.delivered.add(c.DeliveredRate, labels...)
	}
	if c.Goodput != nil {
		f.goodput.add(c.Goodput.Ratio, labels...)
		f.goodputRate.add(c.Goodput.PerSecond, labels...)
	}
	for _, t := range []struct {
		kind, basis string
		n           *int64
	}{{"input", "", c.Tokens.Input}, {"cached_input", "", c.Tokens.CachedInput}, {"output", c.Tokens.Basis, c.Tokens.Output}, {"reasoning", "", c.Tokens.Reasoning}} {
		if t.n != nil {
			f.tokens.add(float64(*t.n), with("kind", t.kind, "basis", t.basis)...)
		}
	}
	f.outputRate.maybe(c.Tokens.OutputPerSecond, with("basis", c.Tokens.Basis)...)
	var told []string
	for _, o := range c.SLO {
		if slices.Contains(told, o.Objective) {
			continue // written twice in the scenario; a series is there once
		}
		told = append(told, o.Objective)
		for _, v := range []string{analyze.Pass, analyze.Fail, analyze.CannotTell} {
			f.objective.add(indicator(o.Verdict == v), with("objective", o.Objective, "verdict", v)...)
		}
	}
}

func indicator(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
