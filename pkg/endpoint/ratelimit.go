package endpoint

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RateLimit is what a refusal (429) said of one of the server's limits. A nil field was not reported.
type RateLimit struct {
	Of        string         `json:"of"` // requests, tokens, input-tokens or output-tokens
	Limit     *int64         `json:"limit,omitempty"`
	Remaining *int64         `json:"remaining,omitempty"`
	Reset     *time.Duration `json:"reset,omitempty"` // ns from the answer until the limit is whole again
}

// rateLimits reads the headers in which vendors tell them: x-ratelimit-{limit,remaining,reset}-KIND, as OpenAI has them and
// most others after it, and anthropic-ratelimit-KIND-{limit,remaining,reset}.
func rateLimits(h http.Header, now time.Time) (limits []RateLimit) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the server's clock, of which its answer speaks
	}
	for _, kind := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		field := func(what string) string {
			v := h.Get("X-Ratelimit-" + what + "-" + kind)
			if v == "" {
				v = h.Get("Anthropic-Ratelimit-" + kind + "-" + what)
			}
			return strings.TrimSpace(v)
		}
		l := RateLimit{Of: kind, Limit: quantity(field("limit")), Remaining: quantity(field("remaining")), Reset: resetIn(field("reset"), now)}
		if l.Limit != nil || l.Remaining != nil || l.Reset != nil {
			limits = append(limits, l)
		}
	}
	return limits
}

// quantity reads a count; nil where there is none. Some servers write -1 for one that they do not know.
func quantity(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// resetIn reads when a limit is whole again: a duration (12ms, 6m0s), a number of seconds, or a time (RFC 3339).
func resetIn(s string, now time.Time) *time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		if t, terr := time.Parse(time.RFC3339, s); terr == nil {
			d, err = max(0, t.Sub(now)), nil
		}
	}
	if seconds, nerr := strconv.ParseFloat(s, 64); nerr == nil && seconds < 1e6 { // beyond that it is no span but a date
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d < 0 {
		return nil
	}
	return &d
}
