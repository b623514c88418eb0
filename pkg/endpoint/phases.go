package endpoint

import (
	"net/http/httptrace"
	"sync"
	"time"
)

// phases collects what happens before the response, on goroutines of net/http, so that Do can tell it in order on its
// own.
type phases struct {
	epoch time.Time
	sent  func(*stampedConn) // called when the last request byte is out

	mu        sync.Mutex
	dialStart time.Duration
	dialled   bool
	conn      *wireConn
	reused    bool
	connected time.Duration
	wrote     bool
	headers   time.Duration
	read      uint32
	answered  bool
}

// phasesKey carries the phases to the dialer; net/http keeps a request's values on the contexts that it dials with.
type phasesKey struct{}

func (p *phases) dialling(at time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialStart, p.dialled = at, true
}

func (p *phases) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.conn, _ = i.Conn.(*wireConn)
			p.conn.begin()
			p.reused, p.connected, p.wrote = i.Reused, time.Since(p.epoch), false
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err != nil {
				return
			}
			p.mu.Lock()
			p.wrote = true
			conn := p.conn.raw
			p.mu.Unlock()
			p.sent(conn)
		},
		GotFirstResponseByte: func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.conn != nil {
				// net/http looked at the byte without reading on: the last read is the one that brought it
				p.headers, p.read = p.conn.raw.lastRead()
				p.answered = true
			}
		},
	}
}

// tell reports what is known, in order, and returns the connection: nil if there never was one. fresh reports that it
// had to be dialled.
func (p *phases) tell(obs Observer) (conn *wireConn, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh = p.dialled && !p.reused
	if fresh {
		obs.Observe(Event{Kind: ConnectStart, At: p.dialStart})
	}
	if p.conn == nil {
		return nil, fresh
	}
	obs.Observe(Event{Kind: Connected, At: p.connected})
	// A fast answer overtakes net/http's word that the request is out.
	wrote := time.Duration(p.conn.raw.wrote.Load())
	if p.answered { // nor was it out later than that: the writing goroutine got a core too late to stamp it
		wrote = min(wrote, p.headers)
	}
	if (p.wrote || p.answered) && wrote >= p.connected {
		obs.Observe(Event{Kind: Sent, At: wrote})
	}
	if p.answered {
		obs.Observe(Event{Kind: Headers, At: p.headers, Read: p.read})
	}
	return p.conn, fresh
}
