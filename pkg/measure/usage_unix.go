//go:build unix

package measure

import (
	"math"
	"runtime"
	"syscall"
	"time"
)

// processUsage is the process's CPU time so far (user and system) and its largest resident size in bytes.
func processUsage() (cpu time.Duration, maxRSS int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	maxRSS = int64(u.Maxrss) //nolint:unconvert // 32 bits wide on some machines
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		maxRSS *= 1024 // kilobytes everywhere but on Apple's systems
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), maxRSS
}

// fileLimit is how many descriptors the process may have open.
func fileLimit() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(min(uint64(l.Cur), math.MaxInt32)) //nolint:unconvert // signed on some systems
}
