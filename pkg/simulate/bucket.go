package simulate

import (
	"math"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// bucket is a token bucket that holds one second's worth of requests (at least one) and starts full. It is kept as
// the generic cell rate algorithm (ITU-T I.371), in whole nanoseconds: due is when the bucket would be full again.
type bucket struct {
	interval time.Duration // between two requests at the limit; 0: no limit
	depth    time.Duration // interval * capacity
	due      time.Duration
}

func newBucket(rate workload.Rate) bucket {
	if rate <= 0 {
		return bucket{}
	}
	interval := time.Duration(math.Round(float64(time.Second) / float64(rate)))
	capacity := max(1, math.Floor(float64(rate)))
	return bucket{interval: interval, depth: time.Duration(capacity) * interval}
}

// take passes a request at a time that never goes back, or says how long to wait for the next one to pass.
func (b *bucket) take(now time.Duration) (ok bool, wait time.Duration) {
	if b.interval == 0 {
		return true, 0
	}
	due := max(b.due, now) + b.interval
	if over := due - now - b.depth; over > 0 {
		return false, over
	}
	b.due = due
	return true, 0
}
