package measure

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"

	"github.com/infbench/infbench/pkg/workload"
)

// drawDurations covers the whole range of the geometry, evenly by magnitude.
func drawDurations(t *rapid.T) []time.Duration {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		magnitude := rapid.IntRange(0, 41).Draw(t, "magnitude")
		return time.Duration(rapid.Int64Range(0, min(HistHighest, 1<<magnitude)).Draw(t, "value"))
	}), 1, 300).Draw(t, "values")
}

func TestHistAgainstSortedValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := drawDurations(t)
		var h Hist
		var sum float64
		for _, v := range values {
			h.Record(v)
			sum += float64(v)
		}
		slices.Sort(values)
		got := h.Totals()
		if got.Count != int64(len(values)) || got.Min != int64(values[0]) || got.Max != int64(values[len(values)-1]) || got.Sum != sum {
			t.Fatalf("totals %+v of %v", got, values)
		}
		for k := range values {
			v, ok := h.ValueAtRank(int64(k + 1))
			if !ok {
				t.Fatalf("rank %d of %d: no value", k+1, len(values))
			}
			// 3 digits, or the width of the lowest bucket (512 ns for a unit of 1 us)
			if off := v - values[k]; off < 0 || float64(off) > max(511, float64(values[k])/1000) {
				t.Fatalf("rank %d: %d, sorted %d", k+1, v, values[k])
			}
		}
	})
}

func TestHistMergeIsTheHistogramOfTheUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDurations(t), drawDurations(t)
		var x, y, both Hist
		for _, v := range a {
			x.Record(v)
			both.Record(v)
		}
		for _, v := range b {
			y.Record(v)
			both.Record(v)
		}
		if err := x.Merge(&y); err != nil {
			t.Fatal(err)
		}
		if x.Totals() != both.Totals() || !slices.Equal(x.Buckets(), both.Buckets()) {
			t.Fatalf("merged %+v, union %+v", x.Totals(), both.Totals())
		}
	})
}

func TestHistEdges(t *testing.T) {
	var h Hist
	if _, ok := h.ValueAtRank(1); ok {
		t.Error("an empty histogram has a value")
	}
	h.Record(-time.Second)
	if h.Count() != 0 || h.Negative() != 1 {
		t.Errorf("a negative value: count %d, negative %d", h.Count(), h.Negative())
	}
	h.Record(2 * time.Hour)
	h.Record(time.Millisecond)
	if got := h.Totals(); got.Overflow != 1 || got.Max != int64(2*time.Hour) || got.Count != 2 {
		t.Errorf("totals %+v", got)
	}
	if v, _ := h.ValueAtRank(2); v != 2*time.Hour {
		t.Errorf("the largest of an overflowing histogram is %s, want 2h", v)
	}
	h.RecordN(time.Hour, 1<<40) // the sum passes 64 bits
	want := float64(time.Hour)*(1<<40) + float64(2*time.Hour) + float64(time.Millisecond)
	if got := h.Totals().Sum; got != want {
		t.Errorf("sum %g, want %g", got, want)
	}
	h.Reset()
	if h.Count() != 0 || len(h.Buckets()) != 0 {
		t.Error("reset left something behind")
	}
}

func TestForeignGeometryIsAnError(t *testing.T) {
	other := hdr.New(1, int64(24*time.Hour), 3)
	if err := other.RecordValue(int64(20 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	var h Hist
	if err := h.mergeBuckets(other); err == nil {
		t.Error("values outside the geometry were lost without a word")
	}
}

// The interval log must be readable by the standard reader, and its quantiles must be those of the values.
func TestHistLogStandardReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), histFile)
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	l, err := newHistLog(path, start)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var all []int64
	whole := hdr.New(HistLowest, HistHighest, HistDigits)
	for i := range 5 {
		var tally Tally
		for range 1000 {
			v := int64(rng.ExpFloat64() * 5e7)
			all = append(all, v)
			tally.Hist(workload.TTFT).Record(time.Duration(v))
		}
		from := start.Add(time.Duration(i) * time.Second)
		if err := l.write(Tag{Approach: "self-hosted", Block: 3}, from, from.Add(time.Second), &tally); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := hdr.NewHistogramLogReader(bytes.NewReader(b))
	intervals := 0
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		if h.Tag() != "self-hosted/3/ttft" {
			t.Errorf("tag %q", h.Tag())
		}
		if want := start.Add(time.Duration(intervals) * time.Second).UnixMilli(); h.StartTimeMs() != want {
			t.Errorf("interval %d starts at %d, want %d", intervals, h.StartTimeMs(), want)
		}
		if dropped := whole.Merge(h); dropped != 0 {
			t.Errorf("%d values dropped", dropped)
		}
		intervals++
	}
	if intervals != 5 {
		t.Errorf("%d intervals, want 5", intervals)
	}
	slices.Sort(all)
	for _, q := range []float64{50, 90, 99, 99.9} {
		want := all[int(q/100*float64(len(all))+0.5)-1]
		if got := whole.ValueAtPercentile(q); !whole.ValuesAreEquivalent(got, want) {
			t.Errorf("p%g: %d, sorted %d", q, got, want)
		}
	}
	merged, err := readHistLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := merged[Tag{Approach: "self-hosted", Block: 3, Metric: workload.TTFT}].Count(); n != 5000 {
		t.Errorf("our reader finds %d values, want 5000", n)
	}
}

func TestTornHistLogKeepsWholeIntervals(t *testing.T) {
	path := filepath.Join(t.TempDir(), histFile)
	l, err := newHistLog(path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var tally Tally
		tally.Hist(workload.ITL).Record(time.Millisecond)
		if err := l.write(Tag{Approach: "a"}, time.Now(), time.Now(), &tally); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	second := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	for cut := second; cut < len(b); cut++ {
		if err := os.WriteFile(path, b[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readHistLog(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if n := got[Tag{Approach: "a", Block: 0, Metric: workload.ITL}].Count(); n != 1 {
			t.Fatalf("cut at %d: %d values, want 1", cut, n)
		}
	}
}

func FuzzParseTag(f *testing.F) {
	f.Add("a/0/ttft")
	f.Add("a/0/ttft/chat")
	f.Add("//")
	f.Fuzz(func(t *testing.T, s string) {
		tag, err := ParseTag(s)
		if err != nil {
			return
		}
		again, err := ParseTag(tag.String())
		if err != nil || again != tag {
			t.Errorf("%q -> %+v -> %+v, %v", s, tag, again, err)
		}
	})
}

func BenchmarkHistRecord(b *testing.B) {
	var h Hist
	h.Record(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Record(time.Duration(i&0xfffff) * 100)
	}
}
