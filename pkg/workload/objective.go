package workload

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// The metrics of an objective that are not latencies.
const (
	Goodput     Metric = "goodput"      // share of attempts that met every limit of slo.request
	ErrorRate   Metric = "error_rate"   // share of attempts that failed
	GoodputRate Metric = "goodput_rate" // good requests per second
)

// objectiveStats are the statistics of a latency that an objective may name.
var objectiveStats = []string{"p50", "p90", "p95", "p99", "p99.9", "mean", "max"}

// objectiveMetrics are the metrics that an objective may name.
func objectiveMetrics() []string {
	var names []string
	for _, m := range Metrics() {
		names = append(names, string(m))
	}
	return append(names, string(Goodput), string(ErrorRate), string(GoodputRate))
}

// objectiveForm is METRIC [STAT] OP VALUE. Spaces around the operator are optional.
var objectiveForm = regexp.MustCompile(
	`^[ \t]*([^ \t<>=]+)(?:[ \t]+([^ \t<>=]+))?[ \t]*(<=|>=|<|>)[ \t]*([^ \t<>=](?:[^<>=]*[^ \t<>=])?)[ \t]*$`)

// ParseObjective reads a line such as "ttft p95 <= 800ms", "goodput >= 95%", "error_rate <= 1%" or
// "goodput_rate >= 5/s". Latencies and the error rate have upper limits, goodput and its rate lower ones.
func ParseObjective(text string) (Objective, error) {
	m := objectiveForm.FindStringSubmatch(text)
	if m == nil {
		return Objective{}, &unitError{fmt.Sprintf("%q is not an objective", clip(text)),
			`write METRIC STATISTIC OPERATOR VALUE, such as "ttft p95 <= 800ms", "goodput >= 95%" or "error_rate <= 1%"`}
	}
	o := Objective{Metric: m[1], Stat: m[2], Op: m[3], Text: text}
	if known := objectiveMetrics(); !slices.Contains(known, o.Metric) {
		return Objective{}, &unitError{fmt.Sprintf("there is no metric %q", clip(o.Metric)), strict.DidYouMean(o.Metric, known, "the metrics are")}
	}
	read := o.readLatency
	if o.isShare() || o.Metric == string(GoodputRate) {
		read = o.readCount
	}
	if err := read(m[4]); err != nil {
		return Objective{}, err
	}
	return o, nil
}

// isShare reports whether the value is a share of the attempts.
func (o *Objective) isShare() bool {
	return o.Metric == string(Goodput) || o.Metric == string(ErrorRate)
}

// readLatency reads the statistic and the value of a latency.
func (o *Objective) readLatency(value string) error {
	switch {
	case o.Stat == "":
		return &unitError{o.Metric + " has no statistic", fmt.Sprintf("name one, such as `%s p95 %s %s`; the statistics are %s",
			o.Metric, o.Op, clip(value), strings.Join(objectiveStats, ", "))}
	case !slices.Contains(objectiveStats, o.Stat):
		return &unitError{fmt.Sprintf("there is no statistic %q", clip(o.Stat)), strict.DidYouMean(o.Stat, objectiveStats, "the statistics are")}
	case o.Op[0] != '<':
		return &unitError{fmt.Sprintf("%s %s %s %s asks for a slow answer", o.Metric, o.Stat, o.Op, clip(value)),
			"a latency has an upper limit: write <= or <"}
	}
	var d Duration
	if err := d.UnmarshalText([]byte(value)); err != nil {
		return err
	}
	if d == 0 {
		return &unitError{value + " can never be met", "give a limit above 0s, such as 800ms"}
	}
	o.Value = d.D().Seconds()
	return nil
}

// readCount reads the value of a share or of a rate.
func (o *Objective) readCount(value string) error {
	if o.Stat != "" {
		return &unitError{fmt.Sprintf("%s has no statistic %q", o.Metric, clip(o.Stat)), fmt.Sprintf("write `%s %s %s`", o.Metric, o.Op, clip(value))}
	}
	wantOp, why := byte('>'), "goodput has a lower limit: write >= or >"
	if o.Metric == string(ErrorRate) {
		wantOp, why = '<', "an error rate has an upper limit: write <= or <"
	}
	if o.Op[0] != wantOp {
		return &unitError{fmt.Sprintf("%s %s %s is the wrong way round", o.Metric, o.Op, clip(value)), why}
	}
	if !o.isShare() {
		var r Rate
		err := r.UnmarshalText([]byte(value))
		o.Value = float64(r)
		return err
	}
	number, percent := strings.CutSuffix(value, "%")
	v, err := strconv.ParseFloat(trim(number), 64)
	switch {
	case err != nil || !isNumber(trim(number)):
		return &unitError{fmt.Sprintf("%q is not a share", clip(value)), "shares are in percent: 95%, 99.9%"}
	case !percent && v <= 1:
		return &unitError{value + " has no unit", fmt.Sprintf("shares are in percent: write %s%%", formatFloat(100*v))}
	case !percent:
		return &unitError{value + " has no unit", fmt.Sprintf("shares are in percent: write %s%%", number)}
	case math.Signbit(v) || v > 100 || o.Op == ">" && v == 100 || o.Op == "<" && v == 0:
		return &unitError{fmt.Sprintf("%s %s can never be met", o.Op, value), "give a share from 0% to 100%"}
	}
	o.Value = v / 100
	return nil
}

// String is the line as it was written, or as it would be where an objective was not read from a text.
func (o Objective) String() string {
	if o.Text != "" {
		return o.Text
	}
	var value string
	switch {
	case o.isShare():
		value = formatFloat(100*o.Value) + "%"
	case o.Metric == string(GoodputRate):
		value = Rate(o.Value).String()
	default:
		value = Duration(o.Value*1e9 + 0.5).String()
	}
	text := o.Metric + " "
	if o.Stat != "" {
		text += o.Stat + " "
	}
	return text + o.Op + " " + value
}

// MarshalText gives String.
func (o Objective) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is ParseObjective.
func (o *Objective) UnmarshalText(text []byte) error {
	parsed, err := ParseObjective(string(text))
	if err == nil {
		*o = parsed
	}
	return err
}
