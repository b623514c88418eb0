//go:build !unix

package measure

import "time"

// processUsage is not known here.
func processUsage() (cpu time.Duration, maxRSS int64) { return 0, 0 }

// fileLimit is not known here.
func fileLimit() int { return 0 }
