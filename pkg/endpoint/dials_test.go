package endpoint

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

// slowDials is a dialler that takes a second, and counts.
type slowDials struct {
	listener *memnet.Listener
	fail     func(n int) error // of the n-th dial, from 1

	mu             sync.Mutex
	now, most, all int
}

func (d *slowDials) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	d.now++
	d.all++
	d.most = max(d.most, d.now)
	n := d.all
	d.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	d.mu.Lock()
	d.now--
	d.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if d.fail != nil && d.fail(n) != nil {
		return nil, d.fail(n)
	}
	return d.listener.Dial(ctx, network, addr)
}

// slowly runs a test in virtual time with an endpoint whose dials take a second and whose answers as long as is asked.
func slowly(t *testing.T, c workload.Connections, reference bool, answer time.Duration, test func(t *testing.T, e Endpoint, d *slowDials)) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		go scriptedServer(t, l, []step{{answer, sseHead + chunked(content("a")+doneEvent) + lastChunk}}, nil)
		d := &slowDials{listener: l}
		e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1", Model: "m", Connections: c}, Epoch: time.Now(), Dial: d.dial, Reference: reference})
		if err != nil {
			t.Fatal(err)
		}
		test(t, e, d)
		e.Close()
		l.Close()
		synctest.Wait()
	})
}

// together issues requests at one instant and returns their results and events.
func together(t *testing.T, e Endpoint, n int) ([]Result, []*events) {
	results, seen := make([]Result, n), make([]*events, n)
	var wg sync.WaitGroup
	for i := range n {
		seen[i] = &events{}
		wg.Go(func() { results[i] = e.Do(t.Context(), &testRequest, seen[i]) })
	}
	wg.Wait()
	for i, r := range results {
		if r.Class != OK {
			t.Errorf("request %d: %s %q", i, r.Class, r.Error)
		}
	}
	return results, seen
}

func instants(seen []*events, k Kind) (at []time.Duration) {
	for _, e := range seen {
		if ev, ok := e.first(k); ok {
			at = append(at, ev.At)
		}
	}
	slices.Sort(at)
	return at
}

// Two connections are in the making at once. The others wait, and each request's set-up shows its wait and its dialling
// apart.
func TestDialConcurrency(t *testing.T) {
	for _, reference := range []bool{false, true} {
		slowly(t, workload.Connections{DialConcurrency: 2}, reference, 30*time.Second, func(t *testing.T, e Endpoint, d *slowDials) {
			_, seen := together(t, e, 6)
			const s = time.Second
			if d.most != 2 || d.all != 6 {
				t.Errorf("reference %v: %d dials, %d at once", reference, d.all, d.most)
			}
			if at := instants(seen, ConnectStart); !slices.Equal(at, []time.Duration{0, 0, s, s, 2 * s, 2 * s}) {
				t.Errorf("reference %v: dialling began at %v", reference, at)
			}
			if at := instants(seen, Connected); !slices.Equal(at, []time.Duration{s, s, 2 * s, 2 * s, 3 * s, 3 * s}) {
				t.Errorf("reference %v: connected at %v", reference, at)
			}
		})
	}
}

func TestNoLimitOfDials(t *testing.T) {
	slowly(t, workload.Connections{}, false, 30*time.Second, func(t *testing.T, e Endpoint, d *slowDials) {
		if together(t, e, 40); d.most != 40 {
			t.Errorf("%d dials at once", d.most)
		}
	})
}

// A request that waits for its turn to dial takes a connection that comes to rest meanwhile: the third waits for the
// second's dial, and then finds the first's connection.
func TestWhoWaitsToDialTakesWhatComesFree(t *testing.T) {
	slowly(t, workload.Connections{DialConcurrency: 1}, false, 500*time.Millisecond, func(t *testing.T, e Endpoint, d *slowDials) {
		results, seen := together(t, e, 3)
		fresh := 0
		for i, r := range results {
			if _, dialled := seen[i].first(ConnectStart); dialled != r.NewConnection {
				t.Errorf("request %d: new connection %v, dialled %v", i, r.NewConnection, dialled)
			}
			if r.NewConnection {
				fresh++
			}
		}
		if fresh != 2 || d.all != 2 {
			t.Errorf("%d new connections, %d dials", fresh, d.all)
		}
	})
}

// A request that is ended while it waits to dial has not dialled, and leaves the turn to others.
func TestCancelledWhileWaitingToDial(t *testing.T) {
	slowly(t, workload.Connections{DialConcurrency: 1}, false, 0, func(t *testing.T, e Endpoint, d *slowDials) {
		var wg sync.WaitGroup
		wg.Go(func() { together(t, e, 1) })
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		obs := &events{}
		wg.Go(func() {
			if r := e.Do(ctx, &testRequest, obs); r.Class != Unfinished || r.NewConnection || len(obs.all) != 0 {
				t.Errorf("%+v, %d events", r, len(obs.all))
			}
		})
		synctest.Wait()
		cancel(ErrUnfinished)
		wg.Wait()
		time.Sleep(idleLimit + time.Second)
		if together(t, e, 1); d.all != 2 {
			t.Errorf("%d dials", d.all)
		}
	})
}

// Connections that were opened ahead serve the first requests, and rest no longer than any other.
func TestPrewarm(t *testing.T) {
	slowly(t, workload.Connections{}, false, 0, func(t *testing.T, e Endpoint, d *slowDials) {
		if err := e.(Prewarmer).Prewarm(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if d.all != 100 || d.most != prewarmers {
			t.Errorf("%d dials, %d at once", d.all, d.most)
		}
		if results, _ := together(t, e, 100); slices.ContainsFunc(results, func(r Result) bool { return r.NewConnection }) || d.all != 100 {
			t.Errorf("%d dials after 100 requests", d.all)
		}
		time.Sleep(idleLimit + time.Second)
		if results, _ := together(t, e, 1); !results[0].NewConnection {
			t.Error("a connection was used that had rested for too long")
		}
	})
	slowly(t, workload.Connections{DialConcurrency: 3}, false, 0, func(t *testing.T, e Endpoint, d *slowDials) {
		if err := e.(Prewarmer).Prewarm(t.Context(), 9); err != nil || d.most != 3 {
			t.Errorf("%v, %d dials at once", err, d.most)
		}
	})
}

// What could not be opened ahead is said, and the rest stays.
func TestPrewarmFails(t *testing.T) {
	slowly(t, workload.Connections{}, false, 0, func(t *testing.T, e Endpoint, d *slowDials) {
		d.fail = func(n int) error {
			if n > prewarmers {
				return errors.New("no more")
			}
			return nil
		}
		err := e.(Prewarmer).Prewarm(t.Context(), 200)
		if err == nil || !strings.HasPrefix(err.Error(), "64 of 200 connections are open: ") || !strings.HasSuffix(err.Error(), "no more") {
			t.Errorf("%v", err)
		}
		before := d.all
		if together(t, e, 64); d.all != before {
			t.Errorf("%d dials more for 64 requests", d.all-before)
		}
	})
	slowly(t, workload.Connections{}, true, 0, func(t *testing.T, e Endpoint, _ *slowDials) {
		if err := e.(Prewarmer).Prewarm(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("net/http: %v", err)
		}
	})
}
