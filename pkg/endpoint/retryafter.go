package endpoint

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// retryDelay reads when Google says to come again: not in a header but in the error, such as "21s". 0 where it does not.
func retryDelay(body []byte) time.Duration {
	d, err := time.ParseDuration(gjson.GetBytes(body, "error.details.#(retryDelay).retryDelay").Str)
	if err != nil {
		return 0
	}
	return max(0, d)
}

// retryAfter reads every form in which servers say when to come again: retry-after-ms, and Retry-After as seconds,
// fractions of seconds or an HTTP date. 0 when there is none, or none that makes sense.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s > 0 && s < 1e6 {
			return time.Duration(s * float64(time.Second))
		}
		return 0
	}
	if t, err := http.ParseTime(v); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date // the server's clock, of which its answer speaks
		}
		return max(0, t.Sub(now))
	}
	return 0
}
