package analyze

import (
	"math"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// turnRow is the n-th turn of a conversation of so many. Its prompt has 100 tokens a turn, of which 16 short of the
// conversation before it came from a cache.
func turnRow(index, n, of int, ttft time.Duration) *measure.Sample {
	at := time.Duration(index)*time.Second + time.Duration(n)*100*time.Millisecond
	s := &measure.Sample{Index: index, Phase: measure.Measure, Class: endpoint.OK, Turn: n, Turns: of, Context: 100 * (n - 1),
		Scheduled: measure.At(at), Sent: measure.At(at + time.Millisecond), FirstToken: measure.At(at + ttft), Done: measure.At(at + ttft),
		AskedInput: 100 * n, Cacheable: 100 * (n - 1), InputTokens: new(100 * n), CachedInput: new(max(100*(n-1)-16, 0))}
	if n > 1 {
		s.Think = measure.At(50 * time.Millisecond)
	}
	if n == of {
		s.SessionEnd = workload.SessionComplete
	}
	return s
}

// TestSessionsAreFoldedByTurn holds the summary of twenty conversations of ten turns against what they were made of.
func TestSessionsAreFoldedByTurn(t *testing.T) {
	var f sessionFold
	for index := range 20 {
		for n := 1; n <= 10; n++ {
			f.add(turnRow(index, n, 10, time.Duration(n)*10*time.Millisecond))
		}
	}
	left := turnRow(20, 1, 5, 0) // and one whose user left at once
	left.Class, left.SessionEnd = endpoint.Abandoned, workload.SessionAbandoned
	f.add(left)
	f.add(&measure.Sample{Class: endpoint.OK}) // what is no conversation does not count
	s := must(f.summary())
	if s.Begun != 21 || s.Ends[workload.SessionComplete] != 20 || s.Ends[workload.SessionAbandoned] != 1 || len(s.Ends) != 2 {
		t.Errorf("begun %d, ends %v", s.Begun, s.Ends)
	}
	if want := (20*10 + 5) / 21.0; math.Abs(*s.TurnsPlanned-want) > 1e-12 {
		t.Errorf("%g turns planned, want %g", *s.TurnsPlanned, want)
	}
	if *s.ThinkAsked != 0.05 || math.Abs(*s.Think-0.051) > 1e-12 {
		t.Errorf("thought for %g, asked %g", *s.Think, *s.ThinkAsked)
	}
	if s.First.Attempts != 21 || s.First.OK != 20 || s.Later.Attempts != 180 || *s.First.Context != 0 {
		t.Errorf("first %+v, later %+v", s.First, s.Later)
	}
	if len(s.ByTurn) != 9 { // 1 to 8, and those from 9 on
		t.Fatalf("%d stretches of turns: %+v", len(s.ByTurn), s.ByTurn)
	}
	for i, turn := range s.ByTurn {
		from, to, tokens := i+1, i+1, 100*float64(i+1)
		if i == 8 {
			to, tokens = 16, 950 // turns 9 and 10
		}
		if turn.From != from || turn.To != to || turn.Turn*100 != tokens || *turn.Input != tokens || *turn.Context != tokens-100 {
			t.Errorf("turns %d to %d: %+v", from, to, turn)
		}
		if i > 0 && *turn.Cached != tokens-116 {
			t.Errorf("turn %d: %g tokens cached, want %g", from, *turn.Cached, tokens-116)
		}
	}
	if p50 := *s.ByTurn[4].TTFT.P50; math.Abs(p50-0.05) > 0.0005 {
		t.Errorf("TTFT of the fifth turn %g, want 0.05", p50)
	}
}

// TestStretchesCoverAllTurns: every turn is in one stretch, and the stretches lie one behind the other.
func TestStretchesCoverAllTurns(t *testing.T) {
	end := 0
	for n := 1; n <= 1000; n++ {
		b := stretch(n)
		if n < b[0] || n > b[1] || n > end && b[0] != end+1 {
			t.Fatalf("turn %d lies in %v, and the one before ends at %d", n, b, end)
		}
		end = b[1]
	}
}

// TestLaterTurnsAreNotTheSchedules: what was asked holds for first turns; later ones count for the prefix cache alone.
func TestLaterTurnsAreNotTheSchedules(t *testing.T) {
	block := &measure.BlockRecord{State: measure.Complete}
	l := newSentLog(block, &workload.Scenario{})
	for index := range 9 {
		for n := 1; n <= 4; n++ {
			l.add(turnRow(index, n, 4, time.Millisecond))
		}
	}
	sc := &workload.Scenario{Phases: workload.Phases{Measure: workload.Duration(9 * time.Second)}}
	b := l.sent(sc.Phases, 0)
	if b.Requests != 9 || b.Rate.Value != 1 || b.Input.N != 9 || b.Input.Mean.Value != 100 || b.CountedInput.N != 9 {
		t.Errorf("%+v", b)
	}
	if want := (100 + 200 + 300) / 1000.0; math.Abs(*b.CacheableShare-want) > 1e-12 {
		t.Errorf("%g of the tokens cacheable, want %g", *b.CacheableShare, want)
	}
	if want := (84 + 184 + 284) / 1000.0; math.Abs(*b.CachedShare-want) > 1e-12 {
		t.Errorf("%g of the tokens cached, want %g", *b.CachedShare, want)
	}
}
