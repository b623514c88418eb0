package endpoint

import (
	"net"
	"runtime"
)

// turns lets a few requests at a time look for a connection. When hundreds are due at one instant, their goroutines
// would all stand in line for a core before the loop that reads the streams under way; so they wait their turn parked,
// first come, first served. A turn is only for our own work: it is given up before anything is waited for, so that no
// server can hold it. nil lets everybody through.
type turns chan struct{}

func newTurns() turns { return make(turns, 2*runtime.GOMAXPROCS(0)) }

// newHandshakeTurns is for work that takes a fraction of a millisecond at a time, which leaves a core to the loops.
func newHandshakeTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)-1)) }

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
