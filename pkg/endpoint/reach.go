package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoHTTP2 is in the error of Reach where the server is there and does not speak the HTTP/2 that was asked for.
var ErrNoHTTP2 = errors.New("the server does not speak HTTP/2")

// Reach makes a connection to the approach's target the way requests will (its proxy, its socket, its certificates, its
// protocol) and closes it, within the connect timeout. It sends no request. An error that is ErrConnectTimeout says at
// which stage.
func Reach(ctx context.Context, cfg Config) error {
	e, err := Open(cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	d := newDialer(&cfg, e.(*remote).client.target.route)
	ctx, cancel := d.begin(ctx)
	defer cancel()
	w, _, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	if d.route.protocol == http1 {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = w.SetDeadline(longAgo) })
	err = greetHTTP2(w)
	if stop(); err != nil {
		return d.failed(ctx, ConnectFailed, err, "the server did not answer the HTTP/2 preface")
	}
	return nil
}

// greetHTTP2 exchanges the prefaces of both sides (RFC 9113, section 3.4): without TLS nothing else tells that the server
// speaks HTTP/2 before a request fails.
func greetHTTP2(c io.ReadWriter) error {
	const frameSettings, noSettings = 4, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	var head [9]byte
	_, _ = io.WriteString(c, h2Preface+noSettings) // where that fails, reading does too, unless the server has said why
	n, err := io.ReadFull(c, head[:])
	switch {
	case strings.HasPrefix(string(head[:n]), "HTTP/"):
		return fmt.Errorf("%w: it answered in HTTP/1; use connections.protocol: http1", ErrNoHTTP2)
	case err != nil:
		return fmt.Errorf("%w: it hung up (%w); use connections.protocol: http1", ErrNoHTTP2, err)
	case head[3] != frameSettings:
		return fmt.Errorf("%w: it did not begin with SETTINGS", ErrNoHTTP2)
	}
	return nil
}
