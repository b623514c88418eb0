package measure

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

func dueAt(index int, at time.Duration) *turn {
	return &turn{req: &workload.Request{Index: index}, at: at}
}

// TestAgendaLosesNothing: whatever the order in which turns are added while the loop leaves, each is taken out or refused.
func TestAgendaLosesNothing(t *testing.T) {
	const turns = 1000
	a := newAgenda()
	var refused, taken []int
	var mu sync.Mutex
	var adding sync.WaitGroup
	for i := range turns {
		adding.Go(func() {
			if !a.add(dueAt(i, time.Duration(i%7))) {
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, i)
			}
		})
	}
	for !a.close() {
		taken = append(taken, a.take().req.Index)
	}
	adding.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(refused, taken)))
	if len(all) != turns || all[0] != 0 || all[turns-1] != turns-1 {
		t.Errorf("%d taken and %d refused of %d", len(taken), len(refused), turns)
	}
	if a.add(dueAt(1, 0)) || !a.close() {
		t.Error("a closed agenda took a turn")
	}
}

// TestAgendaOrder: the earliest turn comes first, and whoever arrived first of two at one time.
func TestAgendaOrder(t *testing.T) {
	a := newAgenda()
	for _, turn := range []*turn{dueAt(2, 30), dueAt(3, 10), dueAt(1, 10), dueAt(0, 20)} {
		a.add(turn)
	}
	var order []int
	for at, ok := a.first(); ok; at, ok = a.first() {
		turn := a.take()
		if turn.at != at {
			t.Errorf("first at %v, took the one at %v", at, turn.at)
		}
		order = append(order, turn.req.Index)
	}
	if want := []int{1, 3, 0, 2}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}

// TestATurnEndsTheLastMoments: in the moments before an arrival, in which the loop listens to no channel, a turn that is due
// before it wakes the loop, whenever it comes.
func TestATurnEndsTheLastMoments(t *testing.T) {
	x := &blockRun{Block: Block{Follow: func(*workload.Request, workload.Reply) (workload.Request, workload.Duration, workload.SessionEnd) {
		return workload.Request{}, 0, ""
	}}, epoch: time.Now(), spin: time.Microsecond, agenda: newAgenda(), stop: make(chan struct{})}
	x.napper = newNapper()
	defer x.napper.close()
	x.agenda.wake = x.napper.wake
	for i := range 200 {
		go x.agenda.add(dueAt(i, -time.Duration(i)))
		if how := x.approach(x.epoch.Add(24 * time.Hour)); how != woken {
			t.Fatalf("turn %d: the loop ended %v, a day early", i, how)
		}
	}
	if how := x.approach(time.Now().Add(3 * time.Millisecond)); how != onTime {
		t.Errorf("without a turn: %v", how)
	}
}

// TestEveryConversationEnds: each conversation ends once, however its turns lie about the horizon and the end of the drain.
func TestEveryConversationEnds(t *testing.T) {
	for _, think := range []time.Duration{0, time.Millisecond, 800 * time.Millisecond, 900 * time.Millisecond, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
				at(endpoint.Sent)
				if req.Index%10 == 9 && req.Turn == 2 {
					return endpoint.Result{Class: wait(ctx, time.Hour), Error: "hung"}
				}
				wait(ctx, 100*time.Millisecond)
				at(endpoint.Answer)
				at(endpoint.Done)
				return endpoint.Result{Class: endpoint.OK}
			})
			b.Request = func(i int) workload.Request { return workload.Request{Index: i, Turn: 1, Turns: 3} }
			b.Follow = func(req *workload.Request, _ workload.Reply) (workload.Request, workload.Duration, workload.SessionEnd) {
				if req.Turn == 3 {
					return workload.Request{}, 0, workload.SessionComplete
				}
				return workload.Request{Index: req.Index, Turn: req.Turn + 1, Turns: 3}, workload.Duration(think), ""
			}
			_, rows, err := runBlock(t, &Runner{}, t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			ends, last := map[int]int{}, map[workload.SessionEnd]int{}
			for _, s := range rows {
				if s.SessionEnd != "" {
					ends[s.Index]++
					last[s.SessionEnd]++
				}
				if cut := s.SessionEnd == workload.SessionCutOff; s.Class == endpoint.Unfinished && !cut {
					t.Errorf("conversation %d was unfinished at the end of the drain and ended %q", s.Index, s.SessionEnd)
				}
			}
			for i := range b.Times {
				if ends[i] != 1 {
					t.Errorf("think %v: conversation %d has %d ends", think, i, ends[i])
				}
			}
			if fmt.Sprint(last[workload.SessionComplete]+last[workload.SessionCutOff]) != fmt.Sprint(len(b.Times)) || last[workload.SessionCutOff] == 0 {
				t.Errorf("think %v: %v", think, last)
			}
		})
	}
}
