package endpoint

import "runtime"

// turns lets a few requests at a time look for a connection. When hundreds are due at one instant, their goroutines
// would all stand in line for a core before the loop that reads the streams under way; so they wait their turn parked,
// first come, first served. A turn is only for our own work: it is given up before anything is waited for, so that no
// server can hold it. nil lets everybody through.
type turns chan struct{}

func newTurns() turns { return make(turns, 2*runtime.GOMAXPROCS(0)) }

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
