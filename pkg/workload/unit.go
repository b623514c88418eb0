package workload

import "time"

// Duration is a time with a unit in the file: 300ms, 30s, 2m, 1h30m.
type Duration time.Duration

// D converts to the standard type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Rate is requests per second; in the file it carries its unit: 4/s, 240/min, 1000/h.
type Rate float64
