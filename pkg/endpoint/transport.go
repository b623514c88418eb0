package endpoint

import (
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// idleLimit is how long an idle connection is kept. Common servers close theirs after 5 s (uvicorn, Node, llama.cpp):
// ours go first, so that no request is lost on a connection that is being closed at the other end.
const idleLimit = 4 * time.Second

// bufferSize takes a whole burst of events in one read; net/http's default of 4 KiB would split one over several. Each
// connection of net/http has one for reading and one for writing.
const bufferSize = 16 << 10

// The defaults that workload.Timeouts documents.
const (
	defaultConnect    = 10 * time.Second
	defaultFirstToken = 60 * time.Second
	defaultIdle       = 60 * time.Second
	defaultTotal      = 300 * time.Second
)

func orDefault(d workload.Duration, def time.Duration) time.Duration {
	if d > 0 {
		return d.D()
	}
	return def
}
