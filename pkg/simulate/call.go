package simulate

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// serve answers a request in the language of an API.
func (s *Server) serve(l *language) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		received := time.Now()
		if err != nil {
			l.refuse(w, http.StatusBadRequest, "invalid_request_error", "the body could not be read: "+err.Error())
			return
		}
		asked, err := l.parse(r, body)
		if err == nil {
			err = asked.check()
		}
		if err != nil {
			l.refuse(w, http.StatusBadRequest, "invalid_request_error", err.Error())
			return
		}
		s.beginFaults(received)
		c := &call{server: s, w: w, flush: http.NewResponseController(w), language: l, asked: asked,
			job: asked.job(&s.sim), received: received}
		s.loop.do(func(m *model) { m.submit(received.Sub(s.loop.base), c.job) })
		c.id = requestID(r.Header.Get("X-Request-Id"), c.job.seq)
		c.truth = Truth{ID: c.id, Received: received, InputTokens: c.job.input}
		c.speech = asked.speak(c)
		w.Header().Set("X-Request-Id", c.id)
		c.serve(r.Context().Done())
	}
}

// requestID is the client's own name for the request, if it is one that can be shown anywhere.
func requestID(own string, seq uint64) string {
	if len(own) == 0 || len(own) > 128 {
		return fmt.Sprintf("sim-%08x", seq)
	}
	for _, b := range []byte(own) {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return fmt.Sprintf("sim-%08x", seq)
		}
	}
	return own
}

// call is one request under way.
type call struct {
	server   *Server
	w        http.ResponseWriter
	flush    *http.ResponseController
	language *language
	asked    *asked
	speech   speech
	job      *job
	id       string
	received time.Time
	truth    Truth
	buf      []byte // of the last write
	sent     int    // tokens written
}

// serve writes emissions as they come due, until the last or until the client leaves.
func (c *call) serve(gone <-chan struct{}) {
	var spare []emission
	for {
		select {
		case <-c.job.out.wake:
		case <-gone:
			c.leave()
			return
		case <-c.server.closing:
			c.leave()
			panic(http.ErrAbortHandler) // break off the answer: a clean end would look whole
		}
		pending := c.job.out.take(spare)
		for _, e := range pending {
			if err := c.emit(e); err != nil {
				c.leave()
				return
			}
			if e.last {
				return
			}
		}
		spare = pending
	}
}

// leave records a request that nobody waits for any more, and frees its slot.
func (c *call) leave() {
	l := c.server.loop
	l.do(func(m *model) {
		if c.job.state != jobDone {
			c.truth.Outcome = OutcomeCancelled
		} else {
			c.truth.Outcome = c.job.outcome
		}
		c.progress()
		m.cancel(time.Since(l.base), c.job)
	})
	c.server.record(c.truth)
}

// progress takes what the model knows of the request.
func (c *call) progress() {
	t, j := &c.truth, c.job
	at := func(d time.Duration) time.Time { return c.server.loop.base.Add(d) }
	t.Arrived = at(j.arrived)
	t.CachedTokens = j.cached
	if j.stage >= jobPrefill {
		t.Admitted = at(j.admitted)
		t.Queue = j.admitted - j.arrived
	}
	if j.stage >= jobDecode {
		t.PrefillDone = at(j.prefillDone)
		t.Prefill = j.prefillDone - j.admitted
	}
	if !t.FirstToken.IsZero() {
		t.Decode = t.LastToken.Sub(t.FirstToken)
	}
}

// emit writes what is due.
func (c *call) emit(e emission) error {
	switch {
	case e.kind == emitHead:
		return c.head()
	case e.kind == emitReject:
		c.stampLag(e, time.Now())
		c.conclude()
		c.reject()
		return nil
	}
	tokens := e.upTo - c.sent
	if c.asked.stream {
		now := time.Now()
		c.stamp(e, now, tokens)
		return c.stream(e, tokens)
	}
	c.stamp(e, time.Time{}, tokens)
	if !e.last {
		c.sent = e.upTo
		return nil
	}
	c.writtenAtOnce(e)
	c.sent = e.upTo
	c.conclude()
	return c.whole()
}

// stamp records the tokens of an emission; written is zero where they are not written yet.
func (c *call) stamp(e emission, written time.Time, tokens int) {
	if !written.IsZero() {
		c.stampLag(e, written)
	}
	if tokens == 0 {
		return
	}
	t := &c.truth
	due := c.server.loop.base.Add(e.due)
	if c.sent == 0 {
		t.FirstToken, t.FirstWritten = due, written
	}
	t.LastToken, t.LastWritten = due, written
	t.OutputTokens = e.upTo
	if c.server.opts.TokenTimes {
		for range tokens {
			t.TokenTimes = append(t.TokenTimes, due.Sub(c.received))
			if !written.IsZero() {
				t.WriteTimes = append(t.WriteTimes, written.Sub(c.received))
			}
		}
	}
}

func (c *call) stampLag(e emission, written time.Time) {
	c.truth.Lag = max(c.truth.Lag, written.Sub(c.server.loop.base.Add(e.due)))
}

// writtenAtOnce stamps an answer that goes out in one write.
func (c *call) writtenAtOnce(e emission) {
	t, now := &c.truth, time.Now()
	c.stampLag(e, now)
	if t.OutputTokens == 0 {
		return
	}
	t.FirstWritten, t.LastWritten = now, now
	if c.server.opts.TokenTimes {
		for range t.OutputTokens {
			t.WriteTimes = append(t.WriteTimes, now.Sub(c.received))
		}
	}
}

// conclude records the request just before the client can see its end.
func (c *call) conclude() {
	c.truth.Outcome = c.job.outcome
	c.progress()
	c.server.record(c.truth)
}
