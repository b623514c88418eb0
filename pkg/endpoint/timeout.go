package endpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// ErrUnfinished, ErrAbandoned and ErrCancelled are causes with which a caller cancels the context of Do: at the end of the
// drain, when the user leaves (it may be wrapped in an error that says after how long), and when the run is stopped. Any
// other cause counts as ErrCancelled.
var (
	ErrAbandoned  = errors.New("the user left")
	ErrUnfinished = errors.New("still running at the end of the drain")
	ErrCancelled  = errors.New("the run was stopped")
)

// ErrConnectTimeout is in the error of a connection that was not there within the connect timeout.
var ErrConnectTimeout = errors.New("no connection within the connect timeout")

// timeoutError is the cause with which one of our own clocks cancels a request.
type timeoutError struct {
	class Class
	text  string
}

func (e *timeoutError) Error() string { return e.text }

// lingering is how long after the terminal event the end of the response may take, so that the connection can be used
// again; a server that keeps it open longer loses it.
const lingering = 100 * time.Millisecond

var errLingered = errors.New("the response went on after its terminal event")

// limits are the time limits of a request that is on its way; 0 means none.
type limits struct{ firstToken, idle, total time.Duration }

// limitsOf takes the scenario's limits. An answer that is not streamed says nothing before it is whole, so for it the
// defaults of the first token and of silence would be limits on the length of an answer: they rule only where they
// were asked for.
func limitsOf(t workload.Timeouts, stream bool) limits {
	l := limits{total: orDefault(t.Total, defaultTotal), firstToken: t.FirstToken.D(), idle: t.Idle.D()}
	if stream {
		l.firstToken, l.idle = orDefault(t.FirstToken, defaultFirstToken), orDefault(t.Idle, defaultIdle)
	}
	return l
}

// deadlines are the clocks of one request: one timer, set to whichever comes first. Bytes that arrive do not touch
// it: when it fires it asks the connection when the last byte came.
type deadlines struct {
	limits limits
	cancel context.CancelCauseFunc

	mu                               sync.Mutex
	timer                            *time.Timer
	conn                             active
	firstToken, idle, total, lingers time.Time // zero: not running
	tokens, over                     bool
}

// active is a connection that knows when the last byte came.
type active interface{ lastActive() time.Time }

func startDeadlines(ctx context.Context, l limits) (context.Context, *deadlines) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := &deadlines{limits: l, cancel: cancel, total: time.Now().Add(l.total)}
	d.mu.Lock() // the timer may fire before it is kept
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(l.total, d.fire)
	return ctx, d
}

// sent starts the clocks of the answer; until then the connect timeout rules.
func (d *deadlines) sent(conn active) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || !d.lingers.IsZero() {
		return
	}
	now := time.Now()
	d.conn = conn
	if d.limits.firstToken > 0 && !d.tokens { // a server may answer before it has read all
		d.firstToken = now.Add(d.limits.firstToken)
	}
	if d.limits.idle > 0 {
		d.idle = now.Add(d.limits.idle)
	}
	d.set(now)
}

// token stops the clock of the first token.
func (d *deadlines) token() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens, d.firstToken = true, time.Time{}
}

// linger leaves a short time for the end of the response.
func (d *deadlines) linger() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.tokens, d.firstToken, d.idle, d.lingers = true, time.Time{}, time.Time{}, now.Add(lingering)
	if !d.over {
		d.set(now)
	}
}

func (d *deadlines) stop() {
	d.mu.Lock()
	d.over = true
	d.timer.Stop()
	d.mu.Unlock()
	d.cancel(nil)
}

// set points the timer at the earliest deadline.
func (d *deadlines) set(now time.Time) {
	next := d.total
	for _, t := range []time.Time{d.firstToken, d.idle, d.lingers} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	d.timer.Reset(next.Sub(now))
}

// fire cancels the request if a deadline has passed. Of several that passed together the most telling one is named.
func (d *deadlines) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	now := time.Now()
	passed := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	if passed(d.idle) {
		if quiet := d.conn.lastActive().Add(d.limits.idle); quiet.After(d.idle) {
			d.idle = quiet
		}
	}
	switch {
	case passed(d.lingers):
		d.cancel(errLingered)
	case passed(d.firstToken):
		d.cancel(&timeoutError{TimeoutFirstToken, fmt.Sprintf("no token within %s of the last byte sent", d.limits.firstToken)})
	case passed(d.idle):
		d.cancel(&timeoutError{TimeoutIdle, fmt.Sprintf("not a byte for %s", d.limits.idle)})
	case passed(d.total):
		d.cancel(&timeoutError{TimeoutTotal, fmt.Sprintf("not over after %s in all", d.limits.total)})
	default:
		d.set(now)
	}
}
