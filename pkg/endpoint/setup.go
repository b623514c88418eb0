package endpoint

import "time"

// SetUp is how long the parts of a new connection took, as far as it came. A part that did not happen is nil: a numeric
// address needs no DNS, and a connection that was used before has no part at all. The parts lie between ConnectStart and
// Connected, and are in no latency that begins with Sent.
type SetUp struct {
	DNS   *time.Duration // the name's addresses
	TCP   *time.Duration // the connection itself, to a proxy where there is one; to a Unix socket too
	Proxy *time.Duration // the proxy's connection on to the target
	TLS   *time.Duration // the handshake, with our own computing in it
}

// since is the time from then to now, as a part.
func since(then time.Time) *time.Duration {
	d := time.Since(then)
	return &d
}
