package endpoint

import (
	"context"
	"crypto/x509"
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
	// RootCAs are the authorities that are trusted. Nil: the system's.
	RootCAs *x509.CertPool
	// Dial replaces the network dialler (tests, in-memory networks). Nil: net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Reference carries requests by net/http in place of our own HTTP/1.1. It is slower and stamps when its goroutine
	// runs; it is what ours is compared with.
	Reference bool
}
