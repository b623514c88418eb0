//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package measure

import (
	"errors"
	"os"
	"syscall"
)

// held takes the lock of a directory, shared or for one alone, and reports true where another has it. A file system without
// locks (some network ones) refuses in other ways: then nobody holds any.
func held(f *os.File, shared bool) bool {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return errors.Is(err, syscall.EWOULDBLOCK)
		}
	}
}
