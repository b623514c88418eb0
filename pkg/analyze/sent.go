package analyze

import (
	"fmt"
	"math"
	"slices"
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
	// Outputs holds the answers of each approach against those of the approach with the longest. Absent with one approach.
	Outputs []OutputLengths `json:"outputs,omitempty"`
	// Classes is the same for each traffic class of a mix, in the scenario's order.
	Classes []ClassAsSent `json:"classes,omitempty"`
}

// ClassAsSent puts what was asked of one traffic class beside what each block has sent of it.
type ClassAsSent struct {
	Class string `json:"class"`
	WorkloadAsSent
}

// SentBlock is what one block has sent, as its rows say.
type SentBlock struct {
	Approach string `json:"approach"`
	Block    int    `json:"block"`
	Round    int    `json:"round,omitempty"` // of blocks
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
	caches      cacheFold
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

// sentLog collects the measure phase of one block: of conversations the first turns, which are what the schedule asks for;
// later turns count in the share of a prefix cache only. It holds 8 bytes per request and 16 per answer, and the lengths as
// counts.
type sentLog struct {
	block                                      *measure.BlockRecord
	times                                      []time.Duration
	unsent                                     int
	input, output, countedInput, countedOutput workload.LengthCounts
	caches                                     cacheFold
	cacheable, asked                           int64 // prompt tokens sent
	answers                                    []answer
	basis                                      map[string]bool // of the answers' lengths
	predictable                                bool            // what a cache can do is known
	class                                      string
	classes                                    []*sentLog // of a mix, in the scenario's order
}

func newSentLog(b *measure.BlockRecord, s *workload.Scenario) *sentLog {
	l := &sentLog{block: b, input: workload.LengthCounts{}, output: workload.LengthCounts{}, countedInput: workload.LengthCounts{}, countedOutput: workload.LengthCounts{}, basis: map[string]bool{},
		predictable: s.Prompts.Predictable()}
	for i := range s.Mix {
		c := newSentLog(b, &workload.Scenario{Prompts: s.Mix[i].Prompts})
		c.class = s.Mix[i].Name
		l.classes, l.predictable = append(l.classes, c), l.predictable && c.predictable
	}
	return l
}

func (l *sentLog) add(s *measure.Sample) {
	for _, c := range l.classes {
		if c.class == s.TrafficClass {
			c.add(s)
		}
	}
	at, ok := left(s).Get()
	if ok {
		l.cacheable += int64(s.Cacheable)
		l.asked += int64(s.AskedInput)
	}
	if s.OK() {
		l.caches.add(s)
	}
	if s.Turn > 1 {
		return // answers decided when it came, and how long its prompt is
	}
	if ok {
		l.times = append(l.times, at)
		asked(l.input, s.AskedInput)
		asked(l.output, s.AskedOutput)
	} else {
		l.unsent++
	}
	if !s.OK() {
		return
	}
	if s.InputTokens != nil {
		l.countedInput.Add(*s.InputTokens)
	}
	if s.OutputTokens != nil {
		l.countedOutput.Add(*s.OutputTokens)
		l.answers = append(l.answers, answer{int64(l.block.Round)<<32 | int64(s.Index), float64(*s.OutputTokens)})
		l.basis[s.Basis] = true
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
func (l *sentLog) sent(p workload.Phases, end time.Duration) SentBlock {
	to := p.Horizon().D()
	if l.block.State != measure.Complete {
		to = min(to, end)
	}
	b := SentBlock{Approach: l.block.Approach, Block: l.block.Index, Round: l.block.Round, Unsent: l.unsent,
		Traffic:     *workload.DescribeTraffic(l.times, p.Warmup.D(), to, l.input, l.output),
		Calibration: l.block.Calibration, CountedInput: l.countedInput.Describe(), CountedOutput: l.countedOutput.Describe()}
	if l.asked > 0 && l.predictable {
		b.CacheableShare = new(float64(l.cacheable) / float64(l.asked))
	}
	b.CachedShare, b.caches = l.caches.share(), l.caches
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

// workloadAsSent describes and compares every block, together and by traffic class.
func workloadAsSent(m *measure.Manifest, logs []*sentLog, ends map[int]float64) *WorkloadAsSent {
	w := asSent(m, "", logs, ends)
	w.Outputs = compareOutputs(logs)
	for i, c := range m.Scenario.Mix {
		var ofClass []*sentLog
		for _, l := range logs {
			ofClass = append(ofClass, l.classes[i])
		}
		w.Classes = append(w.Classes, ClassAsSent{c.Name, *asSent(m, c.Name, ofClass, ends)})
	}
	return w
}

// askedOf is what the scenario asked of a block: of one class, or of all where class is empty. Nil where it is not known.
func askedOf(m *measure.Manifest, b *measure.BlockRecord, class string) *workload.Traffic {
	all, classes := m.AskedOf(b)
	if class == "" {
		return all
	}
	if k := slices.IndexFunc(classes, func(a workload.ClassTraffic) bool { return a.Class == class }); k >= 0 {
		return &classes[k].Traffic
	}
	return nil
}

// asSent describes and compares every block that went through; one that was cut short is only described. Each is held against
// what its round asked; Asked is of the first round.
func asSent(m *measure.Manifest, class string, logs []*sentLog, ends map[int]float64) *WorkloadAsSent {
	w := &WorkloadAsSent{Asked: askedOf(m, &measure.BlockRecord{}, class), Sent: []SentBlock{}}
	for _, l := range logs {
		b := l.sent(m.Scenario.Phases, time.Duration(ends[l.block.Index]*1e9))
		if asked := askedOf(m, l.block, class); asked != nil && l.block.State == measure.Complete {
			b.Compare(asked)
		}
		w.Sent = append(w.Sent, b)
	}
	return w
}

// sent says where a block's traffic is not what the scenario asked. The requests that are sent are those of the schedule
// and not a sample of them: what differs beyond chance is another workload. What the server counts is a remark: its
// tokens are its own, and it may end an answer early.
func (a *audit) sent(w *WorkloadAsSent, s *workload.Scenario) {
	const why = "connections that took their time (connections.prewarm opens them ahead), a late client or lost requests have changed the load, so its latencies are those of another workload"
	for i := range w.Sent {
		b := &w.Sent[i]
		a.about = b.Approach
		if len(s.Mix) == 0 {
			a.cache(b, b.Approach, &s.Prompts, s.Sessions != nil)
		}
		if found := b.found(); found != "" {
			a.add(Suspect, "workload_as_sent", "%s: what was sent is not what the scenario asks, by more than chance: %s; %s", b.Approach, found, why)
		}
		var found []string
		for k := range w.Classes {
			c := &w.Classes[k]
			a.cache(&c.Sent[i], b.Approach+", class "+c.Class, &s.Mix[k].Prompts, s.Mix[k].Sessions != nil)
			if f := c.Sent[i].found(); f != "" {
				found = append(found, c.Class+" "+f)
			}
		}
		if len(found) > 0 {
			a.add(Suspect, "workload_as_sent", "%s: what was sent of single classes is not what the scenario asks, by more than chance: %s; %s", b.Approach, strings.Join(found, "; "), why)
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

// found lists the differences in what was sent; empty without any.
func (b *SentBlock) found() string {
	var found []string
	for _, d := range b.Differences {
		if !d.Counted {
			found = append(found, fmt.Sprintf("%s %.4g, asked %.4g (%.4g to %.4g)", d.Figure, d.Sent, d.Asked.Value, d.Asked.Low, d.Asked.High))
		}
	}
	return strings.Join(found, "; ")
}
