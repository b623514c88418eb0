package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptrace"
	"time"
)

// reference carries requests by net/http: what our own HTTP/1.1 is compared with, and HTTP/2. It dials anew only where a
// kept connection died before a byte of the request was written.
type reference struct {
	transport *http.Transport
	target    *target
	epoch     time.Time
}

func newReference(cfg *Config, t *target) *reference {
	return &reference{transport: newTransport(cfg, t), target: t, epoch: cfg.Epoch}
}

func (n *reference) close() { n.transport.CloseIdleConnections() }

// prewarm implements carrier: net/http has no way to.
func (n *reference) prewarm(context.Context, int) error {
	return fmt.Errorf("net/http dials only for a request: %w", errors.ErrUnsupported)
}

// carry implements carrier.
func (n *reference) carry(ctx context.Context, c *attempt) Result {
	body, header, err := c.write()
	if err != nil {
		return unwritten(err)
	}
	p := &phases{epoch: n.epoch, sent: c.clocks.sent}
	traced := httptrace.WithClientTrace(context.WithValue(ctx, phasesKey{}, p), p.trace())
	req, err := http.NewRequestWithContext(traced, http.MethodPost, n.target.url.String(), bytes.NewReader(body))
	if err != nil {
		return Result{Class: ConnectFailed, Error: err.Error()}
	}
	req.Header, req.Host = n.target.header.Clone(), n.target.host
	maps.Copy(req.Header, header)
	if n.target.route.protocol != http1 {
		req.GetBody = nil // or a stream that the server refuses would be sent again unseen
	}
	resp, err := n.transport.RoundTrip(req)
	connected, fresh := p.tell(c.obs)
	defer p.end()
	if err != nil {
		r := Result{NewConnection: fresh, SetUp: p.setUp()}
		r.Class, r.Error = classify(ctx, p.why(err), connected, "before an answer came")
		return r
	}
	defer resp.Body.Close()
	x := newExchange(ctx, c, resp.StatusCode, resp.Proto, resp.Header, &bodySource{body: resp.Body, lane: p.over()})
	defer x.close()
	x.res.NewConnection, x.res.SetUp, x.res.Stamps = fresh, p.setUp(), StampsClock
	x.advance() // to the end: this source waits
	return x.res
}

// bodySource reads a response body with the stamps of the connection under it.
type bodySource struct {
	body io.Reader
	lane lane
	n    int64 // bytes so far
}

func (b *bodySource) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.n += int64(n)
	return n, err
}

func (b *bodySource) readOf(offset int64) (time.Duration, uint32) { return b.lane.readOf(offset) }

func (b *bodySource) lastRead() (time.Duration, uint32) { return b.lane.readOf(max(b.n-1, 0)) }

// newTransport is net/http made fit for measuring: one protocol, and no other in its place, no compression (a
// compressor's flush blocks are fake bursts), no proxy out of the environment unless it was asked for, no limit on
// connections that would make a request wait in a queue of ours, and no resumption of TLS sessions, so that each new
// connection costs the same.
//
// HTTP/2 goes by the name of unencrypted HTTP/2 here, over TLS too: net/http then takes any connection that it is given,
// such as ours, which follows the streams above the encryption. That the server agreed to HTTP/2 the dialer has seen to.
func newTransport(cfg *Config, target *target) *http.Transport {
	d := newDialer(cfg, target.route)
	dial := newDialTurns(cfg.Approach.Connections.DialConcurrency).around(d.forHTTP)
	t := &http.Transport{
		DialContext:           dial,
		DialTLSContext:        dial,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   math.MaxInt,
		IdleConnTimeout:       idleLimit,
		ReadBufferSize:        bufferSize,
		WriteBufferSize:       bufferSize,
		ExpectContinueTimeout: 0,
		DisableKeepAlives:     !target.reuse,
		Protocols:             new(http.Protocols),
	}
	if target.route.protocol == http1 {
		t.Protocols.SetHTTP1(true)
	} else {
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	if target.route.proxy != nil {
		t.Proxy = http.ProxyURL(target.route.proxy)
	}
	return t
}
