package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// direct carries requests by our own HTTP/1.1, so that what the client itself costs and is late by stays small: sockets
// are read by loops (loop.go) with the kernel's receive stamps, anything else by the request's goroutine. It does what
// a benchmark asks for and no more: one request at a time on a connection, no redirects, no cookies, no second
// attempt. docs/instrument.md has the profile behind the decision.
type direct struct {
	target *target
	dialer *dialer
	raw    netip.AddrPort // where a socket of our own can go: a numeric address without TLS
	head   []byte         // of every request, up to the value of Content-Length
	tail   []byte         // the rest of the head, but for the fields that each request has of its own
	idle   idleLinks
	turns  turns // where connections are sockets
	dials  turns // of those that may connect at once

	mu       sync.Mutex
	loops    []*loop
	next     int
	stamping int // the descriptor that keeps the kernel's stamps on; -1 without
}

func newDirect(cfg *Config, t *target) *direct {
	d := &direct{target: t, dialer: newDialer(cfg, t.route), stamping: -1,
		dials: newDialTurns(cfg.Approach.Connections.DialConcurrency)}
	if rawnet.Supported && cfg.Dial == nil {
		d.turns, d.dialer.turns = newTurns(), newTurns()
		if addr, err := netip.ParseAddrPort(t.route.address); err == nil && t.route.network == "tcp" && t.route.tls == nil {
			d.raw = addr
		}
		if fd, err := rawnet.StampAll(); err == nil { // without it, the first connection begins
			d.stamping = fd
		}
	}
	d.renderHead()
	return d
}

// renderHead writes the head in the order in which net/http does.
func (d *direct) renderHead() {
	host := d.target.host
	if host == "" {
		host = withoutZone(d.target.url.Host)
	}
	what := d.target.url.RequestURI()
	if d.target.route.proxy != nil { // it must know where to take the request
		what = d.target.url.Scheme + "://" + withoutZone(d.target.url.Host) + what
	}
	d.head = append(d.head, "POST "+what+" HTTP/1.1\r\nHost: "+host+"\r\n"...)
	if agent := d.target.header.Get("User-Agent"); agent != "" {
		d.head = append(d.head, "User-Agent: "+agent+"\r\n"...)
	}
	d.head = append(d.head, "Content-Length: "...)
	var names []string
	for name := range d.target.header {
		switch name {
		case "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer": // the framing is ours to say
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	d.tail = append(d.tail, "\r\n"...)
	for _, name := range names {
		for _, value := range d.target.header[name] {
			d.tail = append(d.tail, name+": "+value+"\r\n"...)
		}
	}
	if !d.target.reuse && d.target.header.Get("Connection") == "" {
		d.tail = append(d.tail, "Connection: close\r\n"...)
	}
	if proxy := d.target.route.proxy; proxy != nil && proxy.User != nil {
		d.tail = append(d.tail, "Proxy-Authorization: "+proxyAuthorization(proxy)+"\r\n"...)
	}
}

// withoutZone drops the zone of an IPv6 address, which means something on this machine alone (RFC 6874, section 3).
func withoutZone(host string) string {
	if from, to := strings.IndexByte(host, '%'), strings.IndexByte(host, ']'); from >= 0 && from < to {
		return host[:from] + host[to:]
	}
	return host
}

// requests are buffers for what is written.
var requests = sync.Pool{New: func() any { return new([]byte) }}

// carry implements carrier.
func (d *direct) carry(ctx context.Context, c *attempt) Result {
	d.turns.take()
	body, header, err := c.write()
	if err != nil {
		d.turns.give()
		return unwritten(err)
	}
	var made SetUp
	l, fresh, err := d.link(ctx, c.obs, &made)
	d.turns.give()
	if err != nil {
		r := Result{NewConnection: fresh, SetUp: made}
		r.Class, r.Error = classify(ctx, err, false, "before a connection was there")
		return r
	}
	r := &reply{ctx: ctx, call: c}
	serr := d.send(ctx, l, r, header, body)
	l.receive(ctx, r) // after a failed send too: the server may have said why
	res := r.result()
	if serr != nil && r.x == nil && ctx.Err() == nil && res.Class != TLSFailed {
		if errors.Is(serr, errAnswered) {
			serr = r.err
		}
		res.Class, res.Error = classify(ctx, serr, true, "while the request was being sent")
	}
	res.NewConnection, res.SetUp = fresh, made
	if serr == nil && d.target.reuse && r.reusable() { // a clock that ran out meanwhile has cut it, and wake sees that
		d.idle.put(l)
	} else {
		l.close()
	}
	return res
}

// send writes the request and starts the clocks of its answer.
func (d *direct) send(ctx context.Context, l link, r *reply, header http.Header, body []byte) error {
	buf := requests.Get().(*[]byte)
	b := append((*buf)[:0], d.head...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, d.tail...)
	for name, values := range header {
		b = append(append(append(append(b, name...), ": "...), values[0]...), "\r\n"...)
	}
	b = append(append(b, "\r\n"...), body...)
	sent, err := l.send(ctx, b, r)
	if *buf = b; len(b) <= maxPooled {
		requests.Put(buf)
	}
	if err == nil {
		r.call.obs.Observe(Event{Kind: Sent, At: sent})
	}
	if err == nil || errors.Is(err, errAnswered) {
		r.call.clocks.sent(l)
	}
	return err
}

// link is a connection for one request: one that rests, or a new one.
func (d *direct) link(ctx context.Context, obs Observer, made *SetUp) (l link, fresh bool, err error) {
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if l = d.idle.get(); l == nil {
		if err := d.mayDial(ctx); err != nil {
			return nil, false, err
		}
		defer d.dials.give()
		l = d.idle.get() // one may have come to rest meanwhile
	}
	if l == nil {
		fresh = true
		obs.Observe(Event{Kind: ConnectStart, At: time.Since(d.dialer.epoch)})
		if l, err = d.connect(ctx, made); err != nil {
			return nil, true, err
		}
	}
	obs.Observe(Event{Kind: Connected, At: time.Since(d.dialer.epoch)})
	return l, fresh, nil
}

// mayDial waits until this connection may be made, which d.dials.give ends.
func (d *direct) mayDial(ctx context.Context) error {
	if d.dials == nil {
		return nil
	}
	d.turns.give() // who waits here does no work
	defer d.turns.take()
	return d.dials.wait(ctx)
}

// dial connects, and gives up at once when ctx is cancelled, whatever the dialler is waiting for.
func (d *direct) dial(ctx context.Context, made *SetUp) (*wireConn, error) {
	type dialled struct {
		conn *wireConn
		made SetUp
		err  error
	}
	over := make(chan dialled, 1)
	go func() {
		c, made, err := d.dialer.open(ctx)
		over <- dialled{c, made, err}
	}()
	select {
	case r := <-over:
		*made = r.made
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-over; r.err == nil {
				r.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// connect makes a new link.
func (d *direct) connect(ctx context.Context, made *SetUp) (link, error) {
	if d.raw.IsValid() {
		return d.connectRaw(ctx, made)
	}
	d.turns.give() // the dialler takes its own for what is work
	w, err := d.dial(ctx, made)
	d.turns.take()
	if err != nil {
		return nil, err
	}
	l, err := d.takeOver(w)
	if err != nil {
		w.Close()
		return nil, d.dialer.failed(ctx, ConnectFailed, err, "the socket could not be taken over")
	}
	return l, nil
}

// takeOver gives a connection to a loop. One that has no socket of its own, or not on this system, stays as it is.
func (d *direct) takeOver(w *wireConn) (link, error) {
	fd, err := rawnet.Take(w.raw.Conn)
	if errors.Is(err, errors.ErrUnsupported) {
		return &connLink{conn: w.Conn, raw: w.raw, epoch: d.dialer.epoch}, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := d.loop()
	if err != nil {
		rawnet.Close(fd)
		return nil, err
	}
	_ = rawnet.Stamp(fd) // without it the clock stamps, and the record says so
	s := newSocketLink(fd, l)
	if t, ok := w.Conn.(*tls.Conn); ok {
		return newTLSLink(s, t, w.raw), nil
	}
	return s, nil
}

// connectRaw makes a link to a numeric address with a few system calls, a third of what net.Dialer costs: a burst leaves
// the sooner.
func (d *direct) connectRaw(ctx context.Context, made *SetUp) (link, error) {
	ctx, cancel := d.dialer.begin(ctx)
	defer cancel()
	l, err := d.loop()
	if err != nil {
		return nil, d.dialer.failed(ctx, ConnectFailed, err, "no epoll set")
	}
	start := time.Now()
	fd, pending, err := rawnet.Connect(d.raw)
	if err != nil {
		return nil, d.rawFailed(ctx, err)
	}
	s := newSocketLink(fd, l)
	if pending {
		d.turns.give()
		err := l.connected(ctx, s)
		made.TCP = since(start)
		d.turns.take()
		if err != nil {
			s.close()
			made.TCP = nil
			return nil, d.rawFailed(ctx, err)
		}
	} else {
		made.TCP = since(start)
	}
	_ = rawnet.Stamp(fd) // without it the clock stamps, and the record says so
	return s, nil
}

// rawFailed words a failed connection as net.Dialer does.
func (d *direct) rawFailed(ctx context.Context, err error) error {
	return d.dialer.failed(ctx, ConnectFailed, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(d.raw), Err: err}, "the address did not answer")
}

// loop is the next loop's turn: there is one for every two cores, the other being the rest of the program's.
func (d *direct) loop() (*loop, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := max(1, runtime.GOMAXPROCS(0)/2); len(d.loops) < n {
		l, err := newLoop(d.dialer.epoch)
		if err != nil {
			return nil, err
		}
		d.loops = append(d.loops, l)
	}
	d.next++
	return d.loops[d.next%len(d.loops)], nil
}

// close implements carrier. Requests under way go on; their loops end with them.
func (d *direct) close() {
	d.idle.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.loops {
		l.close()
	}
	d.loops = nil
	if d.stamping >= 0 {
		rawnet.Close(d.stamping)
		d.stamping = -1
	}
}
