package measure

import (
	"math"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
)

// recorder folds the events of one request into its sample, on whatever goroutine reads them. Memory per request grows
// with its content-bearing reads up to a bound (gapList).
type recorder struct {
	sample   *Sample
	lastRead uint32
	lastAt   time.Duration // of the last content-bearing read
	offset   time.Duration // endpoint epoch - block epoch
	counted  bool          // the wire told the tokens of an event
	count    *counters     // of the block
	answered func()        // called at the first token; may be nil
}

// Observe implements endpoint.Observer.
func (r *recorder) Observe(e endpoint.Event) {
	s := r.sample
	at := At(e.At + r.offset)
	switch e.Kind {
	case endpoint.ConnectStart:
		s.ConnectStart = at
	case endpoint.Connected:
		s.Connected = at
	case endpoint.Sent:
		s.Sent = at
		r.count.sent.Add(1)
	case endpoint.Headers:
		s.Headers = at
	case endpoint.Comment:
		s.Comments++
	case endpoint.Other:
		r.event(at)
	case endpoint.Reasoning, endpoint.Answer, endpoint.Tool:
		r.event(at)
		r.token(e, at)
	case endpoint.Done:
		s.Done = at
	}
}

func (r *recorder) event(at Stamp) {
	r.sample.Events++
	r.count.events.Add(1)
	if !r.sample.FirstEvent.Known() {
		r.sample.FirstEvent = at
	}
}

// token folds one event that carries generated text. Events of one read are one chunk gap: their tokens came
// together, and the time between them is not the server's.
func (r *recorder) token(e endpoint.Event, at Stamp) {
	s := r.sample
	tokens := int32(max(e.Tokens, 1))
	s.Chunks++
	s.LastToken = at
	s.ReasoningSeen = s.ReasoningSeen || e.Kind == endpoint.Reasoning
	r.counted = r.counted || e.Tokens > 0
	if e.Kind == endpoint.Answer && !s.FirstVisible.Known() {
		s.FirstVisible = at
	}
	if !s.FirstToken.Known() {
		s.FirstToken = at
		s.late = e.Late
		s.Reads++
		if r.answered != nil {
			r.answered()
		}
	} else if e.Read != r.lastRead {
		ns := int64(e.At - r.lastAt)
		s.Reads++
		s.gaps.add(gap{ns: ns, tokens: tokens, lateUs: int32(min(e.Late.Microseconds(), math.MaxInt32))})
		if d := time.Duration(ns); !s.MaxGap.Known() || d > time.Duration(s.MaxGap.ns) {
			s.MaxGap = At(d)
		}
	} else {
		s.gaps.join(tokens)
	}
	r.lastRead, r.lastAt = e.Read, e.At
}

// finish copies what is known at the end.
func (r *recorder) finish(res *endpoint.Result) {
	s := r.sample
	s.Class, s.Error, s.Status, s.Finish = res.Class, res.Error, res.Status, res.Finish
	s.RetryAfter, s.Protocol, s.UnknownEvents = res.RetryAfter, res.Protocol, res.UnknownEvents
	s.RequestID, s.Stamps, s.RateLimits = res.RequestID, res.Stamps, res.RateLimits
	s.InputTokens, s.CachedInput = res.Usage.Input, res.Usage.CachedInput
	s.OutputTokens, s.Reasoning = res.Usage.Output, res.Usage.Reasoning
	switch {
	case s.OutputTokens != nil:
		s.Basis = BasisUsage
	case s.Chunks > 0:
		n := s.Chunks
		s.OutputTokens, s.Basis = &n, BasisChunks
	}
	if !r.counted {
		s.spread = s.tokensPerChunk()
	}
	s.ServerSource = res.Server.Source
	s.ServerQueue = optional(res.Server.Queue)
	s.ServerPrefill = optional(res.Server.Prefill)
	s.ServerDecode = optional(res.Server.Decode)
	s.ServerTotal = optional(res.Server.Total)
	s.SetUpDNS, s.SetUpTCP = optional(res.SetUp.DNS), optional(res.SetUp.TCP)
	s.SetUpProxy, s.SetUpTLS = optional(res.SetUp.Proxy), optional(res.SetUp.TLS)
}

// Where a token count comes from.
const (
	BasisUsage  = "usage"
	BasisChunks = "chunks"
)

func optional(d *time.Duration) Stamp {
	if d == nil {
		return Stamp{}
	}
	return At(*d)
}
