package endpoint

import (
	"context"
	"fmt"
	"sync"
)

// prewarmers is how many connections are made at once ahead of the requests, so that a server's queue of new ones (128
// on many) does not overflow.
const prewarmers = 64

// prewarm implements carrier. The links begin to rest together, when the last of them is there: the first must not have
// grown too old by then.
func (d *direct) prewarm(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var made []link
	begun := 0
	another := func() bool {
		mu.Lock()
		defer mu.Unlock()
		begun++
		return begun <= n
	}
	var wg sync.WaitGroup
	for range min(n, prewarmers) {
		wg.Go(func() {
			for another() {
				l, err := d.ahead(ctx)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				made = append(made, l)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, l := range made {
		d.idle.put(l)
	}
	if len(made) < n {
		return fmt.Errorf("%d of %d connections are open: %w", len(made), n, context.Cause(ctx))
	}
	return nil
}

// ahead makes one link that no request has asked for.
func (d *direct) ahead(ctx context.Context) (link, error) {
	d.turns.take()
	defer d.turns.give()
	if err := d.mayDial(ctx); err != nil {
		return nil, err
	}
	defer d.dials.give()
	return d.connect(ctx, &SetUp{}) // which is no request's
}
