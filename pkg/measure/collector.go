package measure

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// collector is the one owner of a block's tallies: finished requests reach it over a channel, so that nothing on a
// request's own path takes a lock. It appends to the record about once a second.
type collector struct {
	w     *Writer
	block *Block
	epoch time.Time
	in    chan *Sample
	live  func(Live)
	count *counters
	// hopeless is called once when the endpoint has failed every one of the first requests in the same way.
	hopeless func(error)

	interval, total Tally // measure phase only
	mix             classGaps
	recent          Hist // TTFT of the current phase, for the live display
	recentPhase     Phase
	attempts        int
	first           int // of the first hopelessAfter requests of the schedule, how many ended
	events          int64
	lagMax          time.Duration
	errors          int64
	classes         map[endpoint.Class]int
	example         map[endpoint.Class]string
	lastEnd         Stamp
	from            time.Time // start of the interval
	prev            Live      // for the rates
	monitor         *monitor
	watch           *watcher // of the server's telemetry; nil: there is none
	health          Health   // worst of the block
	err             error    // the first write error
}

// counters are shared between the pacing loop, the requests and the collector.
type counters struct {
	scheduled, sent, started, done, events atomic.Int64
	draining                               atomic.Bool
}

// How often the live display is refreshed, and how many refreshes make a flush to disk: what a crash loses at most.
const (
	liveEvery     = 250 * time.Millisecond
	ticksPerFlush = 4
)

// hopelessAfter is how many first requests must all fail in one way before the block is given up.
const hopelessAfter = 20

func newCollector(w *Writer, b *Block, epoch time.Time, beat *heartbeat, live func(Live)) *collector {
	return &collector{w: w, block: b, epoch: epoch, live: live, count: &counters{}, in: make(chan *Sample, 4096),
		classes: map[endpoint.Class]int{}, example: map[endpoint.Class]string{}, from: epoch, monitor: newMonitor(beat)}
}

// run collects until the channel is closed, then writes what is left.
func (c *collector) run() {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for n := 1; ; {
		select {
		case s, ok := <-c.in:
			if !ok {
				c.flush()
				c.show()
				return
			}
			c.add(s)
		case <-tick.C:
			if n++; n%ticksPerFlush == 0 {
				c.flush()
			}
			c.show()
		}
	}
}

func (c *collector) add(s *Sample) {
	c.attempts++
	c.events += int64(s.Events)
	if lag, ok := s.Lag(); ok {
		c.lagMax = max(c.lagMax, lag)
	}
	if d, ok := s.Done.Get(); ok {
		if last, known := c.lastEnd.Get(); !known || d > last {
			c.lastEnd = s.Done
		}
	}
	c.classes[s.Class]++
	if !s.OK() {
		c.errors++
		if c.example[s.Class] == "" {
			c.example[s.Class] = s.Error
		}
	}
	c.judgeHope(s)
	if s.Phase != c.recentPhase {
		c.recentPhase = s.Phase
		c.recent.Reset()
	}
	if d, ok := s.Latency(workload.TTFT); ok {
		c.recent.Record(d)
	}
	if s.Phase == Measure {
		c.fail(c.interval.Add(s))
		c.fail(c.mix.add(s))
	}
	c.fail(c.w.rows.write(s))
}

// judgeHope gives up on an endpoint that refuses everything from the start: sending the rest of the schedule would only
// spend the user's time. It waits for the first of the schedule, not for the first that ended: refusals come back at
// once, and answers among them take their time.
func (c *collector) judgeHope(s *Sample) {
	if s.Index >= hopelessAfter || s.Turn > 1 {
		return
	}
	if c.first++; c.first != hopelessAfter || c.classes[s.Class] != c.attempts || c.hopeless == nil {
		return
	}
	switch s.Class {
	case endpoint.OK, endpoint.Unfinished, endpoint.Cancelled, endpoint.Abandoned:
	default:
		c.hopeless(fmt.Errorf("%s: each of the first %d requests failed (%s): %s", c.block.Approach, hopelessAfter, s.Class, c.example[s.Class]))
	}
}

func (c *collector) fail(err error) {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("%w: %w", ErrRecord, err)
		if c.hopeless != nil {
			c.hopeless(c.err)
		}
	}
}

// flush makes everything so far durable against the death of the process.
func (c *collector) flush() {
	now := time.Now()
	h := c.monitor.look()
	c.health.CPU, c.health.RSS, c.health.Throttled = h.CPU, h.RSS, h.Throttled
	c.health.GC, c.health.CoreWait = h.GC, max(c.health.CoreWait, h.CoreWait) // a thread that ended takes its wait along
	c.health.GCPauseMax = max(c.health.GCPauseMax, h.GCPauseMax)
	c.health.SchedP99 = max(c.health.SchedP99, h.SchedP99)
	c.fail(c.w.rows.flush())
	tag := Tag{Approach: c.block.Approach, Block: c.block.Index}
	c.fail(c.w.hists.write(tag, c.from, now, &c.interval))
	c.fail(c.total.Merge(&c.interval))
	c.interval.Reset()
	c.fail(c.mix.flush(c.w.hists, tag, c.from, now))
	c.from = now
	l := c.snapshot(now)
	c.fail(c.w.ticks.write(&Tick{T: l.Elapsed, Approach: l.Approach, Block: l.Block, Offered: l.Offered, Sent: l.Sent,
		Done: l.Done, Errors: l.Errors, InFlight: l.InFlight, Events: c.count.events.Load(), LagMax: c.lagMax, Health: h, Server: c.watch.take()}))
	c.lagMax = 0
}

func (c *collector) show() {
	l := c.snapshot(time.Now())
	if dt := (l.Elapsed - c.prev.Elapsed).Seconds(); dt >= 0.9 {
		l.OfferedRate = float64(l.Offered-c.prev.Offered) / dt
		l.DeliveredRate = float64(l.Sent-c.prev.Sent) / dt
		c.prev = l
	} else {
		l.OfferedRate, l.DeliveredRate = c.prev.OfferedRate, c.prev.DeliveredRate
	}
	c.live(l)
}

func (c *collector) snapshot(now time.Time) Live {
	started, done := c.count.started.Load(), c.count.done.Load()
	l := Live{Block: c.block.Index, Approach: c.block.Approach, Elapsed: now.Sub(c.epoch),
		Horizon: c.block.Phases.Horizon().D(), Draining: c.count.draining.Load(),
		Offered: c.count.scheduled.Load(), Sent: c.count.sent.Load(), Done: done, Errors: c.errors, InFlight: started - done}
	l.TTFTP50, l.TTFTP99 = quantile(&c.recent, 0.5), quantile(&c.recent, 0.99)
	return l
}

func quantile(h *Hist, q float64) Stamp {
	d, ok := h.ValueAtRank(int64(math.Ceil(q * float64(h.Count()))))
	if !ok {
		return Stamp{}
	}
	return At(d)
}

// result is the block's final entry in the manifest.
func (c *collector) result(rec BlockRecord, before Health, start time.Time, cores int) (BlockRecord, error) {
	rec.Attempts, rec.Ended = c.attempts, c.lastEnd
	rec.Scheduled = int(c.count.scheduled.Load())
	rec.Totals, rec.ClassTotals = c.total.Totals(), c.mix.totals()
	rec.Client = ClientRecord{CPU: c.health.CPU - before.CPU, Wall: time.Since(start), Cores: cores, Events: c.events,
		MaxRSS: c.health.RSS, GCPauseMax: c.health.GCPauseMax, SchedLatencyP99: c.health.SchedP99, Throttled: c.health.Throttled,
		GC: c.health.GC - before.GC, CoreWait: max(0, c.health.CoreWait-before.CoreWait)}
	if beat := c.monitor.beat; beat != nil {
		beat.summary(&rec.Client)
	}
	return rec, errors.Join(c.err)
}
