package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// page is a metrics page: its families by name.
type page map[string]*dto.MetricFamily

// errNoMetrics is the error of a page that holds no metric at all.
var errNoMetrics = errors.New("the page holds no metrics")

// parsePage reads Prometheus text, format 0.0.4. A page of which any line is wrong is refused whole: half of one would make
// sums that are too small.
func parsePage(text []byte) (p page, err error) {
	defer func() {
		if r := recover(); r != nil { // a page from elsewhere must not end a run
			p, err = nil, fmt.Errorf("the page cannot be read: %v", r)
		}
	}()
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) > 0 && (trimmed[0] == '<' || trimmed[0] == '{') {
		return nil, fmt.Errorf("the page is no metrics page: it begins with %q", trimmed[:min(len(trimmed), 12)])
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	p, err = parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the page is not in Prometheus' text format: %s", brief(err.Error()))
	}
	if len(p) == 0 {
		return nil, errNoMetrics
	}
	return p, nil
}

// brief keeps an error that quotes a page short.
func brief(s string) string {
	const most = 160
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// The parts of a metric that are numbers.
const (
	partValue = ""
	partSum   = "sum"
	partCount = "count"
)

// scalar is one number of one series.
type scalar struct {
	key    string // names the series and the part
	labels map[string]string
	v      float64
}

// family finds a metric. A counter is found with _total behind its name and without, as the formats and client libraries
// differ in that.
func (p page) family(name string) (found string, f *dto.MetricFamily) {
	bare := strings.TrimSuffix(name, "_total")
	for _, n := range []string{name, bare + "_total", bare} {
		if f := p[n]; f != nil {
			return n, f
		}
	}
	return "", nil
}

// scalars are the numbers of one part of a metric, a number for each series. A series without a number (NaN) has none.
func (p page) scalars(ref metricRef, part string) (found string, all []scalar) {
	name, f := p.family(ref.name)
	if f == nil && part != partValue { // a histogram that lost its TYPE line
		_, f = p.family(ref.name + "_" + part)
		if f == nil {
			return "", nil
		}
		name, part = ref.name, partValue
	}
	if f == nil {
		return "", nil
	}
	for _, m := range f.GetMetric() {
		labels := labelsOf(m)
		if ref.label != "" && labels[ref.label] != ref.value {
			continue
		}
		if v, ok := number(m, part); ok {
			all = append(all, scalar{key: keyOf(f.GetName(), part, labels), labels: labels, v: v})
		}
	}
	if len(all) == 0 {
		return "", nil
	}
	return name, all
}

// number is a part of a metric.
func number(m *dto.Metric, part string) (v float64, ok bool) {
	switch {
	case m.Histogram != nil && part == partSum:
		v, ok = m.Histogram.GetSampleSum(), true
	case m.Histogram != nil && part == partCount:
		v, ok = max(float64(m.Histogram.GetSampleCount()), m.Histogram.GetSampleCountFloat()), true
	case m.Summary != nil && part == partSum:
		v, ok = m.Summary.GetSampleSum(), true
	case m.Summary != nil && part == partCount:
		v, ok = float64(m.Summary.GetSampleCount()), true
	case part != partValue:
	case m.Counter != nil:
		v, ok = m.Counter.GetValue(), true
	case m.Gauge != nil:
		v, ok = m.Gauge.GetValue(), true
	case m.Untyped != nil:
		v, ok = m.Untyped.GetValue(), true
	}
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

func keyOf(name, part string, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(name + "\x00" + part)
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString("\x00" + k + "\x01" + labels[k])
	}
	return b.String()
}
