package analyze

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// WorkloadAsSent puts what the scenario asked beside what each block has sent, over the measure phase.
type WorkloadAsSent struct {
	// Asked is absent for a closed loop, which has no schedule, and in records of older versions.
	Asked *workload.Traffic `json:"asked,omitempty"`
	Sent  []SentBlock       `json:"sent"`
}

// SentBlock is what one block has sent, as its rows say.
type SentBlock struct {
	Approach string `json:"approach"`
	Block    int    `json:"block"`
	// Traffic stands on the times at which requests were sent. One that found no connection counts when it asked for
	// one: there the client has done its part.
	workload.Traffic
	// Unsent are the requests that the client never got as far as sending.
	Unsent int `json:"unsent,omitempty"`
	// CountedInput and CountedOutput are the lengths of the successful requests as the server counted them, the output by
	// stream events where it did not.
	CountedInput  *workload.TokenLengths `json:"counted_input,omitempty"`
	CountedOutput *workload.TokenLengths `json:"counted_output,omitempty"`
	// Calibration is how the server was found to count prompts before the block, where the scenario wants them as long as
	// that (prompts.calibrate).
	Calibration *measure.Calibration `json:"calibration,omitempty"`
	// CachedShare is the share of the prompt tokens that the server took from its cache, over the successful requests for
	// which it says so. Nil where it says nothing.
	CachedShare *float64 `json:"cached_share,omitempty"`
	// Differences are the figures that are not what was asked, beyond chance.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a figure that chance does not explain.
type Difference struct {
	Figure string            `json:"figure"` // as in "idc 10s" or "input p50"
	Asked  workload.Estimate `json:"asked"`
	Sent   float64           `json:"sent"`
	// Counted: by the server's count, which need not be the workload's.
	Counted bool `json:"counted,omitempty"`
}

// sentLog collects the measure phase of one block. It holds 8 bytes per request, and the lengths as counts.
type sentLog struct {
	block                                      *measure.BlockRecord
	times                                      []time.Duration
	unsent                                     int
	input, output, countedInput, countedOutput workload.LengthCounts
	cached, counted                            int64 // prompt tokens of the requests that tell
	cacheable, asked                           int64 // prompt tokens sent
}

func newSentLog(b *measure.BlockRecord) *sentLog {
	return &sentLog{block: b, input: workload.LengthCounts{}, output: workload.LengthCounts{}, countedInput: workload.LengthCounts{}, countedOutput: workload.LengthCounts{}}
}

func (l *sentLog) add(s *measure.Sample) {
	if at, ok := left(s).Get(); ok {
		l.times = append(l.times, at)
		asked(l.input, s.AskedInput)
		l.cacheable += int64(s.Cacheable)
		l.asked += int64(s.AskedInput)
		asked(l.output, s.AskedOutput)
	} else {
		l.unsent++
	}
	if !s.OK() {
		return
	}
	if s.InputTokens != nil {
		l.countedInput.Add(*s.InputTokens)
		if s.CachedInput != nil {
			l.cached += int64(*s.CachedInput)
			l.counted += int64(*s.InputTokens)
		}
	}
	if s.OutputTokens != nil {
		l.countedOutput.Add(*s.OutputTokens)
	}
}

// asked counts a length that was asked for; 0 is left to the server.
func asked(c workload.LengthCounts, tokens int) {
	if tokens > 0 {
		c.Add(tokens)
	}
}

// left is when the client had done its part of a request; missing where it never did.
func left(s *measure.Sample) measure.Stamp {
	switch {
	case s.Sent.Known():
		return s.Sent
	case s.Class == endpoint.ClientLimit:
		return measure.Stamp{}
	case s.ConnectStart.Known():
		return s.ConnectStart
	case s.Connected.Known():
		return s.Connected
	case s.Class == endpoint.ConnectFailed || s.Class == endpoint.TLSFailed || s.Class == endpoint.TimeoutConnect:
		return s.Dispatched
	}
	return measure.Stamp{}
}

// sent describes the block. A block that was cut short ends for it with the last request that was due, at the time end.
func (l *sentLog) sent(sc *workload.Scenario, end time.Duration) SentBlock {
	p := sc.Phases
	to := p.Horizon().D()
	if l.block.State != measure.Complete {
		to = min(to, end)
	}
	b := SentBlock{Approach: l.block.Approach, Block: l.block.Index, Unsent: l.unsent,
		Traffic:     *workload.DescribeTraffic(l.times, p.Warmup.D(), to, l.input, l.output),
		Calibration: l.block.Calibration, CountedInput: l.countedInput.Describe(), CountedOutput: l.countedOutput.Describe()}
	if l.asked > 0 && sc.Prompts.Predictable() {
		b.CacheableShare = new(float64(l.cacheable) / float64(l.asked))
	}
	if l.counted > 0 {
		b.CachedShare = new(float64(l.cached) / float64(l.counted))
	}
	return b
}

// Compare lists the differences from what was asked.
func (b *SentBlock) Compare(asked *workload.Traffic) {
	differ := func(figure string, asked, sent *workload.Estimate, counted bool) {
		if asked != nil && sent != nil && !asked.Holds(sent.Value) {
			b.Differences = append(b.Differences, Difference{Figure: figure, Asked: *asked, Sent: sent.Value, Counted: counted})
		}
	}
	lengths := func(name string, asked, sent *workload.TokenLengths, counted bool) {
		if asked == nil || sent == nil {
			return
		}
		differ(name+" mean", &asked.Mean, &sent.Mean, counted)
		differ(name+" p10", asked.P10, sent.P10, counted)
		differ(name+" p50", asked.P50, sent.P50, counted)
		differ(name+" p90", asked.P90, sent.P90, counted)
		differ(name+" p99", asked.P99, sent.P99, counted)
	}
	differ("rate", &asked.Rate, &b.Rate, false)
	differ("cv", asked.CV, b.CV, false)
	for i := range min(len(asked.IDC), len(b.IDC)) {
		differ(fmt.Sprintf("idc %gs", asked.IDC[i].Seconds), &asked.IDC[i].Estimate, &b.IDC[i].Estimate, false)
	}
	lengths("input", asked.Input, b.Input, false)
	lengths("output", asked.Output, b.Output, false)
	lengths("input", asked.Input, b.CountedInput, true)
	lengths("output", asked.Output, b.CountedOutput, true)
}

// workloadAsSent describes and compares every block that went through; one that was cut short is only described.
func workloadAsSent(m *measure.Manifest, logs []*sentLog, ends map[int]float64) *WorkloadAsSent {
	w := &WorkloadAsSent{Asked: m.Asked, Sent: []SentBlock{}}
	for _, l := range logs {
		b := l.sent(m.Scenario, time.Duration(ends[l.block.Index]*1e9))
		if m.Asked != nil && l.block.State == measure.Complete {
			b.Compare(m.Asked)
		}
		w.Sent = append(w.Sent, b)
	}
	return w
}

// sent says where a block's traffic is not what the scenario asked. The requests that are sent are those of the schedule
// and not a sample of them: what differs beyond chance is another workload. What the server counts is a remark: its
// tokens are its own, and it may end an answer early.
func (a *audit) sent(w *WorkloadAsSent, p *workload.Prompts) {
	for i := range w.Sent {
		b := &w.Sent[i]
		a.cache(b, p)
		var found []string
		for _, d := range b.Differences {
			if !d.Counted {
				found = append(found, fmt.Sprintf("%s %.4g, asked %.4g (%.4g to %.4g)", d.Figure, d.Sent, d.Asked.Value, d.Asked.Low, d.Asked.High))
			}
		}
		if len(found) > 0 {
			a.add(Suspect, "workload_as_sent", "%s: what was sent is not what the scenario asks, by more than chance: %s; connections that took their time (connections.prewarm opens them ahead), a late client or lost requests have changed the load, so its latencies are those of another workload",
				b.Approach, strings.Join(found, "; "))
		}
		a.promptLengths(b, w.Asked)
	}
}

// promptLengths holds the prompts' lengths as the server counted them against what was asked for: closely where they were
// built by its own count.
func (a *audit) promptLengths(b *SentBlock, asked *workload.Traffic) {
	c := b.Calibration
	if c != nil && c.Line == nil {
		hint := ""
		if c.Source != "usage" {
			hint = "; calibrate: usage can ask every server that reports usage"
		}
		a.add(Valid, "calibration", "%s: its prompts are as long as the workload counts, and not as the server does, which could not be told (prompts.calibrate, %s): %s%s", b.Approach, c.Source, c.Problem, hint)
	}
	if asked == nil || asked.Input == nil || b.CountedInput == nil {
		return
	}
	off := b.CountedInput.Mean.Value - asked.Input.Mean.Value
	share := off / asked.Input.Mean.Value
	if c != nil && c.Line != nil {
		if math.Abs(off) > max(calibratedTokens, calibratedMismatch*asked.Input.Mean.Value) {
			a.add(Valid, "input_length", "%s: the server counted %+.1f%% as many prompt tokens as were asked for, although the prompts were built by its own count (prompts.calibrate): prompts that ask for less than %d, or than a system message has, cannot be built, failed requests may be those of one length, or it counts the texts of the run otherwise than those of the calibration; see the workload as sent", b.Approach, 100*share, c.Line.Least())
		}
		return
	}
	if math.Abs(share) > lengthMismatch && !asked.Input.Mean.Holds(b.CountedInput.Mean.Value) {
		a.add(Valid, "input_length", "%s: the server counted %+.0f%% as many prompt tokens as were asked for: its tokenizer is not the workload's, or it adds a template (prompts.calibrate builds prompts by its own count); see the workload as sent", b.Approach, 100*share)
	}
}

// cache holds what the server took from its prefix cache against what the shared texts let an unlimited one take. A server
// caches whole blocks of tokens and may forget, so that it can take a little less; it can take more only by what the
// scenario does not know of.
func (a *audit) cache(b *SentBlock, p *workload.Prompts) {
	if p.Shared == nil || b.CacheableShare == nil || b.CountedInput == nil {
		return
	}
	expected := *b.CacheableShare
	switch got := b.CachedShare; {
	case got == nil:
		a.add(Valid, "prefix_share", "%s: the server does not say what it took from a prefix cache: whether the %.0f%% of the prompt tokens that could come from one did cannot be told", b.Approach, 100*expected)
	case *got > expected+cachedShare:
		verdict := Suspect
		if p.Cache == "allowed" { // then another approach or block may have brought them
			verdict = Valid
		}
		a.add(verdict, "cache_hits", "%s: the server took %.0f%% of the prompt tokens from its cache, and the shared texts explain %.0f%%: it was warm from something else, and TTFT looks better than it is", b.Approach, 100**got, 100*expected)
	case *got < expected-cachedShare:
		a.add(Valid, "prefix_share", "%s: the server took %.0f%% of the prompt tokens from its cache, and an unlimited one would take %.0f%%: it has no prefix cache, a small one, or requests of a group came before the first was computed", b.Approach, 100**got, 100*expected)
	}
}
