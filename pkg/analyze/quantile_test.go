package analyze

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// histOf holds 1, 2, ... n milliseconds.
func histOf(n int) *measure.Hist {
	h := &measure.Hist{}
	for i := 1; i <= n; i++ {
		h.Record(time.Duration(i) * time.Millisecond)
	}
	return h
}

func near(got *float64, want float64) bool {
	return got != nil && math.Abs(*got-want) <= 1e-3*want
}

func TestQuantilesOverAttempts(t *testing.T) {
	tests := []struct {
		name          string
		n             int
		failures      int64
		p50, p95, p99 float64 // 0: absent
		warning       string
	}{
		{"enough for p99", 1000, 0, 0.500, 0.950, 0.990, "p99.9: n too small (1000, needs 10000)"},
		{"one short of p99", 999, 0, 0.500, 0.950, 0, "p99: n too small (999, needs 1000)"},
		{"failures shift every percentile", 900, 100, 0.500, 0, 0, "p95: among the failures (10% of attempts failed)"},
		{"failures are in the median", 400, 600, 0, 0, 0, "p50: among the failures (60% of attempts failed)"},
		{"too few for anything", 19, 0, 0, 0, 0, "p50: n too small (19, needs 20)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := quantilesOf(histOf(tt.n), tt.failures)
			for _, c := range []struct {
				name string
				got  *float64
				want float64
			}{{"p50", q.P50, tt.p50}, {"p95", q.P95, tt.p95}, {"p99", q.P99, tt.p99}} {
				if c.want == 0 && c.got != nil || c.want != 0 && !near(c.got, c.want) {
					t.Errorf("%s = %v, want %g", c.name, c.got, c.want)
				}
			}
			if !strings.Contains(strings.Join(q.Warnings, "\n"), tt.warning) {
				t.Errorf("warnings %q do not say %q", q.Warnings, tt.warning)
			}
			if !near(q.Mean, float64(tt.n+1)/2000) || !near(q.Min, 0.001) || !near(q.Max, float64(tt.n)/1000) {
				t.Errorf("mean %v min %v max %v", *q.Mean, *q.Min, *q.Max)
			}
		})
	}
}

// The published table of MLPerf's early stopping (measurement.md section 8): with n attempts and t misses in the table,
// P(Bin(n, 1-p) <= t) is at most 1%, and with one attempt fewer it is more.
func TestBinomialAgainstPublishedTable(t *testing.T) {
	misses := []int{0, 1, 2, 5, 10, 20, 50, 100}
	for p, totals := range map[float64][]int{
		0.90:  {44, 64, 81, 127, 197, 325, 681, 1246},
		0.95:  {90, 130, 165, 259, 398, 656, 1372, 2504},
		0.99:  {459, 662, 838, 1307, 2010, 3304, 6898, 12571},
		0.999: {4603, 6636, 8403, 13105, 20140, 33097, 69058, 125826},
	} {
		for i, n := range totals {
			if got := binomialCDF(misses[i], n, 1-p); got > 0.01 {
				t.Errorf("p%g, %d misses of %d: %g > 1%%", 100*p, misses[i], n, got)
			}
			if got := binomialCDF(misses[i], n-1, 1-p); got <= 0.01 {
				t.Errorf("p%g, %d misses of %d: %g <= 1%%, the table needs one attempt more", 100*p, misses[i], n-1, got)
			}
		}
	}
}

// foldOf is an approach with n successes of 1..n ms TTFT and some failures.
func foldOf(n, failures int) *fold {
	f := newFold("a", workload.RequestLimits{TTFT: workload.Duration(100 * time.Millisecond)})
	f.span = 10
	for i := 1; i <= n; i++ {
		f.add(&measure.Sample{Class: endpoint.OK, Scheduled: measure.At(0), Sent: measure.At(0),
			FirstToken: measure.At(time.Duration(i) * time.Millisecond), Done: measure.At(time.Second), Chunks: 1, Reads: 1})
	}
	for range failures {
		f.add(&measure.Sample{Class: endpoint.HTTPStatus, Error: "500", Scheduled: measure.At(0), Sent: measure.At(0)})
	}
	return f
}

func TestJudge(t *testing.T) {
	ttft := func(stat string, limit float64) workload.Objective {
		return workload.Objective{Metric: "ttft", Stat: stat, Op: "<=", Value: limit, Text: "ttft " + stat}
	}
	share := func(metric, op string, v float64) workload.Objective {
		return workload.Objective{Metric: metric, Op: op, Value: v, Text: metric}
	}
	tests := []struct {
		name        string
		n, failures int
		o           workload.Objective
		want        string
	}{
		{"p95 holds", 1000, 0, ttft("p95", 0.951), Pass},
		{"p95 does not", 1000, 0, ttft("p95", 0.94), Fail},
		{"failures push p95 out", 1000, 100, ttft("p95", 10), Fail},
		{"a few failures do not", 1000, 10, ttft("p95", 0.97), Pass},
		{"p99 of 100 near its line", 100, 0, ttft("p99", 0.099), CannotTell},
		{"p99 of 100 far over its line", 100, 0, ttft("p99", 0.010), Fail},
		{"p99 of 400 far under its line", 400, 0, ttft("p99", 10), Pass},
		{"mean with a failure has no value", 100, 1, ttft("mean", 10), Fail},
		{"mean", 100, 0, ttft("mean", 0.0506), Pass},
		{"max", 100, 0, ttft("max", 0.0999), Fail},
		{"no such metric", 100, 0, workload.Objective{Metric: "server_queue", Stat: "p50", Op: "<=", Value: 1}, CannotTell},
		{"goodput counts slow ones", 1000, 0, share("goodput", ">=", 0.5), Fail}, // 100 of 1000 are within 100 ms
		{"goodput counts failures", 100, 100, share("goodput", ">=", 0.6), Fail},
		{"goodput holds", 100, 0, share("goodput", ">=", 0.9), Pass},
		{"error rate", 980, 20, share("error_rate", "<=", 0.01), Fail},
		{"no errors in 50 say nothing about 1%", 50, 0, share("error_rate", "<=", 0.01), CannotTell},
		{"no errors in 400 do", 400, 0, share("error_rate", "<=", 0.01), Pass},
		{"goodput rate", 100, 0, share("goodput_rate", ">=", 10), Pass},
		{"nothing at all", 0, 0, share("goodput", ">=", 0.5), CannotTell},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := foldOf(tt.n, tt.failures).judge(tt.o, nil)
			if r.Verdict != tt.want {
				t.Errorf("%s (value %v, why %q), want %s", r.Verdict, r.Value, r.Why, tt.want)
			}
			if r.Verdict == CannotTell && r.Why == "" {
				t.Error("cannot tell, and does not say why")
			}
		})
	}
}

// What lies within the instrument's own error of a limit is neither above nor below it.
func TestJudgeKnowsTheNoiseFloor(t *testing.T) {
	floor := &measure.NoiseFloor{TTFT: 0.002, Gap: 1e-5}
	for limit, want := range map[float64]string{0.940: Fail, 0.9492: CannotTell, 0.951: CannotTell, 0.960: Pass} {
		o := workload.Objective{Metric: "ttft", Stat: "p95", Op: "<=", Value: limit}
		if r := foldOf(1000, 0).judge(o, floor); r.Verdict != want || want == CannotTell && !strings.Contains(r.Why, "2ms") {
			t.Errorf("limit %g: %+v, want %s", limit, r, want)
		}
	}
}
