package endpoint

import "sync/atomic"

// links finds the sockets of a loop by their keys, whose lower half is the descriptor, without a lock.
type links struct {
	blocks [1 << 10]atomic.Pointer[linkBlock]
}

type linkBlock [1 << 10]atomic.Pointer[socketLink]

// place is where a descriptor's link stands; nil where there is none yet, and make is false, or none at all.
func (t *links) place(fd int, create bool) *atomic.Pointer[socketLink] {
	i := fd >> 10
	if fd < 0 || i >= len(t.blocks) {
		return nil
	}
	b := t.blocks[i].Load()
	if b == nil {
		if !create {
			return nil
		}
		t.blocks[i].CompareAndSwap(nil, new(linkBlock))
		b = t.blocks[i].Load()
	}
	return &b[fd&(len(b)-1)]
}

// put reports false where the descriptor is beyond a million.
func (t *links) put(s *socketLink) bool {
	p := t.place(s.fd, true)
	if p != nil {
		p.Store(s)
	}
	return p != nil
}

// find returns nil where the link is gone, or another has its descriptor.
func (t *links) find(key int64) *socketLink {
	p := t.place(int(key&(1<<32-1)), false)
	if p == nil {
		return nil
	}
	if s := p.Load(); s != nil && s.key == key {
		return s
	}
	return nil
}

// drop reports whether s was there: of several that drop it one is told so.
func (t *links) drop(s *socketLink) bool {
	p := t.place(s.fd, false)
	return p != nil && p.CompareAndSwap(s, nil)
}

// all visits each link that is there.
func (t *links) all(yield func(*socketLink) bool) {
	for i := range t.blocks {
		b := t.blocks[i].Load()
		if b == nil {
			continue
		}
		for j := range b {
			if s := b[j].Load(); s != nil && !yield(s) {
				return
			}
		}
	}
}
