package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// follow finds the turn after a request that is over, and marks the sample with how its conversation ended where none
// comes. It returns nil then, and for a request that stands alone.
func (x *blockRun) follow(req *workload.Request, s *Sample, res *endpoint.Result) *turn {
	if x.Follow == nil || req.Turn == 0 {
		return nil
	}
	switch s.Class {
	case endpoint.OK:
	case endpoint.Cancelled, endpoint.Unfinished:
		return nil // the run ended, not the conversation
	case endpoint.Abandoned:
		s.SessionEnd = workload.SessionAbandoned
		return nil
	default:
		s.SessionEnd = workload.SessionFailed
		return nil
	}
	next, think, end := x.Follow(req, workload.Reply{Text: res.Text, InputTokens: s.InputTokens, OutputTokens: visible(s)})
	if end == "" {
		over, _ := s.Done.Get() // fire has made sure of it
		if at := over + think.D(); at < x.Phases.Horizon().D() {
			return &turn{req: &next, at: at, think: At(think.D())}
		}
		end = workload.SessionCutOff
	}
	s.SessionEnd = end
	return nil
}

// visible is how many output tokens go into the next turn's prompt: reasoning is not sent back. It is nil where that was
// streamed, and the server counts it together with the answer.
func visible(s *Sample) *int {
	switch {
	case s.OutputTokens == nil, s.ReasoningSeen && s.Reasoning == nil:
		return nil
	case s.Reasoning == nil:
		return s.OutputTokens
	}
	n := max(*s.OutputTokens-*s.Reasoning, 0)
	return &n
}

// user waits for one answer, and leaves when the patience is at its end.
type user struct {
	cancel context.CancelCauseFunc
	token  *time.Timer // nil: any time for the first token is fine
	answer *time.Timer
}

// waitFor lets a user wait for an answer that was due gone ago. The context ends when the user leaves.
func waitFor(ctx context.Context, w workload.Waits, gone time.Duration) (context.Context, *user) {
	u := &user{}
	ctx, u.cancel = context.WithCancelCause(ctx)
	after := func(d time.Duration, what string) *time.Timer {
		if d == 0 {
			return nil
		}
		return time.AfterFunc(d-gone, func() {
			u.cancel(fmt.Errorf("%w: %s within %s", endpoint.ErrAbandoned, what, d.Round(time.Millisecond)))
		})
	}
	u.token = after(w.FirstToken, "no first token")
	u.answer = after(w.Answer, "no whole answer")
	return ctx, u
}

// seesToken makes the user stay for the rest of the answer.
func (u *user) seesToken() {
	if u.token != nil {
		u.token.Stop()
	}
}

// leave ends the waiting when the request is over.
func (u *user) leave() {
	for _, t := range []*time.Timer{u.token, u.answer} {
		if t != nil {
			t.Stop()
		}
	}
	u.cancel(nil)
}
