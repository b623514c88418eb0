package measure

import (
	"math"
	"runtime"
)

// Limits are what the system lets the process have. 0 is unknown.
type Limits struct {
	// Cores is how many the Go scheduler uses, or the control group's quota where that is less: 0.5 is half a core.
	Cores float64 `json:"cores"`
	// Quota is the control group's CPU quota in cores; 0: there is none.
	Quota float64 `json:"quota,omitempty"`
	// Files is the limit of open descriptors. (The Go runtime has raised the soft limit to the hard one.)
	Files int `json:"files,omitempty"`
	// Ports are the local ports for outgoing connections, per address and port of a server.
	Ports int `json:"ports,omitempty"`
	// Memory is what the process could still take when the run started, bytes.
	Memory int64 `json:"memory_bytes,omitempty"`
}

// ThisLimits reads them.
func ThisLimits() Limits { return thisHost.limits() }

func (h host) limits() Limits {
	l := Limits{Cores: float64(runtime.GOMAXPROCS(0)), Quota: h.quota(), Files: fileLimit(), Ports: h.ports(), Memory: h.memory()}
	if l.Quota > 0 {
		l.Cores = math.Min(l.Cores, l.Quota)
	}
	return l
}
