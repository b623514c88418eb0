package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"time"
)

// reference carries requests by net/http. It dials anew only where a kept connection died before a byte of the request
// was written.
type reference struct {
	transport *http.Transport
	target    *target
	epoch     time.Time
}

func newReference(cfg *Config, t *target) *reference {
	return &reference{transport: newTransport(cfg), target: t, epoch: cfg.Epoch}
}

func (n *reference) close() { n.transport.CloseIdleConnections() }

// prewarm implements carrier: net/http has no way to.
func (n *reference) prewarm(context.Context, int) error {
	return fmt.Errorf("net/http dials only for a request: %w", errors.ErrUnsupported)
}

// carry implements carrier.
func (n *reference) carry(ctx context.Context, c *attempt) Result {
	body, err := c.body()
	if err != nil {
		return unencoded(err)
	}
	p := &phases{epoch: n.epoch, sent: func(conn *stampedConn) { c.clocks.sent(conn) }}
	traced := httptrace.WithClientTrace(context.WithValue(ctx, phasesKey{}, p), p.trace())
	req, err := http.NewRequestWithContext(traced, http.MethodPost, n.target.url.String(), bytes.NewReader(body))
	if err != nil {
		return Result{Class: ConnectFailed, Error: err.Error()}
	}
	req.Header, req.Host = n.target.header.Clone(), n.target.host
	resp, err := n.transport.RoundTrip(req)
	conn, fresh := p.tell(c.obs)
	if err != nil {
		r := Result{NewConnection: fresh}
		r.Class, r.Error = classify(ctx, err, conn != nil, "before an answer came")
		return r
	}
	defer resp.Body.Close()
	x := newExchange(ctx, c, resp.StatusCode, resp.Proto, resp.Header, &bodySource{body: resp.Body, conn: conn})
	defer x.close()
	x.res.NewConnection = fresh
	x.advance() // to the end: this source waits
	return x.res
}

// bodySource reads a response body with the stamps of the connection under it.
type bodySource struct {
	body io.Reader
	conn *wireConn
	n    int64 // bytes so far
}

func (b *bodySource) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.n += int64(n)
	return n, err
}

func (b *bodySource) readOf(offset int64) (time.Duration, uint32) { return b.conn.readOf(offset) }

func (b *bodySource) lastRead() (time.Duration, uint32) { return b.conn.readOf(max(b.n-1, 0)) }

// newTransport is net/http made fit for measuring: HTTP/1.1 only (a connection belongs to one request at a time), no
// compression (a compressor's flush blocks are fake bursts), no proxy out of the environment (it would stand in the path
// of the measurement unseen), no limit on connections that would make a request wait in a queue of ours, and no
// resumption of TLS sessions, so that each new connection costs the same.
func newTransport(cfg *Config) *http.Transport {
	d, dials := newDialer(cfg), newDialTurns(cfg.Approach.Connections.DialConcurrency)
	t := &http.Transport{
		DialContext:           dials.around(d.plain),
		DialTLSContext:        dials.around(d.secure),
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
