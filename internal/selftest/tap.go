package selftest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// Tap is an endpoint that passes events on and keeps when each request was sent and each text came, in the form of the
// server's log.
type Tap struct {
	endpoint.Endpoint
	Epoch time.Time         // of the endpoint
	First int               // added to the index of each request
	Seen  []scripted.Served // one per request, by its index

	mu     sync.Mutex
	failed error
}

// Do implements endpoint.Endpoint.
func (t *Tap) Do(ctx context.Context, req *workload.Request, obs endpoint.Observer) endpoint.Result {
	seen := &t.Seen[req.Index]
	seen.Index = t.First + req.Index
	r := t.Endpoint.Do(ctx, req, &tapped{obs, t.Epoch.UnixNano(), seen})
	if r.Class != endpoint.OK {
		t.mu.Lock()
		t.failed = fmt.Errorf("stream %d: %s: %s", req.Index, r.Class, r.Error)
		t.mu.Unlock()
	}
	return r
}

// Err is the failure of a request, if one failed.
func (t *Tap) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

type tapped struct {
	endpoint.Observer
	wall int64 // the epoch, by the wall clock
	seen *scripted.Served
}

// Observe implements endpoint.Observer.
func (t *tapped) Observe(e endpoint.Event) {
	switch {
	case e.Kind == endpoint.Sent:
		t.seen.Received = t.wall + int64(e.At)
	case e.Kind.Generated():
		t.seen.Writes = append(t.seen.Writes, t.wall+int64(e.At))
	}
	t.Observer.Observe(e)
}
