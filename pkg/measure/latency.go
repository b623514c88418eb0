package measure

import (
	"iter"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// OK reports success: a complete answer with generated text.
func (s *Sample) OK() bool { return s.Class == endpoint.OK }

// Latencies yields the request's own latencies by the definitions of design.md section 3: all that are defined for a
// successful request, and only the send delay for a failed one.
func (s *Sample) Latencies() iter.Seq2[workload.Metric, time.Duration] {
	return func(yield func(workload.Metric, time.Duration) bool) {
		for _, m := range workload.Metrics() {
			if d, ok := s.Latency(m); ok && !yield(m, d) {
				return
			}
		}
	}
}

// Latency is one latency of the request and whether it is defined: not every request has each, and ITL and chunk gap
// are not values of a request.
func (s *Sample) Latency(m workload.Metric) (time.Duration, bool) {
	if m == workload.SendDelay {
		return s.Sent.Sub(s.Scheduled).Get()
	}
	if !s.OK() {
		return 0, false
	}
	switch m {
	case workload.TTFT:
		return s.FirstToken.Sub(s.Scheduled).Get()
	case workload.ServiceTTFT:
		return s.FirstToken.Sub(s.Sent).Get()
	case workload.TTFVT:
		return s.FirstVisible.Sub(s.Scheduled).Get()
	case workload.TPOT:
		return s.tpot()
	case workload.Stall:
		return s.MaxGap.Get()
	case workload.E2E:
		return s.Done.Sub(s.Scheduled).Get()
	case workload.ServerQueue:
		return s.ServerQueue.Get()
	case workload.QueueingDelay:
		return s.queueingDelay()
	}
	return 0, false
}

// tpot is (last token - first token) / (output tokens - 1), undefined for fewer than two tokens.
func (s *Sample) tpot() (time.Duration, bool) {
	span, ok := s.LastToken.Sub(s.FirstToken).Get()
	n := s.streamedTokens()
	if !ok || n < 2 || s.Chunks < 2 {
		return 0, false
	}
	return span / time.Duration(n-1), true
}

// streamedTokens is the number of output tokens between the first and the last token on the wire: reasoning that was
// counted but never streamed happened before the first.
func (s *Sample) streamedTokens() int {
	if s.OutputTokens == nil {
		return 0
	}
	n := *s.OutputTokens
	if s.Reasoning != nil && !s.ReasoningSeen {
		n -= *s.Reasoning
	}
	return n
}

// SeveralPerChunk reports that some chunks held more than one token. One token more than chunks does not say so: most
// servers count the end of the sequence as a token, and it has no text.
func (s *Sample) SeveralPerChunk() bool { return s.Chunks > 0 && s.streamedTokens() > s.Chunks+1 }

// tokensPerChunk is how many tokens a chunk held on average.
func (s *Sample) tokensPerChunk() float64 {
	if !s.SeveralPerChunk() {
		return 1
	}
	return float64(s.streamedTokens()) / float64(s.Chunks)
}

// queueingDelay is the send delay and the queue that the server reports. Without a report it is unknown: never
// guessed, never 0.
func (s *Sample) queueingDelay() (time.Duration, bool) {
	delay, sent := s.Sent.Sub(s.Scheduled).Get()
	queue, reported := s.ServerQueue.Get()
	return delay + queue, sent && reported
}

// Lag is how late the generator itself was: dispatched - scheduled.
func (s *Sample) Lag() (time.Duration, bool) { return s.Dispatched.Sub(s.Scheduled).Get() }
