package measure

import (
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// Block is one approach to be driven through the schedule once.
type Block struct {
	Index     int
	Round     int // of blocks, from 0
	Approach  string
	Simulated bool
	Endpoint  endpoint.Endpoint
	// Proxy is what endpoint.ProxyOf tells of the endpoint.
	Proxy string
	// Epoch is the zero of the endpoint's event times.
	Epoch  time.Time
	Phases workload.Phases
	// Times are the scheduled arrivals since the block's time 0, ascending: the open loop. With Closed they are unused.
	Times []time.Duration
	// Closed drives a fixed number of users instead.
	Closed *workload.ClosedLoop
	// Request makes the i-th request. It is called from one goroutine, ahead of time.
	Request func(i int) workload.Request
	// Follow makes the next turn of a conversation, as workload.Source.Follow does; the endpoint must keep the text of
	// answers. Nil: every request stands alone.
	Follow func(prev *workload.Request, reply workload.Reply) (workload.Request, workload.Duration, workload.SessionEnd)
	// Calibration is how the target was found to count prompts before the block; nil where nobody asked.
	Calibration *Calibration
	// LightLoad are requests to be sent one at a time before the block's time 0. None: there is no such phase.
	LightLoad []workload.Request
	// Telemetry reads the server's figures of itself while the block goes on; nil: not at all.
	Telemetry *Telemetry
	// KeepText stores prompts and answers in the record.
	KeepText bool
}

// Live is what a progress display shows of a block that is running.
type Live struct {
	Block    int
	Approach string
	Elapsed  time.Duration // since the block's time 0
	Horizon  time.Duration // when the schedule ends
	Draining bool

	Offered, Sent, Done, Errors, InFlight int64
	// OfferedRate and DeliveredRate are per second over the last second or so.
	OfferedRate, DeliveredRate float64
	// TTFTP50 and TTFTP99 are over the successful requests of the current phase so far; missing before the first.
	TTFTP50, TTFTP99 Stamp
}

// display passes live states on to a function that may block, on a goroutine of its own: the latest only.
type display struct {
	latest chan Live
	over   chan struct{}
}

// newDisplay shows nothing where live is nil.
func newDisplay(live func(Live)) *display {
	d := &display{latest: make(chan Live, 1), over: make(chan struct{})}
	go func() {
		defer close(d.over)
		for l := range d.latest {
			if live != nil {
				live(l)
			}
		}
	}()
	return d
}

// show replaces what was not shown yet. It is called from one goroutine.
func (d *display) show(l Live) {
	select {
	case <-d.latest:
	default:
	}
	d.latest <- l
}

// close waits until the last state was shown.
func (d *display) close() {
	close(d.latest)
	<-d.over
}
