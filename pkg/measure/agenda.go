package measure

import (
	"container/heap"
	"sync"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// turn is a request with the time when it is due.
type turn struct {
	req   *workload.Request
	at    time.Duration // since the block's time 0
	think Stamp         // how long the user thought before it; missing for a first turn
}

// agenda holds the later turns of conversations until they are due. It is shared by the requests, which add to it, and the
// pacing loop, which takes from it.
type agenda struct {
	mu     sync.Mutex
	turns  turnHeap
	closed bool
	// fresh has something in it when the earliest turn is another one than before.
	fresh chan struct{}
	// wake ends what the pacing loop sleeps in where it cannot listen to fresh; nil where it never does.
	wake func()
}

func newAgenda() *agenda {
	return &agenda{fresh: make(chan struct{}, 1)}
}

// add puts a turn in, and tells the pacing loop if nothing is due before it. It reports false when the loop has left: then
// the turn would never be sent.
func (a *agenda) add(t *turn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	heap.Push(&a.turns, t)
	if a.turns[0] != t {
		return true
	}
	select {
	case a.fresh <- struct{}{}:
	default: // it has not looked since it was told last
	}
	if a.wake != nil {
		a.wake()
	}
	return true
}

// close lets the pacing loop leave: nothing is added from then on. It reports false, and stays open, when a turn is left.
func (a *agenda) close() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = len(a.turns) == 0
	return a.closed
}

// first is when the earliest turn is due; not ok where there is none.
func (a *agenda) first() (at time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.turns) == 0 {
		return 0, false
	}
	return a.turns[0].at, true
}

// take takes the earliest turn out. There must be one.
func (a *agenda) take() *turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return heap.Pop(&a.turns).(*turn)
}

// turnHeap implements heap.Interface, the earliest turn first; of two at one time the one that arrived first.
type turnHeap []*turn

func (h turnHeap) Len() int { return len(h) }
func (h turnHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].req.Index < h[j].req.Index
}
func (h turnHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *turnHeap) Push(t any)   { *h = append(*h, t.(*turn)) }
func (h *turnHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}
