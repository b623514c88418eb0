package measure

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// beatEvery is how often the heartbeat beats.
const beatEvery = time.Millisecond

// longStall is from when on a late beat counts as time that the process stood still. Timers and schedulers of a busy
// machine are late by a few milliseconds all the time.
const longStall = 10 * time.Millisecond

// heartbeat is a goroutine that does nothing but wake every millisecond, after jHiccup: what it is late by, any other
// goroutine of the process may have been late by too, whatever the cause (no core, the garbage collector, a stopped
// process, a paused virtual machine).
type heartbeat struct {
	late    Hist // owned by the goroutine until it is stopped
	stalled time.Duration
	recent  atomic.Int64 // the worst since the last look, ns
	lost    atomic.Int64 // the sum of long stalls since the last look, ns
	done    chan struct{}
	over    sync.WaitGroup
}

func startHeartbeat() *heartbeat {
	h := &heartbeat{done: make(chan struct{})}
	h.over.Go(h.run)
	return h
}

func (h *heartbeat) run() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-h.done:
			return
		case <-tick.C:
		}
		now := time.Now()
		h.add(max(0, now.Sub(last)-beatEvery))
		last = now
	}
}

func (h *heartbeat) add(late time.Duration) {
	h.late.Record(late)
	if late >= longStall {
		h.stalled += late
		h.lost.Add(int64(late))
	}
	if int64(late) > h.recent.Load() {
		h.recent.Store(int64(late)) // a look in between takes the one before: nothing is lost but the tick it is put to
	}
}

// look is the longest stall since the last call, and the sum of the long ones. A nil heartbeat never beats.
func (h *heartbeat) look() (worst, stalled time.Duration) {
	if h == nil {
		return 0, 0
	}
	return time.Duration(h.recent.Swap(0)), time.Duration(h.lost.Swap(0))
}

// stop ends it. A nil heartbeat has ended.
func (h *heartbeat) stop() {
	if h == nil {
		return
	}
	close(h.done)
	h.over.Wait()
}

// summary writes the figures of a heartbeat that was stopped.
func (h *heartbeat) summary(c *ClientRecord) {
	c.Beats, c.Stalled = h.late.Count(), h.stalled
	c.StallP99, _ = h.late.ValueAtRank(int64(math.Ceil(0.99 * float64(c.Beats))))
	c.StallMax = time.Duration(h.late.Totals().Max)
}
