package measure

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrInUse is the error of a run directory that another writer is at.
var ErrInUse = errors.New("another process is writing this run")

// lockTries and lockPause bound the wait for a look by InUse, which holds the lock for an instant.
const (
	lockTries = 5
	lockPause = 10 * time.Millisecond
)

// lockRun takes the run directory for one writer alone, from now until the file is closed; the kernel gives it free when the
// process dies. Where the system or the file system knows no such lock, nothing is held. Errors: ErrInUse, and a directory
// that cannot be opened.
func lockRun(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no run directory: there is no such folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the run directory: %w", err)
	}
	for try := 1; held(f, false); try++ {
		if try == lockTries {
			return nil, errors.Join(fmt.Errorf("%s: %w: wait until it has ended, or stop it", dir, ErrInUse), f.Close())
		}
		time.Sleep(lockPause)
	}
	return f, nil
}

// InUse tells whether a writer is at a run directory now, in this process or another on this machine. False where that cannot
// be known: locks are not to be had on every system.
func InUse(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return held(f, true)
}
