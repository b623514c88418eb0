package endpoint

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The forms in which vendors write their limits, by their documentation.
func TestRateLimits(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		header map[string]string
		want   string
	}{
		{"none", nil, `null`},
		{"OpenAI", map[string]string{"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms",
			"x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6m0s"},
			`[{"of":"requests","limit":60,"remaining":0,"reset":12000000},{"of":"tokens","limit":150000,"remaining":149984,"reset":360000000000}]`},
		{"Groq", map[string]string{"x-ratelimit-reset-requests": "2m59.56s"}, `[{"of":"requests","reset":179560000000}]`},
		{"seconds", map[string]string{"x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "1.5"}, `[{"of":"tokens","remaining":7,"reset":1500000000}]`},
		{"Anthropic", map[string]string{"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49", "anthropic-ratelimit-requests-reset": "2026-01-02T03:04:07Z",
			"anthropic-ratelimit-output-tokens-remaining": "8000", "anthropic-ratelimit-output-tokens-reset": "2026-01-02T03:04:00Z"},
			`[{"of":"requests","limit":50,"remaining":49,"reset":2000000000},{"of":"output-tokens","remaining":8000,"reset":0}]`},
		{"the server's clock", map[string]string{"date": "Fri, 02 Jan 2026 03:00:00 GMT", "anthropic-ratelimit-tokens-reset": "2026-01-02T03:00:30Z"}, `[{"of":"tokens","reset":30000000000}]`},
		{"not known", map[string]string{"x-ratelimit-remaining-requests": "-1", "x-ratelimit-limit-tokens": "many", "x-ratelimit-reset-tokens": "soon"}, `null`},
		{"a date in seconds", map[string]string{"x-ratelimit-reset-requests": "1767323045", "x-ratelimit-remaining-requests": "1"}, `[{"of":"requests","remaining":1}]`},
		{"no span", map[string]string{"x-ratelimit-reset-requests": "-1s", "x-ratelimit-reset-tokens": "NaN"}, `null`},
	} {
		h := http.Header{}
		for name, value := range tt.header {
			h.Set(name, value)
		}
		if got, err := json.Marshal(rateLimits(h, now)); err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// They are kept of a refusal, and of nothing else.
func TestRateLimitsOfARefusal(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusInternalServerError} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-ratelimit-remaining-requests", "0")
			w.WriteHeader(code)
		}))
		for _, reference := range []bool{false, true} {
			e := onLoopback(t, s.URL, func(c *Config) { c.Reference = reference })
			r := e.Do(t.Context(), &testRequest, &events{})
			if limited := code == http.StatusTooManyRequests; len(r.RateLimits) > 0 != limited || limited && *r.RateLimits[0].Remaining != 0 {
				t.Errorf("%d: %+v", code, r)
			}
			e.Close()
		}
		s.Close()
	}
}
