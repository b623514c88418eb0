package simulate

import "time"

// event is something that will happen in the model at a machine time.
type event struct {
	at   time.Duration // machine time
	seq  uint64        // order among equals
	kind eventKind
	job  *job
}

type eventKind uint8

const (
	evArrive     eventKind = iota // a request reaches the server
	evCancel                      // the news that its client left does
	evPrefilled                   // a prefill ends
	evService                     // a token of a request with a drawn service time
	evBackground                  // the next request of another tenant
)

// eventHeap is a binary heap by time, then order of insertion. (container/heap would box every event.)
type eventHeap struct {
	items []event
	seq   uint64
}

func (h *eventHeap) less(i, j int) bool {
	a, b := &h.items[i], &h.items[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (h *eventHeap) push(e event) {
	h.seq++
	e.seq = h.seq
	h.items = append(h.items, e)
	for i := len(h.items) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			break
		}
		h.items[i], h.items[parent] = h.items[parent], h.items[i]
		i = parent
	}
}

func (h *eventHeap) pop() event {
	top := h.items[0]
	n := len(h.items) - 1
	h.items[0] = h.items[n]
	h.items[n] = event{}
	h.items = h.items[:n]
	for i := 0; ; {
		child := 2*i + 1
		if child >= n {
			return top
		}
		if child+1 < n && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return top
		}
		h.items[i], h.items[child] = h.items[child], h.items[i]
		i = child
	}
}
