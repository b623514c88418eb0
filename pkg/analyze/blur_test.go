package analyze

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// bucketed is a time as a histogram gives it back.
func bucketed(d time.Duration) float64 {
	var h measure.Hist
	h.Record(d)
	h.Record(d + d/2) // the maximum is kept exactly
	h.Record(d + d/2)
	h.Record(d / 2)
	h.Record(d / 2)
	v, _ := h.ValueAtRank(3)
	return v.Seconds()
}

// TestBucketsAreInTheInterval: two times that fall into one bucket have a ratio that no block shows; the interval holds it, and a
// gate of less than a bucket cannot be held.
func TestBucketsAreInTheInterval(t *testing.T) {
	x, y := 100010*time.Microsecond, 100055*time.Microsecond
	bx, by := bucketed(x), bucketed(y)
	if bx != by {
		t.Fatalf("%v and %v are no longer in one bucket: %g, %g", x, y, bx, by)
	}
	var a, b []float64
	for range 10 {
		a, b = append(a, bx), append(b, by)
	}
	c, err := CheckPolicy(armOf("a", 1, a...), armOf("b", 1, b...), policyOf("ttft p95", 0.0002, 0), nil)
	if err != nil || c.Verdict != CannotTell {
		t.Fatalf("%+v, %v", c, err)
	}
	f := figureOf(t, c.Comparison, "ttft p95")
	if truth := float64(y)/float64(x) - 1; !(*f.Low < -truth && *f.High > truth && *f.High < 0.0011) {
		t.Errorf("%g to %g does not hold %g", *f.Low, *f.High, truth)
	}
	if c, err := CheckPolicy(armOf("a", 1, a...), armOf("b", 1, b...), policyOf("ttft p95", 0.05, 0), nil); err != nil || c.Verdict != Pass {
		t.Errorf("a gate of 5%%: %+v, %v", c, err)
	}
}

// TestFewEqualBlocksSayNothing: below six blocks, equal differences neither pass nor fail, paired or not; more blocks may tell. The
// scaled ones are equal but for rounding.
func TestFewEqualBlocksSayNothing(t *testing.T) {
	for name, c := range map[string]struct {
		by     float64
		blocks int
		seed   uint64
		want   string
	}{
		"two, the same": {1, 2, 1, CannotTell}, "five, the same": {1, 5, 1, CannotTell}, "six, the same": {1, 6, 1, Pass},

		"two, 20% slower": {1.2, 2, 1, CannotTell}, "five, 20% slower": {1.2, 5, 1, CannotTell}, "six, 20% slower": {1.2, 6, 1, Fail},

		"unpaired, two": {1.2, 2, 2, CannotTell},
	} {
		base := make([]float64, c.blocks)
		for i := range base {
			base[i] = 0.1
			if c.seed == 1 {
				base[i] += 0.03 * float64(i)
			}
		}
		got, err := CheckPolicy(armOf("a", 1, base...), armOf("b", c.seed, scaledBy(base, c.by)...), policyOf("ttft p95", 0.1, 0), nil)
		if err != nil || got.Verdict != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		if may, why := got.BlocksMayTell(); c.want == CannotTell && (!may || !strings.Contains(got.Results[0].Why, "no spread")) {
			t.Errorf("%s: %v, %s, %q", name, may, why, got.Results[0].Why)
		}
		if f := figureOf(t, got.Comparison, "ttft p95"); f.Change == nil || math.Abs(*f.Change-(c.by-1)) > 1e-9 {
			t.Errorf("%s: the change is lost: %+v", name, f)
		}
	}
}
