package selftest

import (
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// Memory is what a level needed at its peak beyond what the process had before, in bytes.
type Memory struct {
	// Resident is what the system gave, Heap what the objects in it took, those that nothing refers to any more included,
	// and Stacks what the goroutines stood on.
	Resident int64 `json:"rss_bytes"`
	Heap     int64 `json:"heap_bytes"`
	Stacks   int64 `json:"stack_bytes"`
}

// per is the share of one stream.
func (m Memory) per(streams int) Memory {
	n := int64(streams)
	return Memory{m.Resident / n, m.Heap / n, m.Stacks / n}
}

func memoryNow() Memory {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return Memory{measure.Resident(), int64(s[0].Value.Uint64()), int64(s[1].Value.Uint64())}
}

// watchMemory looks at the memory of the process every 50 ms until the function it returns is called, which says how far
// each of its parts grew at most.
func watchMemory() (stop func() Memory) {
	debug.FreeOSMemory() // what earlier levels left behind would be room for this one
	rest := memoryNow()
	over, most := make(chan struct{}), make(chan Memory, 1)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		var peak Memory
		for {
			now := memoryNow()
			peak.Resident = max(peak.Resident, now.Resident-rest.Resident)
			peak.Heap = max(peak.Heap, now.Heap-rest.Heap)
			peak.Stacks = max(peak.Stacks, now.Stacks-rest.Stacks)
			select {
			case <-tick.C:
			case <-over:
				most <- peak
				return
			}
		}
	}()
	return func() Memory {
		close(over)
		return <-most
	}
}
