package endpoint

import (
	"slices"
	"sync"
	"time"
)

// idleLinks are connections that wait for their next request. The last to come is the first to go, as with net/http.
type idleLinks struct {
	mu     sync.Mutex
	links  []idleLink // oldest first
	timer  *time.Timer
	closed bool
}

type idleLink struct {
	link  link
	since time.Time
}

// get takes a link that is still good; nil if there is none.
func (p *idleLinks) get() link {
	for {
		p.mu.Lock()
		n := len(p.links)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		l := p.links[n-1].link
		p.links = slices.Delete(p.links, n-1, n) // which forgets the link
		p.mu.Unlock()
		if l.wake() {
			return l
		}
		l.close()
	}
}

func (p *idleLinks) put(l link) {
	l.rest()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return
	}
	p.links = append(p.links, idleLink{l, time.Now()})
	if p.timer == nil {
		p.timer = time.AfterFunc(idleLimit, p.reap)
	}
}

// reap closes what has waited too long.
func (p *idleLinks) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.links) && time.Since(p.links[old].since) >= idleLimit {
		p.links[old].link.close()
		old++
	}
	p.links = slices.Delete(p.links, 0, old)
	if len(p.links) == 0 || p.closed {
		p.timer = nil
		return
	}
	p.timer.Reset(idleLimit - time.Since(p.links[0].since))
}

func (p *idleLinks) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, l := range p.links {
		l.link.close()
	}
	p.links = nil
}
