package measure

import (
	"testing"
	"testing/synctest"
	"time"
)

// In virtual time nothing is ever late: every beat counts as 0.
func TestHeartbeatIsOnTimeWhenNothingStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHeartbeat()
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		worst, _ := h.look()
		h.stop()
		var c ClientRecord
		h.summary(&c)
		if worst != 0 || c.Beats != 500 || c.StallMax != 0 || c.Stalled != 0 {
			t.Errorf("worst %v, %+v", worst, c)
		}
	})
}

func TestHeartbeatCountsWhatItIsLateBy(t *testing.T) {
	h := &heartbeat{}
	for range 98 {
		h.add(0)
	}
	h.add(3 * time.Millisecond) // a busy machine: no stand-still
	h.add(100 * time.Millisecond)
	if worst, stalled := h.look(); worst != 100*time.Millisecond || stalled != 100*time.Millisecond {
		t.Errorf("worst %v, stalled for %v", worst, stalled)
	}
	if worst, stalled := h.look(); worst != 0 || stalled != 0 {
		t.Errorf("since the last look: worst %v, stalled for %v", worst, stalled)
	}
	var c ClientRecord
	h.summary(&c)
	if c.Beats != 100 || c.StallMax != 100*time.Millisecond || c.Stalled != 100*time.Millisecond {
		t.Errorf("%+v", c)
	}
	if c.StallP99 < 3*time.Millisecond || c.StallP99 > 3003*time.Microsecond { // three digits
		t.Errorf("p99 %v", c.StallP99)
	}
}

// A runner without a heartbeat has none to ask or to stop.
func TestNoHeartbeat(t *testing.T) {
	var h *heartbeat
	if worst, stalled := h.look(); worst != 0 || stalled != 0 {
		t.Error(worst, stalled)
	}
	h.stop()
}
