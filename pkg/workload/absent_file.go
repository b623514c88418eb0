package workload

import (
	"errors"
	"fmt"
	"io/fs"
)

// absentFile says of a file that is not there what its path in a scenario is relative to; any other error stays as it is.
func absentFile(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: correct the path, which is relative to the scenario", err)
}
