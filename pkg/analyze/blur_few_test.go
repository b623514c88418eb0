package analyze

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestFewNearlyEqualBlocksSayNothing: two blocks whose ratios are nearer to each other than a bucket of the histogram are so by its
// grain, and pass nothing at however high a confidence.
func TestFewNearlyEqualBlocksSayNothing(t *testing.T) {
	base := []float64{0.02, 0.021}
	p := policyOf("ttft p95", 0.5, 0)
	p.Confidence = 0.9999
	c, err := CheckPolicy(armOf("a", 1, base...), armOf("b", 1, base[0]*0.99842, base[1]*0.99842001), p, nil)
	if err != nil || c.Verdict != CannotTell || !strings.Contains(c.Results[0].Why, "no spread") {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestIntervalWithoutEnd: an interval beyond all numbers is none, and the JSON of a check can be written.
func TestIntervalWithoutEnd(t *testing.T) {
	p := policyOf("ttft p95", 0.5, 0)
	p.Confidence = 0.999999
	c, err := CheckPolicy(armOf("a", 1, 0.02, 0.02), armOf("b", 1, 0.02, 0.04), p, nil)
	if err != nil || c.Verdict != CannotTell || !c.Results[0].MoreBlocks || !strings.Contains(c.Results[0].Why, "no upper end") {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
}
