package endpoint

import (
	"errors"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// lane is the part of a connection that one request has to itself: all of it under HTTP/1.1, a stream of it under HTTP/2.
type lane interface {
	active
	// readOf is the stamp and the number of the network read that brought the body's byte at this offset. Offsets do not
	// fall from call to call.
	readOf(offset int64) (at time.Duration, read uint32)
	// lastWrite is when the last byte so far was written; 0 before the first.
	lastWrite() time.Duration
}

// phases collects what happens before the response, on goroutines of net/http, so that Do can tell it in order on its
// own.
type phases struct {
	epoch time.Time
	sent  func(active) // called when the last request byte is out

	mu        sync.Mutex
	dialStart time.Duration
	dials     bool
	made      SetUp
	raw       *stampedConn
	shared    *h2Conn // where streams are
	lane      lane
	laned     chan struct{} // closed when lane is known
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
	p.dialStart, p.dials = at, true
}

// dialled takes what the parts of a connection took.
func (p *phases) dialled(made SetUp) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = made
}

func (p *phases) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.reused, p.connected, p.wrote = i.Reused, time.Since(p.epoch), false
			p.lane, p.laned = nil, make(chan struct{})
			switch c := i.Conn.(type) {
			case *wireConn:
				c.begin()
				p.raw, p.lane = c.raw, c
				close(p.laned)
			case *h2Conn:
				p.raw, p.shared = c.raw, c
			}
		},
		// net/http calls it with the lock that it writes a request's head under: the last stream is this one.
		WroteHeaders: func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.shared != nil && p.lane == nil {
				p.lane = p.shared.opened()
				close(p.laned)
			}
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err != nil {
				return
			}
			p.mu.Lock()
			p.wrote = true
			lane := p.lane
			p.mu.Unlock()
			p.sent(lane)
		},
		GotFirstResponseByte: func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.raw != nil {
				// net/http looked at the byte without reading on: the last read is the one that brought it
				p.headers, p.read = p.raw.lastRead()
				p.answered = true
			}
		},
	}
}

// over waits until it is known which lane the answer came on: under HTTP/2 it can overtake the word that its request is
// on the way.
func (p *phases) over() lane {
	p.mu.Lock()
	laned := p.laned
	p.mu.Unlock()
	<-laned
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lane
}

// tell reports what is known, in order. connected reports whether there was a connection, fresh that it had to be
// dialled.
func (p *phases) tell(obs Observer) (connected, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh = p.dials && !p.reused
	if fresh {
		obs.Observe(Event{Kind: ConnectStart, At: p.dialStart})
	}
	if p.raw == nil {
		return false, fresh
	}
	obs.Observe(Event{Kind: Connected, At: p.connected})
	if p.lane != nil {
		// A fast answer overtakes net/http's word that the request is out.
		wrote := p.lane.lastWrite()
		if p.answered { // nor was it out later than that: the writing goroutine got a core too late to stamp it
			wrote = min(wrote, p.headers)
		}
		if (p.wrote || p.answered) && wrote >= p.connected {
			obs.Observe(Event{Kind: Sent, At: wrote})
		}
	}
	if p.answered {
		obs.Observe(Event{Kind: Headers, At: p.headers, Read: p.read})
	}
	return true, fresh
}

// setUp is what a connection that had to be dialled for this request took.
func (p *phases) setUp() SetUp {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reused {
		return SetUp{}
	}
	return p.made
}

// why is what ended a request, where net/http says less or more than that: that a server speaks another protocol, or
// that we do not let it send the request again.
func (p *phases) why(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil {
		return err
	}
	if refused := p.shared.refused(); refused != nil {
		return refused
	}
	_, rest, found := strings.Cut(err.Error(), "cannot retry err [")
	if inner, _, ends := strings.Cut(rest, "] after Request.Body"); found && ends {
		return errors.New(inner)
	}
	return err
}

// end gives the lane up.
func (p *phases) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.lane.(*h2Stream); ok {
		s.end()
	}
}
