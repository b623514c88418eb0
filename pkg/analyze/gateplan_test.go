package analyze

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// TestGatePlansForItsOwnLimit: by the tables of the normal law z[0.975] + z[0.9] = 1.95996 + 1.28155 and z[0.9875] = 2.24140; the
// plan is (z sd / ln(1 + limit))^2, and the line names it.
func TestGatePlansForItsOwnLimit(t *testing.T) {
	for _, c := range []struct {
		limit, confidence, z float64
		higher, share        bool
	}{{0.2, 0.95, 1.95996, false, false}, {0.02, 0.95, 1.95996, false, false}, {0.02, 0.975, 2.24140, false, false}, {0.1, 0.95, 1.95996, true, false}, {0.1, 0.95, 1.95996, false, true}} {
		distance := math.Log1p(c.limit)
		if c.higher {
			distance = math.Log1p(-c.limit)
		}
		if c.share {
			distance = c.limit
		}
		want := int(math.Ceil(math.Pow((c.z+1.28155)*0.3/distance, 2)))
		f := Figure{SD: new(0.3), HigherIsBetter: c.higher, Share: c.share}
		if got := f.blocksToPass(c.limit, c.confidence); math.Abs(float64(got-want)) > 1 {
			t.Errorf("%+v: %d blocks, want %d", c, got, want)
		}
	}
	if got := (&Figure{SD: new(0.3)}).blocksToPass(0, 0.95); got != 0 {
		t.Errorf("a limit of 0: %d blocks", got)
	}
	base := []float64{0.1, 0.2, 0.4, 0.15, 0.3, 0.6, 0.25, 0.12}
	said := map[workload.Share]string{}
	for _, worse := range []workload.Share{0.01, 0.2} {
		got, err := CheckPolicy(armOf("a", 1, base...), armOf("b", 1, scaledBy(base, 1.3, 0.75)...), policyOf("ttft p95", worse, 0), nil)
		if err != nil || got.Verdict != CannotTell {
			t.Fatalf("%+v, %v", got, err)
		}
		n := figureOf(t, got.Comparison, "ttft p95").blocksToPass(float64(worse), 0.95)
		if said[worse] = got.Results[0].Why; !strings.Contains(said[worse], fmt.Sprintf("about %d blocks", n)) {
			t.Errorf("%s: %q, want %d", worse, said[worse], n)
		}
	}
	if said[0.01] == said[0.2] {
		t.Errorf("the plan does not depend on the limit: %q", said[0.2])
	}
}

// TestGatePlanHolds: with as many blocks as the plan says, a candidate that is the same passes in nine of ten trials (four binomial
// standard errors are 6 points; Student's law takes one or two blocks more than the plan).
func TestGatePlanHolds(t *testing.T) {
	const trials, sd = 400, 0.1
	f := Figure{SD: new(sd)}
	n := f.blocksToPass(0.05, 0.95)
	passed := 0
	for k := range trials {
		r := stat.Keyed(uint64(k), "gate plan", 0)
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			a[i] = r.Lognormal(0.2, 0.5)
			b[i] = a[i] * math.Exp(sd*r.Normal())
		}
		got, err := CheckPolicy(armOf("a", 1, a...), armOf("b", 1, b...), policyOf("ttft p95", 0.05, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict == Pass {
			passed++
		}
	}
	if share := float64(passed) / trials; share < 0.84 || share > 0.96 {
		t.Errorf("%d blocks: %.3f of the trials pass", n, share)
	}
}
