package endpoint

import (
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// idleLimit is how long an idle connection is kept. Common servers close theirs after 5 s (uvicorn, Node, llama.cpp):
// ours go first, so that no request is lost on a connection that is being closed at the other end.
const idleLimit = 4 * time.Second

// bufferSize takes a whole burst of events in one read; net/http's default of 4 KiB would split one over several. Each
// connection has one for reading and one for writing, and each stream one more.
const bufferSize = 16 << 10

// newTransport is net/http made fit for measuring: HTTP/1.1 only (a connection belongs to one request at a time), no
// compression (a compressor's flush blocks are fake bursts), no proxy out of the environment (it would stand in the path
// of the measurement unseen), no limit on connections that would make a request wait in a queue of ours, and no
// resumption of TLS sessions, so that each new connection costs the same.
func newTransport(cfg *Config) *http.Transport {
	d := &dialer{epoch: cfg.Epoch, timeout: orDefault(cfg.Approach.Timeouts.Connect, defaultConnect), dial: cfg.Dial,
		tls: &tls.Config{NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs}}
	if d.dial == nil {
		d.dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	t := &http.Transport{
		DialContext:           d.plain,
		DialTLSContext:        d.secure,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   math.MaxInt,
		IdleConnTimeout:       idleLimit,
		ReadBufferSize:        bufferSize,
		WriteBufferSize:       bufferSize,
		ExpectContinueTimeout: 0,
		DisableKeepAlives:     cfg.Approach.Connections.Reuse == "never",
		Protocols:             new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

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
