package measure

import (
	"testing"
	"time"
)

// Nothing is sent before its time, and no wait is missed, whether the kernel's timer is there or not.
func TestNothingIsEarly(t *testing.T) {
	for _, n := range []napper{newNapper(), {}} {
		x := &blockRun{epoch: time.Now(), spin: 100 * time.Microsecond, stop: make(chan struct{}), napper: n, agenda: newAgenda()}
		timer := time.NewTimer(0)
		for i := range 50 {
			at := time.Duration(i) * 700 * time.Microsecond
			if x.sleepUntil(timer, at) != onTime {
				t.Fatal("stopped")
			}
			if early := at - time.Since(x.epoch); early > 0 {
				t.Fatalf("%v early", early)
			}
		}
		close(x.stop)
		if x.sleepUntil(timer, time.Hour) != stopped {
			t.Error("a block that was stopped goes on")
		}
		n.close()
	}
}
