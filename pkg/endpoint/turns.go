package endpoint

import (
	"context"
	"net"
	"runtime"
)

// turns lets a few requests at a time do a kind of work: look for a connection, or shake hands. When hundreds are due at one instant, their goroutines
// would all stand in line for a core before the loop that reads the streams under way; so they wait their turn parked,
// first come, first served. A turn is only for our own work: it is given up before anything is waited for, so that no
// server can hold it. nil lets everybody through.
type turns chan struct{}

// newTurns leaves a core to the loops.
func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)-1)) }

func (t turns) take() {
	if t != nil {
		t <- struct{}{}
	}
}

func (t turns) give() {
	if t != nil {
		<-t
	}
}

// newDialTurns is for connections in the making, n at once; nil without a limit.
func newDialTurns(n int) turns {
	if n <= 0 {
		return nil
	}
	return make(turns, n)
}

// wait is take for as long as ctx lasts.
func (t turns) wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// around lets a dialler dial in turns.
func (t turns) around(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := t.wait(ctx); err != nil {
			return nil, err
		}
		defer t.give()
		return dial(ctx, network, addr)
	}
}

// turnsConn gives its turn up while it waits for the peer: the work of a TLS handshake is done in turns, its waiting is
// not.
type turnsConn struct {
	net.Conn
	turns turns
}

func (c turnsConn) Read(p []byte) (int, error) {
	c.turns.give()
	defer c.turns.take()
	return c.Conn.Read(p)
}
