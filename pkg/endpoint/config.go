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
	// Dir is the folder at which relative paths of the approach start. Empty: the working directory.
	Dir string
	// LookupEnv reads the environment, for credentials that are more than one key. Nil: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// KeepText fills Result.Text.
	KeepText bool
	// RootCAs are the authorities that are trusted where the approach names none. Nil: the system's.
	RootCAs *x509.CertPool
	// Dial replaces the network dialler (tests, in-memory networks). Nil: net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Reference carries requests by net/http in place of our own HTTP/1.1. It is slower and stamps when its goroutine
	// runs; it is what ours is compared with.
	Reference bool
}
