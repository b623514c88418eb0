package workload

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TestLengthCountsDescribe: mean and quantiles are those of the sorted lengths, and only with ten values beyond.
func TestLengthCountsDescribe(t *testing.T) {
	if (LengthCounts{}).Describe() != nil || LengthCounts(nil).Describe() != nil {
		t.Error("a description of no lengths")
	}
	for _, n := range []int{1, 15, 100, 2000} {
		c, all := LengthCounts{}, []float64{}
		r := stat.Keyed(1, "lengths", uint64(n))
		for range n {
			l := int(r.Lognormal(200, 0.8))
			c.Add(l)
			all = append(all, float64(l))
		}
		slices.Sort(all)
		d := c.Describe()
		mean := 0.0
		for _, v := range all {
			mean += v / float64(n)
		}
		if d.N != n || math.Abs(d.Mean.Value-mean) > 1e-6*mean || !d.Mean.Holds(mean) {
			t.Errorf("%d lengths: n %d, mean %+v, want %g", n, d.N, d.Mean, mean)
		}
		for _, q := range []struct {
			name string
			q    float64
			got  *Estimate
		}{{"p10", 0.1, d.P10}, {"p50", 0.5, d.P50}, {"p90", 0.9, d.P90}, {"p99", 0.99, d.P99}} {
			if enough := float64(n)*min(q.q, 1-q.q) > 9.9; enough != (q.got != nil) {
				t.Errorf("%d lengths: %s there: %t", n, q.name, q.got != nil)
				continue
			} else if !enough {
				continue
			}
			want := all[int(math.Ceil(q.q*float64(n)-1e-9))-1]
			if q.got.Value != want || !q.got.Holds(want) || q.got.Low > q.got.High {
				t.Errorf("%d lengths: %s is %+v, want %g", n, q.name, *q.got, want)
			}
		}
	}
}

// TestAskedIsTheSchedule: what is asked are the figures of the schedule's own measure phase, and the lengths of the very
// requests in it.
func TestAskedIsTheSchedule(t *testing.T) {
	s := parse(t, small, OverrideSet("phases={warmup: 7s, measure: 120s}"), OverrideSet("arrivals={preset: bursty, rate: 10/s}"))
	s.Prompts = synthetic("")
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	asked, want := src.Asked(sched), sched.StatsBetween(7*time.Second, 127*time.Second)
	if asked.Requests != want.Arrivals || asked.Rate.Value != want.Rate || asked.CV.Value != *want.CV {
		t.Errorf("asked %+v, the schedule %+v", asked, want)
	}
	if len(asked.IDC) != 2 || asked.IDC[0].Value != *want.Dispersions[0].IDC || asked.IDC[1].Seconds != 10 || asked.IDC[1].Value != *want.Dispersions[1].IDC {
		t.Errorf("IDC %+v", asked.IDC)
	}
	sum, n := 0, 0
	for i, at := range sched.Times {
		if at >= 7*time.Second {
			in, _ := src.Lengths(i)
			sum, n = sum+in, n+1
		}
	}
	if asked.Input.N != n || math.Abs(asked.Input.Mean.Value-float64(sum)/float64(n)) > 1e-9 || asked.Output.Mean != (Estimate{5, 5, 5}) {
		t.Errorf("input %+v, output %+v", asked.Input, asked.Output)
	}
	if src.Asked(&Schedule{}) != nil {
		t.Error("a closed loop asks for something")
	}
}
