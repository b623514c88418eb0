package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// Runner drives blocks and records them.
type Runner struct {
	Writer *Writer
	// Stop, when closed, ends sending: what is in flight may finish within the drain, and the record is kept.
	// Cancelling Run's context instead also cancels what is in flight.
	Stop <-chan struct{}
	// Spin is how long before an arrival the pacing loop stops sleeping and watches the clock instead: the kernel's timers
	// wake some 30 us late. It costs that much of one core per arrival at most. 0 sleeps by Go's timers all the way, up to
	// a millisecond late: what a machine with a single core wants, and virtual time needs.
	Spin time.Duration
	// Heartbeat wakes a goroutine every millisecond to see whether the process stands still. It costs about half a percent
	// of a core. Virtual time would be cut into milliseconds by it.
	Heartbeat bool
	// Live is called a few times a second from one goroutine, with the latest state: one that blocks (a terminal that was
	// stopped) misses some, and holds nothing up but the end of Run. May be nil.
	Live func(Live)
}

// timerSlack is by how much Go's timers can be late on an idle machine, and a little more.
const timerSlack = 1500 * time.Microsecond

// lead is how far ahead the block's time 0 lies when everything is ready, so that the first arrival is not late.
const lead = 50 * time.Millisecond

// prepared is how many requests are built ahead of their time at most: it bounds memory, and covers a burst.
const prepared = 256

// ErrRecord is the error of a record that cannot be written: no further block could be recorded either.
var ErrRecord = errors.New("write the record")

// Run drives one block to its end and appends it to the record. An error means that the endpoint was hopeless or that
// the record could not be written (ErrRecord); the block is recorded as far as it went either way.
func (r *Runner) Run(ctx context.Context, b Block) error {
	light, rows := r.lightLoad(ctx, &b)
	watch := newWatcher(b.Telemetry, b.Phases)
	watch.first(ctx) // the requests at light load are none of the block's
	runtime.GC()     // not in the middle of the block, for what earlier blocks left behind
	epoch := time.Now().Add(lead)
	rec := BlockRecord{Index: b.Index, Round: b.Round, Approach: b.Approach, Simulated: b.Simulated, Proxy: b.Proxy, Calibration: b.Calibration, LightLoad: light, State: Running, Started: epoch, Telemetry: watch.result()}
	err := r.Writer.beginBlock(rec)
	if err == nil { // the rows of a block that was refused are nobody's
		err = r.Writer.writeAll(rows)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	requests, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x := &blockRun{Block: b, epoch: epoch, spin: r.Spin, ctx: requests, stop: make(chan struct{}), agenda: newAgenda()}
	display := newDisplay(r.Live)
	var beat *heartbeat
	if r.Heartbeat {
		beat = startHeartbeat()
	}
	x.col = newCollector(r.Writer, &b, epoch, beat, display.show)
	x.col.hopeless = func(err error) { x.end(Failed, err) }
	x.col.watch = watch
	watch.start(ctx, epoch)
	before := x.col.monitor.look()
	collected := make(chan struct{})
	go func() { defer close(collected); x.col.run() }()
	released := context.AfterFunc(ctx, func() { x.end(Interrupted, context.Cause(ctx)) })
	watched := make(chan struct{})
	go x.watch(r.Stop, watched)

	x.send()
	x.drain(cancel)
	released()
	close(watched)
	watch.finish(ctx)
	close(x.col.in)
	<-collected
	beat.stop()
	display.close()

	rec, err = x.col.result(rec, before, epoch, runtime.GOMAXPROCS(0))
	state, cause := x.ended()
	rec.State, rec.Telemetry = state, watch.result()
	if cause != nil {
		rec.Problem = cause.Error()
	}
	if rec.State == Failed && err == nil {
		err = cause
	}
	if werr := r.Writer.endBlock(rec); err == nil && werr != nil {
		err = fmt.Errorf("%w: %w", ErrRecord, werr)
	}
	return err
}

// blockRun is a block under way.
type blockRun struct {
	Block
	epoch  time.Time
	spin   time.Duration
	napper napper
	ctx    context.Context // of the requests
	col    *collector
	wg     sync.WaitGroup
	agenda *agenda

	mu    sync.Mutex
	stop  chan struct{} // closed: send nothing more
	state string        // why, once stop is closed
	cause error
}

// end stops sending. The first reason stays.
func (x *blockRun) end(state string, cause error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state == "" {
		x.state, x.cause = state, cause
		close(x.stop)
	}
}

// ended is why sending stopped: Complete when it was not stopped.
func (x *blockRun) ended() (state string, cause error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state == "" {
		return Complete, nil
	}
	return x.state, x.cause
}

func (x *blockRun) watch(stop <-chan struct{}, over <-chan struct{}) {
	select {
	case <-stop:
		x.end(Interrupted, nil)
	case <-over:
	}
}

// send issues every arrival of the schedule, or runs the closed loop, until the horizon or a stop.
func (x *blockRun) send() {
	if x.Closed != nil {
		x.closedLoop()
		return
	}
	x.openLoop()
}

// openLoop is the one pacing loop: it sleeps to absolute times on the monotonic clock and starts a goroutine per
// request, so that no slow server can hold back an arrival. Requests are built ahead by another goroutine. Later turns of
// conversations come between the arrivals of the schedule, until the horizon.
func (x *blockRun) openLoop() {
	ready := make(chan *workload.Request, prepared)
	built := make(chan struct{})
	go func() {
		defer close(built)
		defer close(ready)
		for i := range x.Times {
			req := x.Request(i)
			select {
			case ready <- &req:
			case <-x.stop:
				return
			}
		}
	}()
	defer func() { <-built }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	if x.spin > 0 {
		x.napper = newNapper()
		defer x.napper.close()
		x.agenda.wake = x.napper.wake
	}
	for next := 0; ; {
		at, later, over := x.upcoming(next)
		switch x.sleepUntil(timer, at) {
		case stopped:
			return
		case woken:
			continue // something is due before that now
		}
		switch {
		case later:
			x.start(x.agenda.take())
		case over:
			if !x.agenda.close() {
				continue // a turn came in the last moments
			}
			return
		default:
			req, ok := <-ready
			if !ok {
				return // stopped
			}
			next++
			x.start(&turn{req: req, at: at})
		}
	}
}

// upcoming is when the next request is due: of the schedule, or a later turn. Over says that nothing is; then at is when
// to stop waiting for later turns.
func (x *blockRun) upcoming(next int) (at time.Duration, later, over bool) {
	at, over = 0, true
	switch {
	case next < len(x.Times):
		at, over = x.Times[next], false
	case x.Follow != nil:
		at = x.Phases.Horizon().D()
	}
	if due, ok := x.agenda.first(); ok && due < at {
		return due, true, false
	}
	return at, false, over
}

// start sends a request on a goroutine of its own.
func (x *blockRun) start(t *turn) {
	x.col.count.scheduled.Add(1)
	x.wg.Go(func() { x.converse(t) })
}

// converse sends a request, and those later turns that follow at once; others are in the agenda by then.
func (x *blockRun) converse(t *turn) {
	for t = x.fire(t); t != nil; t = x.fire(t) {
		select {
		case <-x.stop:
			return
		default:
			x.col.count.scheduled.Add(1)
		}
	}
}

// How a sleep ended.
type waking uint8

const (
	onTime waking = iota
	woken
	stopped
)

// sleepUntil waits for a time of the block, or until the block is stopped or the agenda has something new at its top.
func (x *blockRun) sleepUntil(timer *time.Timer, at time.Duration) waking {
	end := x.epoch.Add(at)
	early := time.Duration(0)
	if x.spin > 0 {
		early = timerSlack
	}
	if wait := time.Until(end) - early; wait > 0 {
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-x.agenda.fresh:
			return woken
		case <-x.stop:
			return stopped
		}
	}
	if x.spin > 0 {
		if x.approach(end) == woken {
			return woken
		}
	}
	select {
	case <-x.stop:
		return stopped
	default:
		return onTime
	}
}

// approach waits for the last moments before a time, or until the agenda has something new at its top: a user who thinks
// for less than such a moment is not to wait for an arrival.
func (x *blockRun) approach(due time.Time) waking {
	for {
		wait := time.Until(due)
		if wait <= 0 {
			return onTime
		}
		nap := wait - x.spin
		if nap > 0 && x.Follow != nil {
			x.napper.ready()
		}
		select {
		case <-x.agenda.fresh:
			return woken
		default:
		}
		if nap > 0 {
			x.napper.nap(nap)
		} else {
			giveWay()
		}
	}
}

// giveWay lets others run: answers that come meanwhile are read.
func giveWay() { runtime.Gosched() }

// closedLoop runs a fixed number of users. Each request is scheduled when its user is ready for it, so that latency
// throttles the arrivals: such a run is labelled closed everywhere.
func (x *blockRun) closedLoop() {
	x.spin = 0 // for one pacing loop, not for thousands of users
	var next sync.Mutex
	index := 0
	take := func() *workload.Request {
		next.Lock()
		defer next.Unlock()
		req := x.Request(index)
		index++
		return &req
	}
	for range x.Closed.Users {
		x.wg.Go(func() {
			timer := time.NewTimer(0)
			defer timer.Stop()
			for at := time.Duration(0); at < x.Phases.Horizon().D(); at = time.Since(x.epoch) + x.Closed.Think.D() {
				req := take()
				if x.sleepUntil(timer, at) == stopped {
					return
				}
				x.col.count.scheduled.Add(1)
				x.fire(&turn{req: req, at: at})
			}
		})
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	x.sleepUntil(timer, x.Phases.Horizon().D()) // or until it is stopped
}

// fire issues one request and hands the finished sample over. It returns the turn that follows at once, if one does.
func (x *blockRun) fire(t *turn) *turn {
	req := t.req
	s := &Sample{Index: req.Index, Approach: x.Approach, Block: x.Block.Index, Phase: Measure,
		Scheduled: At(t.at), Dispatched: At(time.Since(x.epoch)), AskedInput: req.InputTokens, AskedOutput: req.MaxTokens, Cacheable: req.Cacheable,
		Turn: req.Turn, Turns: req.Turns, Think: t.think, Context: req.Context, TrafficClass: req.Class}
	if t.at < x.Phases.Warmup.D() {
		s.Phase = Warmup
	}
	x.col.count.started.Add(1)
	rec := recorder{sample: s, offset: x.Epoch.Sub(x.epoch), count: x.col.count}
	ctx := x.ctx
	if req.Patience != (workload.Waits{}) {
		var user *user
		ctx, user = waitFor(x.ctx, req.Patience, time.Since(x.epoch)-t.at)
		rec.answered = user.seesToken
		defer user.leave()
	}
	res := x.Endpoint.Do(ctx, req, &rec)
	rec.finish(&res)
	if !s.Done.Known() {
		s.Done = At(time.Since(x.epoch))
	}
	if x.KeepText {
		s.Prompt, _ = json.Marshal(req.Messages) // strings always encode
		s.Answer = res.Text
	}
	next := x.follow(req, s, &res)
	x.col.count.done.Add(1)
	x.col.in <- s
	return next
}

// drain waits for what is in flight, at most for the drain phase from the moment sending ended; what is unfinished
// then is cancelled and recorded as a miss. A cancelled run context cuts it short.
func (x *blockRun) drain(cancel context.CancelCauseFunc) {
	x.col.count.draining.Store(true)
	limit := time.AfterFunc(x.Phases.Drain.D(), func() { cancel(endpoint.ErrUnfinished) })
	defer limit.Stop()
	x.wg.Wait()
}
