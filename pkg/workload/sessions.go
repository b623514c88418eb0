package workload

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// Sessions makes every arrival the first turn of a conversation. First turns come when the schedule says, whatever the
// server does; a later turn comes when the answer to the one before has ended and the user has thought, so that slow
// answers hold it back: a partly open system (Schroeder, Wierman and Harchol-Balter, NSDI 2006). Each turn sends the
// conversation so far, with the answers as they really came.
type Sessions struct {
	// Turns is how many requests a conversation has. Of a dataset it has no more than its row has messages of the user, and
	// without Turns as many.
	Turns *Turns `yaml:"turns,omitempty" json:"turns,omitempty"`
	// Think is the time between the end of an answer and the next turn.
	Think *Delays `yaml:"think" json:"think" jsonschema:"required"`
	// Input is the length of what the user says from the second turn on, in tokens. Default: prompts.synthetic's. With a
	// dataset the user says what the row has.
	Input *Lengths `yaml:"input,omitempty" json:"input,omitempty"`
	// Output is the length to ask for from the second turn on, in tokens. Default: the prompts'.
	Output *Lengths `yaml:"output,omitempty" json:"output,omitempty"`
	// MaxContext ends a conversation before a turn whose prompt would be longer, in tokens. Default: none does.
	MaxContext int `yaml:"max_context,omitempty" json:"max_context,omitempty" jsonschema:"minimum=1,maximum=10000000"`
}

// Turns is a distribution of the number of turns of a conversation. Exactly one field is set.
type Turns struct {
	Fixed     *int       `yaml:"fixed,omitempty" json:"fixed,omitempty" jsonschema:"minimum=1,maximum=1000"`
	Geometric *Geometric `yaml:"geometric,omitempty" json:"geometric,omitempty"`
	Uniform   *TurnRange `yaml:"uniform,omitempty" json:"uniform,omitempty"`
	// Empirical draws one of these values, each with equal probability.
	Empirical []int `yaml:"empirical,omitempty" json:"empirical,omitempty" jsonschema:"minItems=1,minimum=1,maximum=1000"`
}

// Geometric goes on after each turn with the same probability, 1-1/Mean, up to Max turns.
type Geometric struct {
	// Mean is the mean number of turns before Max cuts it.
	Mean float64 `yaml:"mean" json:"mean" jsonschema:"required,minimum=1,maximum=1000,example=5"`
	Max  int     `yaml:"max" json:"max" jsonschema:"minimum=1,maximum=1000,default=100"`
}

// TurnRange is uniform over the integers Min..Max, both included.
type TurnRange struct {
	Min int `yaml:"min" json:"min" jsonschema:"required,minimum=1,maximum=1000,example=2"`
	Max int `yaml:"max" json:"max" jsonschema:"required,minimum=1,maximum=1000,example=8"`
}

// mostTurns bounds a conversation.
const mostTurns = 1000

// draw takes one number of turns.
func (t *Turns) draw(r *stat.Rand) int {
	n := 1
	switch {
	case t.Fixed != nil:
		n = *t.Fixed
	case t.Geometric != nil:
		if g := t.Geometric; g.Mean > 1 {
			// The number of trials up to the first success of probability 1/mean, by inversion.
			n = 1 + int(min(math.Floor(stat.Log(r.Float64())/stat.Log(1-1/g.Mean)), mostTurns))
		}
		if limit := t.Geometric.Max; limit > 0 {
			n = min(n, limit)
		}
	case t.Uniform != nil:
		n = r.IntRange(t.Uniform.Min, t.Uniform.Max)
	case len(t.Empirical) > 0:
		n = t.Empirical[r.IntN(len(t.Empirical))]
	}
	return min(max(n, 1), mostTurns)
}

// SessionEnd says how a conversation ended.
type SessionEnd string

// The ends of a conversation.
const (
	SessionComplete    SessionEnd = "complete"     // every turn was answered
	SessionFailed      SessionEnd = "failed"       // a turn failed
	SessionAbandoned   SessionEnd = "abandoned"    // the user lost patience
	SessionContextFull SessionEnd = "context_full" // the next prompt would be longer than Sessions.MaxContext
	SessionNoText      SessionEnd = "no_text"      // an answer held no text to go on from
	SessionCutOff      SessionEnd = "cut_off"      // the next turn would lie behind the end of the block
)

// SessionEnds lists every end, in the order in which they are shown.
func SessionEnds() []SessionEnd {
	return []SessionEnd{SessionComplete, SessionCutOff, SessionAbandoned, SessionFailed, SessionContextFull, SessionNoText}
}

// Reply is a successful answer, as far as the next turn of its conversation depends on it.
type Reply struct {
	// Text is what the user reads.
	Text string
	// InputTokens are the prompt's, as the server counted them; nil where it did not.
	InputTokens *int
	// OutputTokens are those of Text; nil where nobody counted them: then the workload's own count is taken.
	OutputTokens *int
}

// Follow makes the turn after a request that was answered, and says how long the user thinks before it: a pure function
// of the seed, the request and the reply. Where the conversation is over it says how it ended instead, and the other
// results mean nothing.
func (s *Source) Follow(prev *Request, reply Reply) (next Request, think Duration, end SessionEnd) {
	if s.mix != nil {
		return s.mix.follow(prev, reply)
	}
	c := s.sessions
	switch {
	case c == nil || prev.Turn >= prev.Turns:
		return Request{}, 0, SessionComplete
	case reply.Text == "":
		return Request{}, 0, SessionNoText
	}
	turn := prev.Turn + 1
	input, output := s.turnLengths(prev.Index, turn)
	context := s.contextOf(prev, reply)
	if c.MaxContext > 0 && context+input > c.MaxContext {
		return Request{}, 0, SessionContextFull
	}
	next = Request{Index: prev.Index, Turn: turn, Turns: prev.Turns, CacheAllowed: prev.CacheAllowed,
		InputTokens: context + input, MaxTokens: output, Context: context, Cacheable: context}
	next.Messages = append(append(next.Messages, prev.Messages...),
		Message{Role: "assistant", Content: reply.Text}, Message{Role: "user", Content: s.turnText(prev.Index, turn, input)})
	next.Patience = s.patience.draw(s.seed, turnKey(prev.Index, turn))
	return next, c.Think.draw(stat.Keyed(s.seed, "think", turnKey(prev.Index, turn))), ""
}

// turnKey numbers the later turns of all conversations apart.
func turnKey(index, turn int) uint64 { return uint64(index)*(mostTurns+1) + uint64(turn) }

// contextOf is how many tokens the conversation has so far: by the server's count where there is one.
func (s *Source) contextOf(prev *Request, reply Reply) int {
	n := prev.InputTokens
	if reply.InputTokens != nil {
		n = *reply.InputTokens
	}
	if reply.OutputTokens != nil {
		return n + *reply.OutputTokens
	}
	own, _ := s.countAll([]Message{{Content: reply.Text}})
	return n + own
}

// turnLengths is what a later turn adds to the conversation, and what it asks for.
func (s *Source) turnLengths(index, turn int) (input, output int) {
	c, r := s.sessions, stat.Keyed(s.seed, "turn lengths", turnKey(index, turn))
	in, out := c.Input, c.Output
	if s.rows != nil {
		row := s.row(index)
		said := row.turns()[turn-1]
		input, _ = s.countAll([]Message{{Content: said.user}})
		return max(input, 1), s.rowAnswer(row, said.answerWords, out, r)
	}
	if syn := s.prompts.Synthetic; syn != nil {
		if len(syn.Pairs) > 0 {
			p := syn.Pairs[r.IntN(len(syn.Pairs))]
			input, output = p[0], p[1]
		}
		if in == nil {
			in = syn.Input
		}
		if out == nil {
			out = syn.Output
		}
	}
	if in != nil {
		input, _ = in.draw(r)
	}
	if out != nil {
		output, _ = out.draw(r)
	}
	return max(input, 1), output
}

// turnText is what the user says in a later turn. It needs no nonce: the conversation before it has one.
func (s *Source) turnText(index, turn, n int) string {
	if s.rows != nil {
		return s.row(index).turns()[turn-1].user
	}
	var b strings.Builder
	s.tokenizer.appendTokens(&b, stat.Keyed(s.seed, "turn text", turnKey(index, turn)), max(1, s.correction.share(n)))
	return b.String()
}

// Turns is how many turns the conversation of an arrival is to have: 1 without sessions.
func (s *Source) Turns(index int) int {
	if s.mix != nil {
		s, index = s.mix.route(index)
	}
	if s.sessions == nil {
		return 1
	}
	n := mostTurns
	if t := s.sessions.Turns; t != nil {
		n = t.draw(stat.Keyed(s.seed, "turns", uint64(index)))
	}
	if s.rows != nil {
		n = min(n, len(s.row(index).answers))
	}
	return n
}

// begin makes a request the first turn of its conversation.
func (s *Source) begin(req *Request) {
	req.Patience = s.patience.draw(s.seed, turnKey(req.Index, 1))
	if s.sessions != nil {
		req.Turn, req.Turns = 1, s.Turns(req.Index)
	}
}

// checkSessions reports what Parse has made sure of; a Scenario built by hand may lack it.
func checkSessions(s *Scenario) error {
	if c := s.Sessions; c != nil && (c.Turns == nil && s.Prompts.Dataset == nil || c.Think == nil) {
		return fmt.Errorf("sessions: give turns and think, such as {turns: {geometric: {mean: 5}}, think: {fixed: 5s}}")
	}
	return nil
}

// Arrival is a request as it can be foreseen.
type Arrival struct {
	At            time.Duration // since the block's time 0
	Input, Output int           // tokens, as asked for
}

// Foresee lists the requests of a block in the order of time. When later turns of conversations come, and how long their
// prompts are, the answers decide: each is taken to have the length that is asked for, and to last as long as answer says.
func (s *Source) Foresee(sched *Schedule, answer func(tokens int) time.Duration) []Arrival {
	list := make([]Arrival, 0, len(sched.Times))
	horizon := sched.Phases.Horizon().D()
	for k, at := range sched.Times {
		of, i := s, k
		if s.mix != nil {
			of, i = s.mix.route(k)
		}
		input, output := of.Lengths(i)
		for turn, turns := 1, of.Turns(i); ; {
			list = append(list, Arrival{at, input, output})
			if turn++; turn > turns {
				break
			}
			at += answer(output) + of.sessions.Think.draw(stat.Keyed(of.seed, "think", turnKey(i, turn))).D()
			context := input + output
			added, next := of.turnLengths(i, turn)
			input, output = context+added, next
			if at >= horizon || of.sessions.MaxContext > 0 && input > of.sessions.MaxContext {
				break
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	return list
}
