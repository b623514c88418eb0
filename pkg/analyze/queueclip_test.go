package analyze

import (
	"math"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// A request that was quicker than at light load has not waited for the server, but for its sending it has: no inferred queueing
// delay is less than that.
func TestInferredDelayHoldsTheSendDelay(t *testing.T) {
	f := newFold("a", workload.RequestLimits{})
	f.queue = &queueFold{out: &Queueing{Basis: Inferred}}
	f.addQueueing(&waited{delay: 50 * time.Millisecond, excess: -0.030, beside: math.NaN()})
	h := f.tally.Hist(workload.QueueingDelay)
	if d, ok := h.ValueAtRank(1); !ok || h.Count() != 1 || d < 49*time.Millisecond || d > 51*time.Millisecond {
		t.Errorf("%v, %d values", d, h.Count())
	}
	if math.Abs(f.delaySum-0.020) > 1e-12 {
		t.Errorf("the sum behind the mean is %g", f.delaySum)
	}
}
