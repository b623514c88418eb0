package simulate

import "sync"

// stream hands emissions from the loop to the goroutine that writes them. The loop never waits for a slow client.
type stream struct {
	wake  chan struct{} // holds one token while something is pending
	quiet bool          // wake only for the last emission: an answer that is not streamed

	mu      sync.Mutex
	pending []emission
}

func newStream(quiet bool) *stream { return &stream{wake: make(chan struct{}, 1), quiet: quiet} }

func (s *stream) push(e emission) {
	s.mu.Lock()
	s.pending = append(s.pending, e)
	s.mu.Unlock()
	if s.quiet && !e.last {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what is pending, and keeps spare's room for what comes.
func (s *stream) take(spare []emission) []emission {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.pending
	s.pending = spare[:0]
	return got
}
