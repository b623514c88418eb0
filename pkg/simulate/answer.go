package simulate

import (
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// head sends the head of a stream. An answer in one piece has its head with it.
func (c *call) head() error {
	if !c.asked.stream {
		return nil
	}
	h := c.w.Header()
	h.Set("Content-Type", c.speech.mime())
	h.Set("Cache-Control", "no-cache")
	c.w.WriteHeader(http.StatusOK)
	return c.flush.Flush()
}

// reject writes an answer that never saw the queue.
func (c *call) reject() {
	switch c.job.outcome {
	case OutcomeRateLimited:
		h := c.w.Header()
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(c.job.retry.Seconds()))))
		h.Set("Retry-After-Ms", strconv.FormatInt(int64((c.job.retry+time.Millisecond-1)/time.Millisecond), 10))
		c.language.refuse(c.w, http.StatusTooManyRequests, "rate_limit_error", "simulated rate limit reached")
	case OutcomeQueueFull:
		c.language.refuse(c.w, http.StatusServiceUnavailable, "overloaded_error", "simulated queue is full")
	case faultHTTP503:
		c.language.refuse(c.w, http.StatusServiceUnavailable, "server_error", "injected fault http_503")
	case faultErrorBody:
		c.language.refuse(c.w, http.StatusOK, "server_error", "injected fault error_body")
	default:
		c.language.refuse(c.w, http.StatusInternalServerError, "server_error", "injected fault "+c.job.outcome)
	}
}

// stream writes one emission of a streamed answer: one event per step, in one write.
func (c *call) stream(e emission, tokens int) error {
	b := c.buf[:0]
	if c.sent == 0 {
		b = c.speech.open(b)
	}
	if tokens > 0 {
		b = c.speech.tokens(b, c.sent, e.upTo)
	}
	c.sent = e.upTo
	if e.last {
		// The record must be there before the client can see that its last token was the last.
		c.conclude()
	}
	if err := c.write(b); err != nil || !e.last {
		if e.last {
			return nil // recorded already; nobody is left to tell
		}
		return err
	}
	_ = c.end() // as above
	return nil
}

func (c *call) write(b []byte) error {
	c.buf = b
	if _, err := c.w.Write(b); err != nil {
		return err
	}
	return c.flush.Flush()
}

// end writes what follows the last token.
func (c *call) end() error {
	b := c.buf[:0]
	switch c.job.outcome {
	case faultErrorEvent:
		b = c.speech.fail(b, "injected fault error_event")
	case faultTruncate:
		return nil
	case faultMalformed:
		b = c.speech.garble(b)
	case faultReset:
		c.reset()
		return nil
	default:
		b = c.speech.close(b)
	}
	return c.write(b)
}

// reset breaks the connection: over TCP the client sees a reset, elsewhere a torn answer.
func (c *call) reset() {
	conn, _, err := c.flush.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // only makes the end less abrupt
	}
	_ = conn.Close()
}

// whole writes an answer that is not streamed.
func (c *call) whole() error {
	if c.job.outcome == faultReset {
		c.reset()
		return nil
	}
	if c.job.outcome == faultErrorEvent {
		c.language.refuse(c.w, http.StatusOK, "server_error", "injected fault error_event")
		return nil
	}
	b := c.speech.whole(nil)
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	switch c.job.outcome {
	case faultTruncate: // net/http closes the connection over the missing half
		b = b[:len(b)/2]
	case faultMalformed:
		b = b[:len(b)/2]
		c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	}
	_ = c.write(b) // recorded already; nobody is left to tell
	return nil
}

// report is what the answer says of the server's own times, as a member of its last object; empty where nothing.
func (c *call) report(b []byte) []byte {
	t := &c.truth
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	ratio := func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return a / b
	}
	n := float64(t.OutputTokens)
	var name string
	var fields any
	switch c.server.sim.Report {
	case reportVLLM:
		name = "metrics"
		m := map[string]float64{"queue_time_ms": ms(t.Queue), "time_to_first_token_ms": ms(t.Prefill), "generation_time_ms": ms(t.Decode)}
		if n > 1 {
			m["mean_itl_ms"] = ms(t.Decode) / (n - 1)
			m["tokens_per_second"] = ratio(n-1, t.Decode.Seconds())
		}
		fields = m
	case reportLlamaCPP:
		name = "timings"
		prompt := float64(t.InputTokens - t.CachedTokens)
		fields = map[string]float64{
			"cache_n": float64(t.CachedTokens), "prompt_n": prompt, "prompt_ms": ms(t.Prefill),
			"prompt_per_token_ms": ratio(ms(t.Prefill), prompt), "prompt_per_second": ratio(prompt, t.Prefill.Seconds()),
			"predicted_n": n, "predicted_ms": ms(t.Decode),
			"predicted_per_token_ms": ratio(ms(t.Decode), n), "predicted_per_second": ratio(n, t.Decode.Seconds()),
		}
	default:
		return b
	}
	v, err := json.Marshal(fields)
	if err != nil {
		return b // a float that JSON lacks: impossible by the checks above
	}
	b = append(b, `,"`+name+`":`...)
	return append(b, v...)
}
