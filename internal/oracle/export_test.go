package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report/export"
	"github.com/infbench/infbench/pkg/workload"
)

// exported is a run of two approaches in six rounds, of which one refuses some requests, so that rows lack fields. Nothing here
// is about how fast it was.
const exported = `
name: export
blocks: 6
phases: {warmup: 100ms, measure: 1s, drain: 5s}
arrivals: {rate: 60/s, burst: {poisson: {}}}
prompts:
  synthetic: {input: {fixed: 40}, output: {lognormal: {median: 6, sigma: 0.5, max: 20}}}
approaches:
  - name: plain
    simulate: {slots: 100, overhead: 20ms, decode_step: 2ms}
  - name: limited
    simulate: {slots: 100, overhead: 22ms, decode_step: 2ms, rate_limit: 25/s}
slo:
  request: {ttft: 100ms}
  objectives: [ttft p50 <= 1s, goodput >= 10%]
`

// exportedRun drives the run once for all tests, with the program itself.
var exportedRun = sync.OnceValues(func() (*measure.Record, error) {
	dir := filepath.Join(os.TempDir(), "infbench-oracle-export") // of a fixed name, so that runs of the tests do not add up
	err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
	if err != nil {
		return nil, err
	}
	scenario, run := filepath.Join(dir, "export.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(scenario, []byte(exported), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "run", "./cmd/infbench", "run", scenario, "--quiet", "--accept-suspect", "--out", run)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // a busy machine makes the run invalid; it is a record all the same
		return nil, err
	}
	rec, err := measure.Open(run)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return rec, rec.Verify()
})

// exportAs is the run in a format of one file.
func exportAs(t *testing.T, format export.Format) (*measure.Record, []byte) {
	t.Helper()
	rec, err := exportedRun()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := export.Write(&b, format, rec); err != nil {
		t.Fatal(err)
	}
	return rec, b.Bytes()
}

// TestParquetReadByArrow: Apache Arrow's reader finds every row of the record in our parquet, each value as the record's JSON has
// it, and null where that has none.
func TestParquetReadByArrow(t *testing.T) {
	rec, data := exportAs(t, export.Parquet)
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(data), parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	var rows []map[string]any
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if int(table.NumRows()) != len(rows) || len(rows) < 300 {
		t.Fatalf("Arrow reads %d rows, the record has %d", table.NumRows(), len(rows))
	}
	nulls, values, names := 0, 0, map[string]bool{}
	for c := range int(table.NumCols()) {
		field := table.Schema().Field(c)
		names[field.Name] = true
		at := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				want, known := rows[at][field.Name]
				got := cellOf(t, chunk, i)
				if got == nil {
					nulls++
				} else {
					values++
				}
				if got == nil != !known && (field.Nullable || got != "0" && got != "false") || known && got != fmt.Sprint(want) {
					t.Fatalf("row %d, %s: Arrow reads %v, the record has %v (%v)", at, field.Name, got, want, known)
				}
				at++
			}
		}
	}
	for i, row := range rows {
		for name := range row {
			if !names[name] && name != "rate_limits" {
				t.Fatalf("row %d has %s, and no column does", i, name)
			}
		}
	}
	if nulls < 1000 || values < 1000 {
		t.Errorf("%d nulls, %d values: the run shows nothing", nulls, values)
	}
}

// cellOf is a value as the JSON of the record writes it, and nil for null.
func cellOf(t *testing.T, a arrow.Array, i int) any {
	t.Helper()
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10)
	case *array.String:
		return a.Value(i)
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i))
	}
	t.Fatalf("a column of %T", a)
	return nil
}

// unitValue is a figure of a block under the name that benchfmt has for it.
var unitValue = map[string]func(b *analyze.BlockSummary) *float64{
	"ttft-p50-sec": func(b *analyze.BlockSummary) *float64 { return b.Metrics[workload.TTFT].P50 },
	"e2e-p50-sec":  func(b *analyze.BlockSummary) *float64 { return b.Metrics[workload.E2E].P50 },
	"tpot-p50-sec": func(b *analyze.BlockSummary) *float64 { return b.Metrics[workload.TPOT].P50 },
	"req/s":        func(b *analyze.BlockSummary) *float64 { return &b.DeliveredRate },
	"output-tok/s": func(b *analyze.BlockSummary) *float64 { return b.Tokens.OutputPerSecond },
	"error-ratio":  func(b *analyze.BlockSummary) *float64 { return new(1 - float64(b.OK)/float64(b.Attempts)) },
}

// TestBenchfmtReadByBenchstat: benchstat's own reader finds the blocks' figures in our export, and its statistics over them, median
// and Mann-Whitney p-value, are ours over the record.
func TestBenchfmtReadByBenchstat(t *testing.T) {
	rec, data := exportAs(t, export.Benchfmt)
	blocks, err := analyze.Blocks(rec)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]map[string][]float64{} // by unit and approach
	reader := benchfmt.NewReader(bytes.NewReader(data), "export")
	for lines := 0; reader.Scan(); {
		switch r := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(r)
		case *benchfmt.Result:
			lines++
			approach := regexp.MustCompile(`/approach=([a-z]+)-\d+$`).FindStringSubmatch(string(r.Name))
			if approach == nil || r.GetConfig("scenario") != "export" || r.Iters != blocks[lines-1].Attempts {
				t.Fatalf("line %d: %s, %d iterations, scenario %q", lines, r.Name, r.Iters, r.GetConfig("scenario"))
			}
			for _, v := range r.Values {
				name, value := v.Unit, v.Value
				if v.OrigUnit != "" {
					name, value = v.OrigUnit, v.OrigValue
				}
				if read[name] == nil {
					read[name] = map[string][]float64{}
				}
				read[name][approach[1]] = append(read[name][approach[1]], value)
			}
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	for unit, of := range unitValue {
		ours := map[string][]float64{}
		for i := range blocks {
			ours[blocks[i].Approach] = append(ours[blocks[i].Approach], *of(&blocks[i]))
		}
		for _, approach := range []string{"plain", "limited"} {
			if !slices.Equal(read[unit][approach], ours[approach]) || len(ours[approach]) != 6 {
				t.Fatalf("%s of %s: benchfmt reads %v, the blocks have %v", unit, approach, read[unit][approach], ours[approach])
			}
			theirs := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(read[unit][approach]), &benchmath.DefaultThresholds), 0.95)
			if want := medianOf(ours[approach]); math.Abs(theirs.Center-want) > 1e-12*math.Abs(want) {
				t.Errorf("%s of %s: benchstat's median %v, ours %v", unit, approach, theirs.Center, want)
			}
		}
		theirs := benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(read[unit]["plain"]), &benchmath.DefaultThresholds),
			benchmath.NewSample(slices.Clone(read[unit]["limited"]), &benchmath.DefaultThresholds))
		test, err := stat.MannWhitney(ours["plain"], ours["limited"])
		if err != nil {
			t.Fatal(err)
		}
		equal := slices.Max(slices.Concat(ours["plain"], ours["limited"])) == slices.Min(slices.Concat(ours["plain"], ours["limited"]))
		if !equal && math.Abs(theirs.P-test.P) > 1e-9 {
			t.Errorf("%s: benchstat's p %v, ours %v", unit, theirs.P, test.P)
		}
		t.Logf("%-13s p = %.4f, both", unit, test.P)
	}
	if slices.Max(read["error-ratio"]["limited"]) == 0 {
		t.Error("nothing was refused: the run shows no failure")
	}
	for unit, of := range read { // all blocks of an approach have a figure, or none
		for approach, v := range of {
			if len(v) != 6 {
				t.Errorf("%s of %s: %d of 6 blocks", unit, approach, len(v))
			}
		}
	}
}

// medianOf is the middle value, or the mean of the two in the middle.
func medianOf(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// TestOpenMetricsReadByPrometheus: Prometheus' own parser, which holds every line against the grammar of OpenMetrics 1.0, reads our
// export, with the figures of the summary.
func TestOpenMetricsReadByPrometheus(t *testing.T) {
	rec, data := exportAs(t, export.OpenMetrics)
	an, err := analyze.Run(rec)
	if err != nil {
		t.Fatal(err)
	}
	// Prometheus' data model has no type for info, which OpenMetrics has: its parser refuses the type. The family is cut out.
	cut := regexp.MustCompile(`(?m)^(# (TYPE|HELP) infbench_run |infbench_run_info\{).*\n`)
	if n := len(cut.FindAll(data, -1)); n != 3 {
		t.Fatalf("%d lines of infbench_run_info", n)
	}
	data = cut.ReplaceAll(data, nil)
	decoder := expfmt.NewDecoder(bytes.NewReader(data), expfmt.FmtOpenMetrics_1_0_0)
	got := map[string]float64{}
	families := 0
	for {
		var f dto.MetricFamily
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		families++
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			if m.Gauge != nil {
				got[f.GetName()+" "+strings.Join(labels, ",")] = m.Gauge.GetValue()
			}
		}
	}
	if families < 10 {
		t.Errorf("%d families", families)
	}
	for i := range an.Summary.Approaches {
		a := &an.Summary.Approaches[i]
		ratio := float64(a.Attempts-a.OK) / float64(a.Attempts)
		q := a.Metrics[workload.TTFT]
		for name, want := range map[string]*float64{
			"infbench_attempts approach=" + a.Name:                                                new(float64(a.Attempts)),
			"infbench_error_ratio approach=" + a.Name:                                             &ratio,
			"infbench_latency_quantile_seconds approach=" + a.Name + ",metric=ttft,quantile=0.5":  q.P50,
			"infbench_latency_quantile_seconds approach=" + a.Name + ",metric=ttft,quantile=0.95": q.P95, // nil where it lies among the failures
			"infbench_objective approach=" + a.Name + ",objective=goodput >= 10%,verdict=pass":    new(1.0),
		} {
			if v, ok := got[name]; ok != (want != nil) || ok && v != *want {
				t.Errorf("%s: Prometheus reads %v (%v), the summary has %v", name, v, ok, want)
			}
		}
	}
}
