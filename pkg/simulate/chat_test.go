package simulate

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// One request alone: everything follows from the parameters by hand.
func TestSingleRequest(t *testing.T) {
	base := workload.Simulation{Network: milli(20), Slots: 2, Overhead: milli(30), PrefillPerToken: milli(0.5), DecodeStep: milli(10)}
	with := func(change func(*workload.Simulation)) workload.Simulation {
		s := base
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name   string
		sim    workload.Simulation
		input  int
		output int
		want   []time.Duration // of each token, from sending
	}{
		// 20 network + 30 + 100*0.5 prefill, then a token every 10.
		{"plain", base, 100, 4, every(100*millisecond, 10*millisecond, 4)},
		{"one token", base, 10, 1, every(55*millisecond, 0, 1)},
		{"twice the speed", with(func(s *workload.Simulation) { s.Speed = 2 }), 100, 3, every(60*millisecond, 5*millisecond, 3)},
		{"two tokens per step", with(func(s *workload.Simulation) { s.TokensPerStep = 2 }), 100, 6,
			[]time.Duration{100 * millisecond, 110 * millisecond, 110 * millisecond, 120 * millisecond, 120 * millisecond, 130 * millisecond}},
		// After step j there are 1 + floor(2.5 j): 1, 3, 6, 8.
		{"2.5 tokens per step", with(func(s *workload.Simulation) { s.TokensPerStep = 2.5 }), 100, 8,
			[]time.Duration{100 * millisecond, 110 * millisecond, 110 * millisecond, 120 * millisecond, 120 * millisecond, 120 * millisecond,
				130 * millisecond, 130 * millisecond}},
		{"no prefill, no network", workload.Simulation{DecodeStep: milli(7)}, 5, 3, every(0, 7*millisecond, 3)},
		{"drawn service", workload.Simulation{Service: &workload.ServiceTime{Law: "fixed", Mean: milli(30)}}, 5, 3,
			every(10*millisecond, 10*millisecond, 3)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tc.sim, Options{})
				time.Sleep(time.Second)
				sent := time.Now()
				s := r.ask(t.Context(), "a", prompt("x", tc.input), tc.output)
				if got := s.tokens(); !slices.Equal(got, tc.want) {
					t.Errorf("tokens at %v, want %v", got, tc.want)
				}
				if s.err != nil || s.status != 200 || !s.done || s.finish != "length" {
					t.Errorf("answer %+v", s)
				}
				if u := s.usage; u == nil || u.Prompt != tc.input || u.Completion != tc.output || u.Total != tc.input+tc.output {
					t.Errorf("usage %+v", u)
				}
				half := tc.sim.Network.D() / 2
				first, last := tc.want[0], tc.want[len(tc.want)-1]
				tr := r.truth("a")
				for _, c := range []struct {
					name      string
					got, want any
				}{
					{"received", tr.Received.Sub(sent), time.Duration(0)},
					{"arrived", tr.Arrived.Sub(sent), half},
					{"admitted", tr.Admitted.Sub(sent), half},
					{"prefill done", tr.PrefillDone.Sub(sent), first - half},
					{"first token", tr.FirstToken.Sub(sent), first},
					{"last token", tr.LastToken.Sub(sent), last},
					{"first written", tr.FirstWritten.Sub(sent), first},
					{"last written", tr.LastWritten.Sub(sent), last},
					{"queue", tr.Queue, time.Duration(0)},
					{"prefill", tr.Prefill, first - 2*half},
					{"decode", tr.Decode, last - first},
					{"input", tr.InputTokens, tc.input},
					{"output", tr.OutputTokens, tc.output},
					{"outcome", tr.Outcome, OutcomeOK},
					{"lag", tr.Lag, time.Duration(0)},
				} {
					if c.got != c.want {
						t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
					}
				}
				if !slices.Equal(tr.TokenTimes, tc.want) || !slices.Equal(tr.WriteTimes, tc.want) {
					t.Errorf("token times %v, write times %v, want %v", tr.TokenTimes, tr.WriteTimes, tc.want)
				}
			})
		})
	}
}

func TestNotStreamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(20), Overhead: milli(30), DecodeStep: milli(10), Report: "vllm"}, Options{})
		s := r.send(t.Context(), "a", `{"model":"m","max_completion_tokens":5,"messages":[
			{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"what is a queue"},{"type":"image_url"}]}]}`)
		if s.err != nil || s.status != 200 || s.end != 90*millisecond || s.finish != "length" || len(strings.Fields(s.text)) != 5 {
			t.Errorf("answer %+v", s)
		}
		if u := s.usage; u == nil || u.Prompt != 6 || u.Completion != 5 {
			t.Errorf("usage %+v", u)
		}
		if s.metrics["time_to_first_token_ms"] != 30 || s.metrics["generation_time_ms"] != 40 || s.metrics["mean_itl_ms"] != 10 {
			t.Errorf("metrics %v", s.metrics)
		}
		tr := r.truth("a")
		if tr.FirstToken.Sub(r.start) != 50*millisecond || tr.LastWritten.Sub(r.start) != 90*millisecond || tr.FirstWritten != tr.LastWritten || tr.Lag != 0 {
			t.Errorf("truth %+v", tr)
		}
	})
}

// Without a limit the model stops by itself, after the same number of tokens for the same seed.
func TestDrawnOutput(t *testing.T) {
	lengths := func(seed uint64) (all []int) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, workload.Simulation{DecodeStep: milli(1)}, Options{Seed: seed})
			for range 5 {
				s := r.send(t.Context(), "", `{"stream":true,"messages":[{"role":"user","content":"go on"}]}`)
				if !s.done || s.finish != "stop" || s.usage != nil {
					t.Errorf("answer %+v", s)
				}
				all = append(all, len(s.tokens()))
			}
		})
		return all
	}
	a, b, c := lengths(1), lengths(1), lengths(2)
	if !slices.Equal(a, b) || slices.Equal(a, c) || slices.Max(a) == slices.Min(a) {
		t.Errorf("seed 1: %v and %v, seed 2: %v", a, b, c)
	}
}

// at sends a request at a time from the rig's start.
func (r *rig) at(wg *sync.WaitGroup, at time.Duration, id string, input, output int) *seen {
	s := new(seen)
	wg.Go(func() {
		time.Sleep(time.Until(r.start.Add(at)))
		*s = *r.ask(context.Background(), id, prompt(id, input), output)
	})
	return s
}

// Two slots and four requests: the third and fourth wait in order for the slots of the first two.
func TestQueueIsFIFO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(4), Slots: 2, Overhead: milli(10), DecodeStep: milli(5), Report: "vllm"}, Options{})
		var wg sync.WaitGroup
		// a decodes alone from 12 on: 11 tokens, steps end at 17, 22, ..., 62. b's prefill is done at 13 and joins the
		// step that begins at 17: tokens at 13, 22, 27, so that its slot is free at 27. c is admitted then.
		a := r.at(&wg, 0, "a", 3, 11)
		b := r.at(&wg, 1*millisecond, "b", 3, 3)
		c := r.at(&wg, 2*millisecond, "c", 3, 1)
		d := r.at(&wg, 3*millisecond, "d", 3, 1)
		wg.Wait()
		for _, tc := range []struct {
			name  string
			s     *seen
			sent  time.Duration
			queue time.Duration
			want  []time.Duration // at the server, from the start
		}{
			{"a", a, 0, 0, every(12*millisecond, 5*millisecond, 11)},
			{"b", b, 1 * millisecond, 0, []time.Duration{13 * millisecond, 22 * millisecond, 27 * millisecond}},
			{"c", c, 2 * millisecond, 23 * millisecond, []time.Duration{37 * millisecond}},
			{"d", d, 3 * millisecond, 32 * millisecond, []time.Duration{47 * millisecond}},
		} {
			got := tc.s.tokens()
			for i := range got {
				got[i] += tc.sent - 2*millisecond
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: tokens made at %v, want %v", tc.name, got, tc.want)
			}
			if tr := r.truth(tc.name); tr.Queue != tc.queue {
				t.Errorf("%s: queue %v, want %v", tc.name, tr.Queue, tc.queue)
			}
			if q := tc.s.metrics["queue_time_ms"]; q != float64(tc.queue/millisecond) {
				t.Errorf("%s: reported queue %v ms, want %v", tc.name, q, tc.queue)
			}
			if tc.s.head != 4*millisecond {
				t.Errorf("%s: head after %v, want one round trip", tc.name, tc.s.head)
			}
		}
	})
}

// A step takes longer the more sequences are in it, as counted when it begins.
func TestBatchSlowsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 8, DecodeStep: milli(10), DecodePerSequence: milli(2)}, Options{})
		var wg sync.WaitGroup
		// a alone: steps of 10 ms from 0 on. b and c come at 5 and join at 10: steps of 14, ending at 24 and 38; b and c
		// have 3 tokens then. a goes on alone: 48.
		a := r.at(&wg, 0, "a", 1, 5)
		b := r.at(&wg, 5*millisecond, "b", 1, 3)
		c := r.at(&wg, 5*millisecond, "c", 1, 3)
		wg.Wait()
		for _, tc := range []struct {
			name string
			s    *seen
			want []time.Duration
		}{
			{"a", a, []time.Duration{0, 10 * millisecond, 24 * millisecond, 38 * millisecond, 48 * millisecond}},
			{"b", b, []time.Duration{0, 19 * millisecond, 33 * millisecond}},
			{"c", c, []time.Duration{0, 19 * millisecond, 33 * millisecond}},
		} {
			if got := tc.s.tokens(); !slices.Equal(got, tc.want) {
				t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
			}
		}
	})
}

func TestPrefixCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{PrefillPerToken: milli(1), PrefixCacheTokens: 10 * blockTokens}, Options{})
		for i, tc := range []struct {
			text   string
			cached int
		}{
			{prompt("a", 100), 0},
			{prompt("a", 100), 96},
			{prompt("a", 96), 80}, // the last token is always computed
			{prompt("a", 50) + " " + prompt("b", 50), 48},
			{prompt("b", 100), 0}, // 9 + 6 blocks, room for 10: the last 3 of a go, and the last 2 of ab
			{prompt("a", 100), 48},
			{"z " + prompt("a", 99), 0}, // the same words one place later are another prefix
		} {
			s := r.ask(t.Context(), "", tc.text, 1)
			input := len(strings.Fields(tc.text))
			if u := s.usage; u == nil || u.Details.Cached != tc.cached || u.Prompt != input {
				t.Errorf("request %d: usage %+v, want %d cached of %d", i, u, tc.cached, input)
				continue
			}
			if want := time.Duration(input-tc.cached) * millisecond; s.end != want {
				t.Errorf("request %d took %v, want %v", i, s.end, want)
			}
		}
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(10), RateLimit: 4}, Options{})
		statuses := func(n int) (all []int) {
			for range n {
				s := r.ask(t.Context(), "", "x", 1)
				all = append(all, s.status)
			}
			return all
		}
		// Four pass (one second's worth) within 40 ms; the fifth, at 45 ms at the server, would pass at 255 ms.
		if got := statuses(4); !slices.Equal(got, []int{200, 200, 200, 200}) {
			t.Errorf("the first four: %v", got)
		}
		s := r.ask(t.Context(), "late", "x", 1)
		if s.status != 429 || s.header.Get("Retry-After") != "1" || s.header.Get("Retry-After-Ms") != "210" || s.end != 10*millisecond || s.failure == "" {
			t.Errorf("the fifth: %+v", s)
		}
		if tr := r.truth("late"); tr.Outcome != OutcomeRateLimited || !tr.Admitted.IsZero() || !tr.FirstToken.IsZero() {
			t.Errorf("truth %+v", tr)
		}
		time.Sleep(200 * millisecond) // sent at 250, at the server at 255
		if got := statuses(2); !slices.Equal(got, []int{200, 429}) {
			t.Errorf("after the time that Retry-After named: %v", got)
		}
	})
}

func TestQueueLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 1, QueueLimit: 2, Overhead: milli(10)}, Options{})
		var wg sync.WaitGroup
		var all []*seen
		for i := range 5 {
			all = append(all, r.at(&wg, time.Duration(i)*millisecond, string(rune('a'+i)), 1, 1))
		}
		wg.Wait()
		var got []int
		for _, s := range all {
			got = append(got, s.status)
		}
		if !slices.Equal(got, []int{200, 200, 200, 503, 503}) {
			t.Errorf("%v", got)
		}
		if tr := r.truth("d"); tr.Outcome != OutcomeQueueFull {
			t.Errorf("truth %+v", tr)
		}
	})
}

// A client that leaves frees its slot, wherever its request is.
func TestDisconnectFreesSlot(t *testing.T) {
	for _, tc := range []struct {
		name    string
		leaves  time.Duration
		second  time.Duration // when the other, sent at 1 ms, is admitted at the server
		outputs int           // tokens due before
	}{
		{"in prefill", 6 * millisecond, 7 * millisecond, 0},
		{"in decode", 26 * millisecond, 27 * millisecond, 2},
		{"before it arrives", 500 * time.Microsecond, 2 * millisecond, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, workload.Simulation{Network: milli(2), Slots: 1, Overhead: milli(10), DecodeStep: milli(10)}, Options{})
				ctx, cancel := context.WithTimeout(t.Context(), tc.leaves)
				defer cancel()
				var wg sync.WaitGroup
				wg.Go(func() {
					if s := r.ask(ctx, "leaver", "x", 100); s.done {
						t.Error("the leaver got its whole answer")
					}
				})
				b := r.at(&wg, millisecond, "b", 1, 1)
				wg.Wait()
				if tr := r.truth("b"); tr.Admitted.Sub(r.start) != tc.second || !b.done {
					t.Errorf("the other was admitted at %v, want %v", tr.Admitted.Sub(r.start), tc.second)
				}
				if tr := r.truth("leaver"); tr.Outcome != OutcomeCancelled || tr.OutputTokens != tc.outputs {
					t.Errorf("truth %+v", tr)
				}
			})
		})
	}
}

func TestDisconnectInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 1, QueueLimit: 1, Overhead: milli(10)}, Options{})
		var wg sync.WaitGroup
		r.at(&wg, 0, "a", 1, 1)
		wg.Go(func() {
			time.Sleep(time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), millisecond)
			defer cancel()
			r.ask(ctx, "leaver", "x", 1)
		})
		c := r.at(&wg, 3*millisecond, "c", 1, 1) // has a place in the queue only if the leaver's is free
		wg.Wait()
		if tr := r.truth("c"); !c.done || tr.Admitted.Sub(r.start) != 10*millisecond {
			t.Errorf("c: %+v", tr)
		}
	})
}

func TestCloseBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{DecodeStep: milli(10)}, Options{})
		var wg sync.WaitGroup
		a := r.at(&wg, 0, "a", 1, 100)
		time.Sleep(25 * millisecond)
		r.server.Stop()
		wg.Wait()
		if a.done || a.err == nil || len(a.chunks) != 3 {
			t.Errorf("answer %+v", a)
		}
		if tr := r.truth("a"); tr.Outcome != OutcomeCancelled || tr.OutputTokens != 3 {
			t.Errorf("truth %+v", tr)
		}
	})
}
