package measure_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// talk is a scenario of conversations; %s is its sessions and patience.
const talk = `
name: talk
seed: 3
phases: {warmup: 10s, measure: 60s, drain: 30s}
arrivals: {preset: steady, rate: 2/s}
prompts:
  synthetic: {input: {uniform: {min: 20, max: 200}}, output: {uniform: {min: 5, max: 60}}}
%s
approaches: [{name: a, url: "http://127.0.0.1:1/v1"}]
`

// converse runs the scenario against a simulated server over a network and a clock that are virtual, and gives the rows by
// conversation, in the order of turns, beside what the server says of each request.
func converse(t *testing.T, sessions string, sim workload.Simulation) (*workload.Schedule, map[int][]*measure.Sample, map[string]simulate.Truth) {
	t.Helper()
	sc, err := workload.Parse(fmt.Appendf(nil, talk, sessions), "talk.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(sc)
	if err != nil {
		t.Fatal(err)
	}
	src, err := workload.NewSource(sc, sched)
	if err != nil {
		t.Fatal(err)
	}
	l := memnet.Listen()
	server, err := simulate.Serve(t.Context(), l, sim, simulate.Options{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	a := sc.Approaches[0]
	if a.URL, err = server.Base(a.API); err != nil {
		t.Fatal(err)
	}
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, Dial: l.Dial, KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	_, rows := record(t, &measure.Runner{}, measure.Block{Approach: a.Name, Endpoint: e, Epoch: epoch, Phases: sc.Phases, Times: sched.Times,
		Request: func(i int) workload.Request { return src.Request(i, workload.Nonce{Approach: a.Name}) },
		Follow:  src.Follow, KeepText: true})
	e.Close()
	server.Stop()
	truths := map[string]simulate.Truth{}
	for _, tr := range server.Truth() {
		truths[tr.ID] = tr
	}
	byIndex := map[int][]*measure.Sample{}
	for _, s := range rows { // they come in the order in which they ended: turn by turn
		byIndex[s.Index] = append(byIndex[s.Index], s)
	}
	return sched, byIndex, truths
}

// TestConversations holds the turns of some 140 conversations against the scenario, against each other and against the
// server: the first turn comes when the schedule says, each later one exactly when the answer before it was whole and the
// user had thought; it says what was said, and the cache of the server holds just that.
func TestConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sched, talks, truths := converse(t, "sessions: {turns: {geometric: {mean: 4, max: 12}}, think: {exponential: {mean: 2s}}, input: {uniform: {min: 5, max: 30}}}",
			workload.Simulation{Profile: "self-hosted"})
		if len(talks) != len(sched.Times) {
			t.Errorf("%d conversations of %d arrivals", len(talks), len(sched.Times))
		}
		later, ends := 0, map[workload.SessionEnd]int{}
		for index, turns := range talks {
			for i, s := range turns {
				at, _ := s.Scheduled.Get()
				tr, known := truths[s.RequestID]
				if s.Turn != i+1 || s.Turns != turns[0].Turns || !s.OK() || !known || *s.InputTokens != tr.InputTokens || s.AskedInput != tr.InputTokens {
					t.Fatalf("conversation %d, turn %d: %+v, truth %+v", index, i+1, s, tr)
				}
				if d, _ := s.Dispatched.Get(); d != at {
					t.Errorf("conversation %d, turn %d: dispatched at %v, due at %v", index, s.Turn, d, at)
				}
				if i == 0 {
					if at != sched.Times[index] || s.Think.Known() || s.Context != 0 {
						t.Errorf("conversation %d began at %v, due at %v", index, at, sched.Times[index])
					}
					continue
				}
				later++
				prev := turns[i-1]
				over, _ := prev.Done.Get()
				think, _ := s.Think.Get()
				if at != over+think {
					t.Errorf("conversation %d, turn %d: due at %v, the answer ended at %v, and the user thought for %v", index, s.Turn, at, over, think)
				}
				if s.Context != *prev.InputTokens+*prev.OutputTokens || s.Cacheable != s.Context {
					t.Errorf("conversation %d, turn %d: a context of %d tokens after %d and %d", index, s.Turn, s.Context, *prev.InputTokens, *prev.OutputTokens)
				}
				if blocks := s.Context / 16 * 16; *s.CachedInput != blocks {
					t.Errorf("conversation %d, turn %d: %d tokens from the cache, want %d of %d", index, s.Turn, *s.CachedInput, blocks, s.Context)
				}
				said := messages(t, prev)
				said = append(said, workload.Message{Role: "assistant", Content: prev.Answer})
				says := messages(t, s)
				if len(says) != len(said)+1 || says[len(said)].Role != "user" || fmt.Sprint(says[:len(said)]) != fmt.Sprint(said) {
					t.Fatalf("conversation %d, turn %d says %q after %q", index, s.Turn, says, said)
				}
			}
			last := turns[len(turns)-1]
			ends[last.SessionEnd]++
			if complete := last.SessionEnd == workload.SessionComplete; complete != (last.Turn == last.Turns) {
				t.Errorf("conversation %d ended after turn %d of %d: %s", index, last.Turn, last.Turns, last.SessionEnd)
			}
		}
		if later < len(talks) || ends[workload.SessionCutOff] == 0 || ends[workload.SessionComplete]+ends[workload.SessionCutOff] != len(talks) {
			t.Errorf("%d later turns, ends %v", later, ends)
		}
	})
}

func messages(t *testing.T, s *measure.Sample) (m []workload.Message) {
	t.Helper()
	if err := json.Unmarshal(s.Prompt, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestUsersLeave: a user leaves at the very moment when the patience ends, the server knows, and the conversation is over.
func TestUsersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 700 * time.Millisecond
		// One slot, and more load than it can take: most wait too long for their first token.
		_, talks, truths := converse(t, "sessions: {turns: {fixed: 3}, think: {fixed: 1s}}\npatience: {first_token: {fixed: 700ms}, answer: {fixed: 900ms}}",
			workload.Simulation{Profile: "self-hosted", Slots: 1})
		left, stayed, cancelled := 0, 0, 0
		for index, turns := range talks {
			for i, s := range turns {
				switch s.Class {
				case endpoint.OK:
					stayed++
					ttft, _ := s.Latency(workload.TTFT)
					e2e, _ := s.Latency(workload.E2E)
					if ttft > patience || e2e > 900*time.Millisecond {
						t.Errorf("conversation %d, turn %d waited %v for a token and %v for the answer", index, s.Turn, ttft, e2e)
					}
				case endpoint.Abandoned:
					left++
					waited, _ := s.Done.Sub(s.Scheduled).Get()
					want, words := patience, "no first token within 700ms"
					if s.FirstToken.Known() {
						want, words = 900*time.Millisecond, "no whole answer within 900ms"
					}
					if waited != want || !strings.Contains(s.Error, words) || i != len(turns)-1 || s.SessionEnd != workload.SessionAbandoned {
						t.Errorf("conversation %d, turn %d left after %v: %q, %q", index, s.Turn, waited, s.Error, s.SessionEnd)
					}
				default:
					t.Errorf("conversation %d, turn %d: %s %s", index, s.Turn, s.Class, s.Error)
				}
			}
		}
		for _, tr := range truths {
			if tr.Outcome == simulate.OutcomeCancelled {
				cancelled++
			}
		}
		if left == 0 || stayed == 0 || cancelled != left {
			t.Errorf("%d left, %d stayed, the server saw %d leave", left, stayed, cancelled)
		}
	})
}

// TestSlowServersDoNotHoldConversationsBack: however slow the answers, conversations begin when the schedule says.
func TestSlowServersDoNotHoldConversationsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sched, talks, _ := converse(t, "sessions: {turns: {fixed: 4}, think: {fixed: 0s}}", workload.Simulation{Profile: "self-hosted", Slots: 1})
		first := 0
		for index, turns := range talks {
			at, _ := turns[0].Dispatched.Get()
			if at != sched.Times[index] {
				t.Errorf("conversation %d began at %v, due at %v", index, at, sched.Times[index])
			}
			first++
		}
		if first != len(sched.Times) {
			t.Errorf("%d of %d conversations began", first, len(sched.Times))
		}
	})
}
