package endpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// ErrUnfinished and ErrCancelled are causes with which a caller cancels the context of Do: at the end of the drain, and
// when the run is stopped. Any other cause counts as ErrCancelled.
var (
	ErrUnfinished = errors.New("still running at the end of the drain")
	ErrCancelled  = errors.New("the run was stopped")
)

var errConnectTimeout = errors.New("no connection within the connect timeout")

// timeoutError is the cause with which one of our own clocks cancels a request.
type timeoutError struct {
	class Class
	text  string
}

func (e *timeoutError) Error() string { return e.text }

// deadlines are the clocks of one request. Each cancels the request's context with a cause of its own.
type deadlines struct {
	cancel                  context.CancelCauseFunc
	total, firstToken, idle *time.Timer
	idleLimit               time.Duration
	firstTokenLimit         time.Duration
}

func startDeadlines(ctx context.Context, t workload.Timeouts) (context.Context, *deadlines) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := &deadlines{cancel: cancel, idleLimit: orDefault(t.Idle, defaultIdle), firstTokenLimit: orDefault(t.FirstToken, defaultFirstToken)}
	total := orDefault(t.Total, defaultTotal)
	d.total = d.clock(total, TimeoutTotal, fmt.Sprintf("not over after %s in all", total))
	// The other two start when the request is sent: until then, the connect timeout rules.
	d.firstToken = d.clock(time.Hour, TimeoutFirstToken, fmt.Sprintf("no token within %s of the last byte sent", d.firstTokenLimit))
	d.idle = d.clock(time.Hour, TimeoutIdle, fmt.Sprintf("not a byte for %s", d.idleLimit))
	d.firstToken.Stop()
	d.idle.Stop()
	return ctx, d
}

func (d *deadlines) clock(after time.Duration, class Class, text string) *time.Timer {
	return time.AfterFunc(after, func() { d.cancel(&timeoutError{class, text}) })
}

func (d *deadlines) sent() {
	d.firstToken.Reset(d.firstTokenLimit)
	d.idle.Reset(d.idleLimit)
}

func (d *deadlines) read()  { d.idle.Reset(d.idleLimit) }
func (d *deadlines) token() { d.firstToken.Stop() }

func (d *deadlines) stop() {
	d.total.Stop()
	d.firstToken.Stop()
	d.idle.Stop()
	d.cancel(nil)
}
