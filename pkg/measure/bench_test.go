package measure

import (
	"testing"
	"time"
)

// BenchmarkRecorder folds one event into its sample.
func BenchmarkRecorder(b *testing.B) {
	const perRequest = 1000
	count := &counters{}
	b.ReportAllocs()
	for b.Loop() {
		r := recorder{sample: &Sample{}, count: count}
		feed(&r, 1, perRequest)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perRequest, "ns/event")
}

// BenchmarkTally adds a finished request of 1,000 events to the histograms.
func BenchmarkTally(b *testing.B) {
	const perRequest = 1000
	s := &Sample{Scheduled: At(0), Sent: At(1)}
	r := recorder{sample: s, count: &counters{}}
	feed(&r, 1, perRequest)
	r.finish(usageOf(perRequest))
	var t Tally
	b.ReportAllocs()
	for b.Loop() {
		if err := t.Add(s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perRequest, "ns/event")
}

// BenchmarkWholePath makes requests of 1,000 events over loopback, one after the other, from the socket to the histogram
// and the record. The server writes an answer in one go, so that the time is ours and the kernel's copying.
func BenchmarkWholePath(b *testing.B) {
	const perRequest = 1000
	c := testCollector(b)
	epoch := time.Now()
	e := opened(b, canned(b, perRequest), epoch)
	b.ReportAllocs()
	for b.Loop() {
		whole(b, e, c, epoch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perRequest, "ns/event")
}
