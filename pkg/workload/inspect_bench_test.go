package workload

import (
	"runtime"
	"testing"
)

// BenchmarkInspectTenMillion reads ten million rows, in less than 300 MB of memory whatever the garbage collector leaves.
func BenchmarkInspectTenMillion(b *testing.B) {
	const rows, limit = 10_000_000, 300 << 20
	var highest uint64
	for b.Loop() {
		f, err := newTraceFile(newAzureLike(rows), &Trace{Path: "t.csv"})
		if err != nil {
			b.Fatal(err)
		}
		in := inspectFile(f)
		var m runtime.MemStats
		err = eachRow(f.rows, func(r *TraceRow) {
			in.add(r)
			if in.p.Rows%100_000 == 0 {
				runtime.ReadMemStats(&m)
				highest = max(highest, m.Sys)
			}
		})
		f.Close()
		if err != nil || in.p.Used != rows {
			b.Fatal(in.p.Used, err)
		}
	}
	b.ReportMetric(float64(highest)/(1<<20), "MiB")
	if highest > limit {
		b.Fatalf("%d bytes", highest)
	}
}
