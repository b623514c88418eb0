package endpoint

import (
	"context"
	"net"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Config is what Open needs beside the approach.
type Config struct {
	Approach workload.Approach
	// Key is the API key, read from the environment by the caller. Empty: no Authorization header.
	Key string
	// Epoch is the zero of every Event.At. It must carry a monotonic reading (time.Now).
	Epoch time.Time
	// KeepText fills Result.Text.
	KeepText bool
	// Dial replaces the network dialler (tests, in-memory networks). Nil: net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}
