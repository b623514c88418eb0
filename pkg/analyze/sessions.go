package analyze

import (
	"maps"
	"slices"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Sessions describes the conversations of one approach over the measure phase. First turns came when the schedule said;
// later turns waited for the answer to the one before, so that a slow server gets fewer of them.
type Sessions struct {
	// Begun counts conversations whose first turn was scheduled in the measure phase.
	Begun int `json:"begun"`
	// Ends counts conversations whose last turn was scheduled in the measure phase, by how they ended. One that was under
	// way when the run was stopped is in none.
	Ends map[workload.SessionEnd]int `json:"ends"`
	// TurnsPlanned is the mean number of turns that the conversations begun were to have.
	TurnsPlanned *float64 `json:"turns_planned,omitempty"`
	// Think is the mean time from the end of an answer until the next turn was sent, in seconds, and ThinkAsked what the
	// scenario drew for the same turns.
	Think      *float64 `json:"think,omitempty"`
	ThinkAsked *float64 `json:"think_asked,omitempty"`
	// First are the first turns, Later all others together, ByTurn each turn, in order.
	First  TurnSummary   `json:"first"`
	Later  TurnSummary   `json:"later"`
	ByTurn []TurnSummary `json:"by_turn"`
}

// TurnSummary is what one turn, or a stretch of turns, of many conversations has in common.
type TurnSummary struct {
	// From and To are the turns, both included; To is 0 for all that follow.
	From int `json:"from"`
	To   int `json:"to,omitempty"`
	// Turn is the mean number of the turns counted here.
	Turn     float64 `json:"turn"`
	Attempts int     `json:"attempts"`
	OK       int     `json:"ok"`
	// TTFT is over attempts, ServiceTTFT over answers.
	TTFT        *Quantiles `json:"ttft,omitempty"`
	ServiceTTFT *Quantiles `json:"service_ttft,omitempty"`
	// Input is the mean number of prompt tokens of the answered requests, as the server counted them; Context how many of
	// them the conversation before the turn has, which an unlimited prefix cache would hold; Cached how many the server
	// took from its cache. Absent where they were not reported.
	Input   *float64 `json:"input,omitempty"`
	Context *float64 `json:"context,omitempty"`
	Cached  *float64 `json:"cached,omitempty"`
}

// turnFold folds the requests of one turn.
type turnFold struct {
	attempts, ok           int
	turns                  int // their numbers, summed up
	ttft, service          measure.Hist
	input, context, cached counter
}

func (t *turnFold) add(s *measure.Sample) {
	t.attempts++
	t.turns += s.Turn
	if !s.OK() {
		return
	}
	t.ok++
	if d, known := s.Latency(workload.TTFT); known {
		t.ttft.Record(d)
	}
	if d, known := s.Latency(workload.ServiceTTFT); known {
		t.service.Record(d)
	}
	t.input.add(s.InputTokens)
	t.context.add(&s.Context)
	t.cached.add(s.CachedInput)
}

// merge adds another turn's requests; all histograms have one geometry.
func (t *turnFold) merge(o *turnFold) error {
	t.attempts, t.ok, t.turns = t.attempts+o.attempts, t.ok+o.ok, t.turns+o.turns
	for _, c := range []struct{ to, from *counter }{{&t.input, &o.input}, {&t.context, &o.context}, {&t.cached, &o.cached}} {
		c.to.sum, c.to.n = c.to.sum+c.from.sum, c.to.n+c.from.n
	}
	if err := t.ttft.Merge(&o.ttft); err != nil {
		return err
	}
	return t.service.Merge(&o.service)
}

func (t *turnFold) summary(from, to int) TurnSummary {
	s := TurnSummary{From: from, To: to, Turn: float64(t.turns) / float64(max(t.attempts, 1)), Attempts: t.attempts, OK: t.ok, Input: t.input.mean(), Context: t.context.mean(), Cached: t.cached.mean()}
	if t.ttft.Count() > 0 {
		s.TTFT = quantilesOf(&t.ttft, int64(t.attempts-t.ok))
	}
	if t.service.Count() > 0 {
		s.ServiceTTFT = quantilesOf(&t.service, 0)
	}
	return s
}

func (c *counter) mean() *float64 {
	if c.n == 0 {
		return nil
	}
	return new(float64(c.sum) / float64(c.n))
}

// sessionFold folds the conversations of one approach.
type sessionFold struct {
	turns             map[int]*turnFold
	ends              map[workload.SessionEnd]int
	planned           counter
	think, thinkAsked counter // ns
}

func (f *sessionFold) add(s *measure.Sample) {
	if s.Turn == 0 {
		return
	}
	if f.turns == nil {
		f.turns, f.ends = map[int]*turnFold{}, map[workload.SessionEnd]int{}
	}
	t := f.turns[s.Turn]
	if t == nil {
		t = &turnFold{}
		f.turns[s.Turn] = t
	}
	t.add(s)
	if s.Turn == 1 {
		f.planned.add(&s.Turns)
	}
	if s.SessionEnd != "" {
		f.ends[s.SessionEnd]++
	}
	asked, known := s.Think.Get()
	if late, sent := s.Sent.Sub(s.Scheduled).Get(); known && sent {
		f.thinkAsked.sum, f.thinkAsked.n = f.thinkAsked.sum+int64(asked), f.thinkAsked.n+1
		f.think.sum, f.think.n = f.think.sum+int64(asked+late), f.think.n+1
	}
}

// shownTurns are shown one by one; later ones in stretches that double in length.
const shownTurns = 8

// summary is nil where nothing is a conversation.
func (f *sessionFold) summary() (*Sessions, error) {
	if len(f.turns) == 0 {
		return nil, nil
	}
	s := &Sessions{Ends: f.ends, TurnsPlanned: f.planned.mean(), Think: inSeconds(f.think.mean()), ThinkAsked: inSeconds(f.thinkAsked.mean())}
	var first, later turnFold
	var stretches []*turnFold
	var bounds [][2]int
	for _, n := range slices.Sorted(maps.Keys(f.turns)) {
		t := f.turns[n]
		whole := &later
		if n == 1 {
			whole, s.Begun = &first, t.attempts
		}
		if err := whole.merge(t); err != nil {
			return nil, err
		}
		b := stretch(n)
		if k := len(bounds); k == 0 || bounds[k-1] != b {
			bounds, stretches = append(bounds, b), append(stretches, &turnFold{})
		}
		if err := stretches[len(stretches)-1].merge(t); err != nil {
			return nil, err
		}
	}
	s.First, s.Later = first.summary(1, 1), later.summary(2, 0)
	for i, t := range stretches {
		s.ByTurn = append(s.ByTurn, t.summary(bounds[i][0], bounds[i][1]))
	}
	return s, nil
}

// stretch is the turns that turn n is shown with.
func stretch(n int) [2]int {
	if n <= shownTurns {
		return [2]int{n, n}
	}
	from := shownTurns + 1
	for length := shownTurns; ; length *= 2 {
		if n < from+length {
			return [2]int{from, from + length - 1}
		}
		from += length
	}
}

func inSeconds(ns *float64) *float64 {
	if ns == nil {
		return nil
	}
	return new(*ns / 1e9)
}
