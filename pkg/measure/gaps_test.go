package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// gapsOf makes n gaps of very different lengths, tokens and lateness.
func gapsOf(n int, severalTokens bool) []gap {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	list := make([]gap, n)
	for i := range list {
		list[i] = gap{ns: int64(math.Exp(rng.Float64()*14) * 100_000), tokens: 1, lateUs: int32(rng.ExpFloat64() * 100)}
		if severalTokens {
			list[i].tokens += rng.Int32N(4)
		}
	}
	list[n/2].ns, list[n-1].lateUs = -5, math.MaxInt32 // the clock was slewed; the client stood still
	return list
}

// What a list gives back is what was put in, and what it adds to the histograms is what a loop over plain gaps adds: to the
// bucket, whatever the length. Only the ITL of chunks of unknown size is off where gaps stand in histograms, by their
// resolution.
func TestGapListAgainstPlainGaps(t *testing.T) {
	for _, tt := range []struct {
		n      int
		many   bool
		spread float64
	}{{1, false, 0}, {2, true, 1}, {1000, true, 1}, {1000, false, 1.37}, {keptGaps + 1, true, 1}, {keptGaps + 50_000, true, 1}, {3 * keptGaps, false, 1.37}} {
		want := gapsOf(tt.n, tt.many)
		var l gapList
		l.join(3) // more tokens of the first chunk
		for _, g := range want {
			first := g
			first.tokens = 1
			l.add(first)
			l.join(g.tokens - 1)
		}
		if tt.n <= keptGaps+1 && !slices.Equal(slices.Collect(l.all()), want) {
			t.Errorf("%d gaps: what comes back is not what was added", tt.n)
		}
		var got, plain gapHists
		if err := l.addTo(&got.chunk, &got.itl, &got.late, tt.spread); err != nil {
			t.Fatal(err)
		}
		split := splitter{itl: &plain.itl, spread: max(1, tt.spread)}
		for _, g := range want {
			plain.chunk.Record(time.Duration(g.ns))
			plain.late.Record(g.late())
			split.record(float64(g.ns), float64(g.tokens), 1)
		}
		same := func(what string, a, b *Hist) {
			if !slices.Equal(a.Buckets(), b.Buckets()) || a.Totals() != b.Totals() || a.Negative() != b.Negative() {
				t.Errorf("%d gaps: the histograms of %s differ: %+v, want %+v", tt.n, what, a.Totals(), b.Totals())
			}
		}
		same("chunk gaps", &got.chunk, &plain.chunk)
		same("lateness", &got.late, &plain.late)
		if l.tail == nil || tt.spread == 1 {
			same("ITL", &got.itl, &plain.itl)
			continue
		}
		if d := got.itl.Count() - plain.itl.Count(); max(d, -d) > 1 { // the gap that was negative
			t.Errorf("%d gaps: %d ITLs, want %d", tt.n, got.itl.Count(), plain.itl.Count())
		}
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.9999} {
			a, _ := got.itl.ValueAtRank(int64(q * float64(got.itl.Count())))
			b, _ := plain.itl.ValueAtRank(int64(q * float64(plain.itl.Count())))
			if r := float64(a) / float64(b); math.Abs(r-1) > 0.005 { // the plain ones are rounded in an order of chance
				t.Errorf("%d gaps: ITL at %g is %v, want %v", tt.n, q, a, b)
			}
		}
	}
}

// Gaps longer than a histogram's range are counted wherever they stand.
func TestGapListCountsWhatIsBeyondTheRange(t *testing.T) {
	var l gapList
	for range keptGaps + 10 {
		l.add(gap{ns: 3 * HistHighest, tokens: 1})
	}
	var h gapHists
	if err := l.addTo(&h.chunk, &h.itl, nil, 2); err != nil {
		t.Fatal(err)
	}
	if h.chunk.Count() != keptGaps+10 || h.itl.Count() != 2*(keptGaps+10) || h.itl.Totals().Max != 3*HistHighest/2 {
		t.Errorf("%+v, ITL %+v", h.chunk.Totals(), h.itl.Totals())
	}
}
