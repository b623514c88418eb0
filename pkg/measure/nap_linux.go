package measure

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// napper sleeps for less than a few milliseconds by a timer of the kernel's that Go's poller waits for: it wakes some 30 us
// late, where Go's own timers are waited for in whole milliseconds, and holds neither a thread nor a core. The zero value,
// where the system has no such timer, gives way and comes back at once.
type napper struct {
	timer *os.File
	fd    int
}

func newNapper() napper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return napper{}
	}
	return napper{os.NewFile(uintptr(fd), "timer"), fd}
}

// nap sleeps for d, or returns early.
func (n napper) nap(d time.Duration) {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if n.timer == nil || unix.TimerfdSettime(n.fd, 0, &at, nil) != nil {
		giveWay()
		return
	}
	var fired [8]byte
	_, _ = n.timer.Read(fired[:]) // early, as said
}

// ready comes before a nap that wake may end: a wake from then on ends it, even one that comes before it has begun.
func (n napper) ready() {
	if n.timer != nil {
		_ = n.timer.SetReadDeadline(time.Time{}) // else nothing wakes it, and it ends on time
	}
}

// wake ends the nap under way, or the next one. Any goroutine may call it.
func (n napper) wake() {
	if n.timer != nil {
		_ = n.timer.SetReadDeadline(time.Unix(1, 0)) // long over
	}
}

func (n napper) close() {
	if n.timer != nil {
		n.timer.Close()
	}
}
