package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// stampedConn stamps every network read and write where it happens, so that an event's time does not depend on when
// the goroutine that parses it got a core. Under TLS it lies below the encryption.
type stampedConn struct {
	net.Conn
	epoch  time.Time
	readAt atomic.Int64 // of the last read that brought bytes, ns since epoch
	reads  atomic.Uint32
	wrote  atomic.Int64 // of the last write, ns since epoch
}

func (c *stampedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.readAt.Store(int64(time.Since(c.epoch)))
		c.reads.Add(1)
	}
	return n, err
}

// Write stamps twice: the answer can come before the writing goroutine runs again, and must then find a stamp.
func (c *stampedConn) Write(p []byte) (int, error) {
	c.wrote.Store(int64(time.Since(c.epoch)))
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.wrote.Store(int64(time.Since(c.epoch)))
	}
	return n, err
}

// lastActive is when the last byte came; the epoch before the first.
func (c *stampedConn) lastActive() time.Time {
	return c.epoch.Add(time.Duration(c.readAt.Load()))
}

// lastRead is the stamp and the number of the last read.
func (c *stampedConn) lastRead() (at time.Duration, read uint32) {
	return time.Duration(c.readAt.Load()), c.reads.Load()
}

// dialError is a failure to get a connection, with its class.
type dialError struct {
	class Class
	err   error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer makes stamped connections within the connect timeout, which covers DNS, TCP and TLS together.
type dialer struct {
	epoch   time.Time
	timeout time.Duration
	dial    dialFunc
	tls     *tls.Config
	turns   turns // for handshakes
}

func newDialer(cfg *Config) *dialer {
	d := &dialer{epoch: cfg.Epoch, timeout: orDefault(cfg.Approach.Timeouts.Connect, defaultConnect), dial: cfg.Dial,
		tls: &tls.Config{NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs}}
	if d.dial == nil {
		d.dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return d
}

// plain connects without TLS.
func (d *dialer) plain(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := d.begin(ctx)
	defer cancel()
	c, err := d.tcp(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: c, raw: c}, nil
}

// secure connects and shakes hands.
func (d *dialer) secure(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := d.begin(ctx)
	defer cancel()
	c, err := d.tcp(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	cfg := d.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	t := tls.Client(c, cfg)
	socket := c.Conn
	c.Conn = turnsConn{socket, d.turns}
	d.turns.take()
	err = t.HandshakeContext(ctx)
	d.turns.give()
	c.Conn = socket
	if err != nil {
		c.Close()
		return nil, d.failed(ctx, TLSFailed, err, "in the TLS handshake")
	}
	return &wireConn{Conn: t, raw: c}, nil
}

func (d *dialer) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	if p, ok := ctx.Value(phasesKey{}).(*phases); ok {
		p.dialling(time.Since(d.epoch))
	}
	return context.WithTimeoutCause(ctx, d.timeout, errConnectTimeout)
}

func (d *dialer) tcp(ctx context.Context, network, addr string) (*stampedConn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, d.failed(ctx, ConnectFailed, err, "neither name nor address answered")
	}
	return &stampedConn{Conn: c, epoch: d.epoch}, nil
}

// failed classes a failure, which may be that the connect timeout ended the attempt at this stage.
func (d *dialer) failed(ctx context.Context, class Class, err error, stage string) error {
	if errors.Is(context.Cause(ctx), errConnectTimeout) {
		return &dialError{TimeoutConnect, fmt.Errorf("%w of %s: %s", errConnectTimeout, d.timeout, stage)}
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
