package endpoint

import (
	"bytes"
	"math"
	"time"

	"github.com/tidwall/gjson"
)

// takeUsage reads an OpenAI usage object. Cached tokens are inside prompt_tokens, reasoning inside completion_tokens.
// A later object wins field by field: servers repeat it, growing.
func takeUsage(u *Usage, raw []byte) {
	if raw == nil {
		return
	}
	takeCount(&u.Input, raw, "prompt_tokens")
	takeCount(&u.CachedInput, raw, "prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens")
	takeCount(&u.Output, raw, "completion_tokens")
	takeCount(&u.Reasoning, raw, "completion_tokens_details.reasoning_tokens", "reasoning_tokens")
}

// takeCount reads the first of these fields that holds a number of tokens.
func takeCount(dst **int, raw []byte, paths ...string) {
	for _, p := range paths {
		if setCount(dst, gjson.GetBytes(raw, p)) {
			return
		}
	}
}

// maxCount is the largest number that is taken for a count: sums of a few are far from overflow.
const maxCount = min(1<<53, math.MaxInt/8)

// runningCount tells the tokens of each chunk where the server does: it lists their ids, or sends with every chunk a
// count that grows (vLLM: return_token_ids, continuous_usage_stats; llama.cpp: timings_per_token).
type runningCount struct {
	before int  // tokens of the chunks so far
	lost   bool // a chunk did not tell: the next usage holds the tokens of more than one
}

// of is the number of tokens in a chunk that carries some, 0 where it cannot be known.
func (r *runningCount) of(chunk *chatChunk) int {
	n := chunk.ids
	if n > 0 {
		r.before += n
		return n
	}
	if r.lost {
		return 0
	}
	total := gjson.GetBytes(chunk.usage, "completion_tokens")
	if !total.Exists() {
		total = gjson.GetBytes(chunk.timings, "predicted_n")
	}
	return r.grown(int(total.Int()), total.Type == gjson.Number)
}

// grown is the number of tokens in a chunk that carries some and tells the total so far.
func (r *runningCount) grown(total int, told bool) int {
	r.lost = r.lost || !told
	if r.lost {
		return 0
	}
	n := max(0, total-r.before)
	r.before += n
	return n
}

// takeTiming reads what servers say of themselves in the stream.
func takeTiming(t *ServerTiming, usage, timings, metrics, groq []byte) {
	set := func(dst **time.Duration, raw []byte, path string, unit time.Duration) {
		setTime(dst, gjson.GetBytes(raw, path), unit)
	}
	switch {
	case timings != nil: // llama.cpp: no queue among them
		t.Source = "llama.cpp timings"
		set(&t.Prefill, timings, "prompt_ms", time.Millisecond)
		set(&t.Decode, timings, "predicted_ms", time.Millisecond)
	case metrics != nil: // vLLM --enable-per-request-metrics: its TTFT starts when the request is scheduled
		t.Source = "vLLM metrics"
		set(&t.Queue, metrics, "queue_time_ms", time.Millisecond)
		set(&t.Prefill, metrics, "time_to_first_token_ms", time.Millisecond)
		set(&t.Decode, metrics, "generation_time_ms", time.Millisecond)
	case groq != nil:
		takeTiming(t, []byte(gjson.GetBytes(groq, "usage").Raw), nil, nil, nil)
	case bytes.Contains(usage, []byte(`"queue_time"`)):
		t.Source = "Groq usage"
		set(&t.Queue, usage, "queue_time", time.Second)
		set(&t.Prefill, usage, "prompt_time", time.Second)
		set(&t.Decode, usage, "completion_time", time.Second)
	}
}

// setCount takes a number of tokens, and reports whether it is one.
func setCount(dst **int, v gjson.Result) bool {
	if v.Type != gjson.Number || v.Num < 0 || v.Num > maxCount {
		return false
	}
	n := int(v.Num)
	*dst = &n
	return true
}

// setTime takes a time that is given in a unit, where it is one.
func setTime(dst **time.Duration, v gjson.Result, unit time.Duration) {
	if v.Type == gjson.Number && v.Num >= 0 {
		d := time.Duration(math.Round(v.Num * float64(unit))) // 32.0594 ms is a hair below itself in binary
		*dst = &d
	}
}

// errorMessage finds the words in an error value or in an error response's body.
func errorMessage(raw []byte) string {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		return unquote(raw)
	}
	for _, path := range []string{"error.message", "message", "error.detail", "detail", "error", "error_type"} {
		if v := gjson.GetBytes(raw, path); v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return string(raw)
}
