package endpoint

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"
)

// dialError is a failure to get a connection, with its class.
type dialError struct {
	class Class
	err   error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer makes stamped connections to one target within the connect timeout, which covers DNS, TCP, a proxy and TLS
// together.
type dialer struct {
	epoch   time.Time
	timeout time.Duration
	dial    dialFunc
	route   *route
	turns   turns // for handshakes
}

func newDialer(cfg *Config, r *route) *dialer {
	d := &dialer{epoch: cfg.Epoch, timeout: orDefault(cfg.Approach.Timeouts.Connect, defaultConnect), dial: cfg.Dial, route: r}
	if d.dial == nil {
		d.dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return d
}

// open makes a connection that requests can be written to, and says how long its parts took.
func (d *dialer) open(ctx context.Context) (w *wireConn, made SetUp, err error) {
	ctx, cancel := d.begin(ctx)
	defer cancel()
	c, err := d.socket(ctx, &made)
	if err != nil {
		return nil, made, err
	}
	w = &wireConn{Conn: c, raw: c}
	if d.route.tunnel != nil {
		err = d.tunnel(ctx, c, &made)
	}
	if err == nil && d.route.tls != nil {
		w.Conn, err = d.shake(ctx, c, &made)
	}
	if err != nil {
		c.Close()
		return nil, made, err
	}
	return w, made, nil
}

// begin starts the connect timeout.
func (d *dialer) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d.timeout, ErrConnectTimeout)
}

// socket connects the socket.
func (d *dialer) socket(ctx context.Context, made *SetUp) (*stampedConn, error) {
	start := time.Now()
	c, err := d.dial(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{DNSDone: func(i httptrace.DNSDoneInfo) {
		if i.Err == nil {
			made.DNS, start = since(start), time.Now()
		}
	}}), d.route.network, d.route.address)
	if err != nil {
		return nil, d.failed(ctx, ConnectFailed, err, d.unanswered(made))
	}
	made.TCP = since(start)
	return &stampedConn{Conn: c, epoch: d.epoch}, nil
}

// unanswered says what the socket was waiting for.
func (d *dialer) unanswered(made *SetUp) string {
	host, _, err := net.SplitHostPort(d.route.address)
	if err == nil && net.ParseIP(host) == nil && made.DNS == nil {
		return "DNS did not answer for " + host
	}
	return d.route.address + " did not answer"
}

// tunnel asks the proxy for a connection to the target (RFC 9110, section 9.3.6).
func (d *dialer) tunnel(ctx context.Context, c *stampedConn, made *SetUp) error {
	start := time.Now()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(longAgo) })
	err := d.askProxy(c)
	if stop(); ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return d.failed(ctx, ConnectFailed, fmt.Errorf("the proxy at %s: %w", d.route.address, err), "the proxy did not answer")
	}
	made.Proxy = since(start)
	return nil
}

func (d *dialer) askProxy(c net.Conn) error {
	ask := "CONNECT " + d.route.target + " HTTP/1.1\r\nHost: " + d.route.target + "\r\nUser-Agent: infbench\r\n"
	if a := proxyAuthorization(d.route.tunnel); a != "" {
		ask += "Proxy-Authorization: " + a + "\r\n"
	}
	if _, err := io.WriteString(c, ask+"\r\n"); err != nil {
		return err
	}
	// What the buffer holds beyond the head is lost, but in TLS the server does not speak first.
	in := bufio.NewReader(io.LimitReader(c, maxErrorBody))
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose // none is read
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("it closed the connection before it had answered")
	}
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("it answered %s to CONNECT %s", resp.Status, d.route.target)
	case in.Buffered() > 0:
		return errors.New("it spoke in place of the target")
	}
	return nil
}

// shake shakes hands in TLS.
func (d *dialer) shake(ctx context.Context, c *stampedConn, made *SetUp) (*tls.Conn, error) {
	t := tls.Client(c, d.route.tls)
	socket := c.Conn
	c.Conn = turnsConn{socket, d.turns}
	d.turns.take()
	start := time.Now()
	err := t.HandshakeContext(ctx)
	d.turns.give()
	c.Conn = socket
	if got := t.ConnectionState().NegotiatedProtocol; err == nil && d.route.protocol == h2 && got != "h2" {
		err = fmt.Errorf("%w: it chose no protocol; use connections.protocol: http1", ErrNoHTTP2)
	} else if err != nil && strings.Contains(err.Error(), "no application protocol") { // an alert for which crypto/tls has no name
		err = fmt.Errorf("%w: it answered the handshake with %w; use connections.protocol: http1", ErrNoHTTP2, err)
	}
	if err != nil {
		return nil, d.failed(ctx, TLSFailed, err, "in the TLS handshake")
	}
	made.TLS = since(start)
	return t, nil
}

// forHTTP is open as net/http calls it.
func (d *dialer) forHTTP(ctx context.Context, _, _ string) (net.Conn, error) {
	p, _ := ctx.Value(phasesKey{}).(*phases)
	if p != nil {
		p.dialling(time.Since(d.epoch))
	}
	w, made, err := d.open(ctx)
	if p != nil {
		p.dialled(made)
	}
	switch {
	case err != nil:
		return nil, err
	case d.route.protocol == http1:
		return w, nil
	}
	return newH2Conn(w.Conn, w.raw), nil
}

// failed classes a failure, which may be that the connect timeout ended the attempt at this stage.
func (d *dialer) failed(ctx context.Context, class Class, err error, stage string) error {
	if at, ok := ctx.Deadline(); ok && !time.Now().Before(at) {
		<-ctx.Done() // net.Dialer's own timer for the same instant can be the first
	}
	if errors.Is(context.Cause(ctx), ErrConnectTimeout) {
		return &dialError{TimeoutConnect, fmt.Errorf("%w of %s: %s", ErrConnectTimeout, d.timeout, stage)}
	}
	if ownLimit(err) {
		class = ClientLimit
	}
	return &dialError{class, err}
}

// ownLimit tells a failure to connect that is this machine's. A machine without IPv6 says of any such address that it
// cannot be assigned, which is no lack of ports.
func ownLimit(err error) bool {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return true
	}
	var op *net.OpError
	if !errors.As(err, &op) || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return false
	}
	addr, ok := op.Addr.(*net.TCPAddr)
	return ok && addr.IP.To4() != nil
}
