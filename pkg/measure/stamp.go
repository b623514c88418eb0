package measure

import (
	"strconv"
	"time"
)

// Stamp is an optional number of nanoseconds. The zero value is "missing", which is not 0 ns.
type Stamp struct {
	ns int64
	ok bool
}

// At is the stamp of d.
func At(d time.Duration) Stamp { return Stamp{ns: int64(d), ok: true} }

// Get returns the value and whether there is one.
func (s Stamp) Get() (time.Duration, bool) { return time.Duration(s.ns), s.ok }

// Known reports whether there is a value.
func (s Stamp) Known() bool { return s.ok }

// IsZero reports a missing value; encoding/json's omitzero asks it.
func (s Stamp) IsZero() bool { return !s.ok }

// Sub is s - from, missing where either is.
func (s Stamp) Sub(from Stamp) Stamp {
	if !s.ok || !from.ok {
		return Stamp{}
	}
	return Stamp{ns: s.ns - from.ns, ok: true}
}

// MarshalJSON writes the nanoseconds, or null.
func (s Stamp) MarshalJSON() ([]byte, error) {
	if !s.ok {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, s.ns, 10), nil
}

// UnmarshalJSON reads nanoseconds or null.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = Stamp{}
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return err
	}
	*s = Stamp{ns: n, ok: true}
	return nil
}
