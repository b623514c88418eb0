package workload

import (
	"cmp"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TestTurnsFollowTheirLaw holds drawn numbers of turns against the mean and variance of the law.
func TestTurnsFollowTheirLaw(t *testing.T) {
	geometric := func(mean float64, limit int) (m, v float64) { // P(n) = p q^(n-1), all beyond the limit at it
		q, left := 1-1/mean, 1.0
		var second float64
		for n := 1; n <= limit; n++ {
			p := left / mean
			if n == limit {
				p = left
			}
			m, second, left = m+p*float64(n), second+p*float64(n)*float64(n), left*q
		}
		return m, second - m*m
	}
	uncut, uncutVar := geometric(5, 100)
	cut, cutVar := geometric(5, 4)
	if math.Abs(uncut-5) > 1e-6 || math.Abs(uncutVar-20) > 1e-3 { // the closed form: 1/p and q/p²
		t.Fatalf("a geometric law of mean 5 has %g and %g", uncut, uncutVar)
	}
	for _, c := range []struct {
		turns    *Turns
		mean, va float64
	}{
		{&Turns{Fixed: new(7)}, 7, 0},
		{&Turns{Geometric: &Geometric{Mean: 5, Max: 100}}, uncut, uncutVar},
		{&Turns{Geometric: &Geometric{Mean: 5, Max: 4}}, cut, cutVar},
		{&Turns{Geometric: &Geometric{Mean: 1, Max: 9}}, 1, 0},
		{&Turns{Uniform: &TurnRange{Min: 2, Max: 8}}, 5, 4},
		{&Turns{Empirical: []int{1, 1, 10}}, 4, 18},
	} {
		const n = 40000
		var sum, squares float64
		r := stat.Keyed(3, "turns", 0)
		for range n {
			v := float64(c.turns.draw(r))
			sum, squares = sum+v, squares+v*v
		}
		mean := sum / n
		if va := squares/n - mean*mean; math.Abs(mean-c.mean) > 4*math.Sqrt(c.va/n)+1e-9 || math.Abs(va-c.va) > 0.1*c.va+1e-9 {
			t.Errorf("%+v: mean %.3f, want %.3f; variance %.3f, want %.3f", c.turns, mean, c.mean, va, c.va)
		}
	}
}

// TestDelaysFollowTheirLaw holds drawn times against the mean of the law, or its median.
func TestDelaysFollowTheirLaw(t *testing.T) {
	s := Duration(time.Second)
	for _, c := range []struct {
		name         string
		delays       *Delays
		mean, median float64 // seconds; 0: not looked at
		most         Duration
	}{
		{"none", nil, 0, 0, 0},
		{"fixed", &Delays{Fixed: new(3 * s)}, 3, 3, 3 * s},
		{"uniform", &Delays{Uniform: &DelayRange{Min: 2 * s, Max: 10 * s}}, 6, 6, 10 * s},
		{"exponential", &Delays{Exponential: &ExponentialDelay{Mean: 4 * s}}, 4, 4 * math.Ln2, 0},
		{"exponential, cut", &Delays{Exponential: &ExponentialDelay{Mean: 4 * s, Max: 4 * s}}, 4 * (1 - math.Exp(-1)), 4 * math.Ln2, 4 * s},
		{"lognormal", &Delays{Lognormal: &LognormalDelay{Median: 8 * s, Sigma: 0.8}}, 8 * math.Exp(0.32), 8, 0},
		{"lognormal, cut", &Delays{Lognormal: &LognormalDelay{Median: 8 * s, Sigma: 3, Max: 20 * s}}, 0, 8, 20 * s},
		{"empirical", &Delays{Empirical: []Duration{s, s, 10 * s}}, 4, 1, 10 * s},
	} {
		const n = 40000
		var sum float64
		below := 0
		r := stat.Keyed(3, "delays", 0)
		for range n {
			d := c.delays.draw(r)
			if d < 0 || c.most > 0 && d > c.most {
				t.Fatalf("%s: %v", c.name, d)
			}
			sum += time.Duration(d).Seconds()
			if time.Duration(d).Seconds() <= c.median+1e-9 {
				below++
			}
		}
		if c.mean > 0 && math.Abs(sum/n/c.mean-1) > 0.03 {
			t.Errorf("%s: mean %.3f s, want %.3f", c.name, sum/n, c.mean)
		}
		if c.median > 0 && float64(below)/n < 0.485 {
			t.Errorf("%s: %d of %d at most the median %.3f", c.name, below, n, c.median)
		}
	}
}

func talkSource(t *testing.T, sessions string, more ...Override) *Source {
	t.Helper()
	s := parse(t, small, append([]Override{OverrideSet("prompts={synthetic: {input: {uniform: {min: 50, max: 150}}, output: {fixed: 5}}}"),
		OverrideSet("sessions=" + sessions)}, more...)...)
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestFollow: a turn is a pure function of the seed, the request before it and the answer; the conversation goes on as it
// was and ends for a reason that is named.
func TestFollow(t *testing.T) {
	src := talkSource(t, "{turns: {fixed: 3}, think: {uniform: {min: 1s, max: 9s}}, input: {uniform: {min: 5, max: 30}}, output: {fixed: 17}, max_context: 400}")
	thinks := map[Duration]bool{}
	for i := range 50 {
		req := src.Request(i, Nonce{Approach: "edge"})
		if req.Turn != 1 || req.Turns != 3 || req.Context != 0 {
			t.Fatalf("request %d is turn %d of %d", i, req.Turn, req.Turns)
		}
		answer := Reply{Text: "So it is.", OutputTokens: new(3)}
		next, think, end := src.Follow(&req, answer)
		again, thinkAgain, _ := src.Follow(&req, answer)
		if end != "" || !reflect.DeepEqual(next, again) || think != thinkAgain {
			t.Fatalf("request %d: %q, %v and %v", i, end, think, thinkAgain)
		}
		thinks[think] = true
		said := next.Messages[len(next.Messages)-1].Content
		added := len(strings.Fields(said))
		if next.Turn != 2 || next.MaxTokens != 17 || next.Context != req.InputTokens+3 || next.InputTokens != next.Context+added || added < 5 || added > 30 || think < Duration(time.Second) {
			t.Errorf("request %d: %+v after %v", i, next, think)
		}
		// The server's own count wins.
		if counted, _, _ := src.Follow(&req, Reply{Text: "x", InputTokens: new(200), OutputTokens: new(10)}); counted.Context != 210 {
			t.Errorf("request %d: a context of %d tokens, the server counted 210", i, counted.Context)
		}
		// Where it does not say how many tokens of the answer go on, the workload counts.
		if uncounted, _, _ := src.Follow(&req, Reply{Text: "So it is.", InputTokens: new(200)}); uncounted.Context != 203 {
			t.Errorf("request %d: a context of %d tokens after 200 and three words", i, uncounted.Context)
		}
		for want, reply := range map[SessionEnd]Reply{SessionNoText: {}, SessionContextFull: {Text: "x", InputTokens: new(390), OutputTokens: new(10)}} {
			if _, _, end := src.Follow(&req, reply); end != want {
				t.Errorf("request %d ended %q, want %q", i, end, want)
			}
		}
		last, _, _ := src.Follow(&next, answer)
		if _, _, end := src.Follow(&last, answer); last.Turn != 3 || end != SessionComplete {
			t.Errorf("request %d: turn %d of 3 ended %q", i, last.Turn, end)
		}
	}
	if len(thinks) < 50 {
		t.Errorf("%d different times of thinking in 50", len(thinks))
	}
}

// TestFollowOfOtherPrompts: without lengths of their own, later turns get those of the prompts, pairs drawn together.
func TestFollowOfOtherPrompts(t *testing.T) {
	for prompts, want := range map[string][2]int{
		"{synthetic: {input: {fixed: 40}, output: {fixed: 7}}}": {40, 7},
		"{synthetic: {pairs: [[33, 9]]}}":                       {33, 9},
	} {
		src := talkSource(t, "{turns: {fixed: 2}, think: {fixed: 0s}}", OverrideSet("prompts="+prompts))
		req := src.Request(0, Nonce{})
		next, think, end := src.Follow(&req, Reply{Text: "yes"})
		if input := next.InputTokens - next.Context; end != "" || think != 0 || input != want[0] || next.MaxTokens != want[1] {
			t.Errorf("%s: %d tokens for %d after %v, %q", prompts, input, next.MaxTokens, think, end)
		}
	}
}

// TestPatienceIsTheUsers: patience is drawn for each turn, the same for all approaches, and never 0.
func TestPatienceIsTheUsers(t *testing.T) {
	src := talkSource(t, "{turns: {fixed: 2}, think: {fixed: 0s}}", OverrideSet("patience={first_token: {exponential: {mean: 3s}}, answer: {empirical: [0s, 5s]}}"))
	short := 0
	for i := range 200 {
		a, b := src.Request(i, Nonce{Approach: "a"}), src.Request(i, Nonce{Approach: "b"})
		next, _, _ := src.Follow(&a, Reply{Text: "x"})
		if a.Patience != b.Patience || next.Patience == a.Patience || a.Patience.FirstToken <= 0 || a.Patience.Answer <= 0 {
			t.Fatalf("request %d: %+v, %+v, then %+v", i, a.Patience, b.Patience, next.Patience)
		}
		if a.Patience.FirstToken < 3*time.Second {
			short++
		}
	}
	if share := float64(short) / 200; math.Abs(share-(1-math.Exp(-1))) > 0.14 {
		t.Errorf("%.2f of the users wait less than the mean", share)
	}
}

// TestForesee: with answers as long as they were asked for, in tokens and in time, the requests are those that were foreseen.
func TestForesee(t *testing.T) {
	s := parse(t, small, OverrideSet("prompts={synthetic: {input: {uniform: {min: 50, max: 150}}, output: {uniform: {min: 5, max: 50}}}}"),
		OverrideSet("sessions={turns: {geometric: {mean: 4}}, think: {exponential: {mean: 2s}}, max_context: 500}"))
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(tokens int) time.Duration { return time.Second + time.Duration(tokens)*10*time.Millisecond }
	var want []Arrival
	ends := map[SessionEnd]int{}
	for i, at := range sched.Times {
		for req := src.Request(i, Nonce{}); ; {
			want = append(want, Arrival{at, req.InputTokens, req.MaxTokens})
			next, think, end := src.Follow(&req, Reply{Text: "x", OutputTokens: new(req.MaxTokens)})
			at += answer(req.MaxTokens) + think.D()
			if end == "" && at >= sched.Phases.Horizon().D() {
				end = SessionCutOff
			}
			if end != "" {
				ends[end]++
				break
			}
			req = next
		}
	}
	slices.SortStableFunc(want, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	if got := src.Foresee(sched, answer); !slices.Equal(got, want) || len(ends) != 3 {
		t.Errorf("%d requests foreseen, %d to come; ends %v", len(got), len(want), ends)
	}
}

// TestClassesConverse: in a mix each class has conversations and patience of its own, or none; the scenario's patience is that
// of the others.
func TestClassesConverse(t *testing.T) {
	const text = `
name: mixed
phases: {measure: 60s}
patience: {answer: {fixed: 90s}}
mix:
  - name: chat
    arrivals: {rate: 2/s}
    prompts: {synthetic: {input: {fixed: 50}, output: {fixed: 5}}}
    sessions: {turns: {fixed: 3}, think: {fixed: 1s}, input: {fixed: 7}}
    patience: {first_token: {fixed: 10s}}
  - name: batch
    arrivals: {rate: 1/s}
    prompts: {synthetic: {input: {fixed: 900}, output: {fixed: 9}}}
approaches: [{name: a, url: "http://127.0.0.1:1/v1"}]
`
	s := parse(t, text)
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range sched.Times {
		req := src.Request(i, Nonce{})
		seen[req.Class]++
		next, think, end := src.Follow(&req, Reply{Text: "so", OutputTokens: new(1)})
		switch req.Class {
		case "chat":
			if req.Turn != 1 || src.Turns(i) != 3 || req.Patience != (Waits{FirstToken: 10 * time.Second}) {
				t.Fatalf("%+v", req)
			}
			if end != "" || think != Duration(time.Second) || next.Index != i || next.Class != "chat" || next.Turn != 2 || next.InputTokens != 58 {
				t.Fatalf("%+v after %v, %q", next, think, end)
			}
		case "batch":
			if req.Turn != 0 || src.Turns(i) != 1 || req.Patience != (Waits{Answer: 90 * time.Second}) || end != SessionComplete {
				t.Fatalf("%+v, %q", req, end)
			}
		}
	}
	foreseen := src.Foresee(sched, func(int) time.Duration { return 0 })
	if want := 3*seen["chat"] + seen["batch"]; len(foreseen) > want || len(foreseen) < want-12 || seen["chat"] == 0 || !s.Converses() {
		t.Errorf("%d requests foreseen of %v", len(foreseen), seen)
	}
}

// TestDatasetConversations: a session plays a row's messages of the user one by one, with the real answers between them, and
// asks for answers as long as the recorded ones.
func TestDatasetConversations(t *testing.T) {
	dir := t.TempDir()
	rows := `[{"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "one"}, {"from": "gpt", "value": "a b c"}, {"from": "human", "value": "two words"}, {"from": "gpt", "value": "d"}, {"from": "human", "value": "three"}]},
{"conversations": [{"from": "human", "value": "alone"}, {"from": "gpt", "value": "e f"}]}]`
	if err := os.WriteFile(filepath.Join(dir, "talks.json"), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	for turns, want := range map[string]int{"": 3, "turns: {fixed: 2}, ": 2, "turns: {fixed: 9}, ": 3} {
		s := parse(t, small, OverrideSet("prompts={dataset: {path: talks.json, recorded_output: true, output: {fixed: 40}}}"), OverrideSet("sessions={"+turns+"think: {fixed: 1s}}"))
		s.Dir = dir
		sched, err := NewSchedule(s)
		if err != nil {
			t.Fatal(err)
		}
		src, err := NewSource(s, sched)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for i := range sched.Times {
			req := src.Request(i, Nonce{})
			seen[req.Turns] = true
			if req.Turns == 1 {
				if _, _, end := src.Follow(&req, Reply{Text: "x"}); !strings.HasSuffix(req.Messages[0].Content, "\nalone") || req.MaxTokens != 2 || end != SessionComplete {
					t.Fatalf("%+v, %q", req, end)
				}
				continue
			}
			// The nonce is eight words, and stands before the row's first message.
			if req.Turns != want || len(req.Messages) != 2 || req.Messages[1].Content != "one" || req.MaxTokens != 3 || req.InputTokens != NonceWords+3 {
				t.Fatalf("%+v", req)
			}
			next, _, end := src.Follow(&req, Reply{Text: "really", OutputTokens: new(1)})
			if end != "" || next.Messages[2].Content != "really" || next.Messages[3].Content != "two words" || next.MaxTokens != 1 || next.InputTokens != NonceWords+3+1+2 {
				t.Fatalf("%+v, %q", next, end)
			}
			last, _, end := src.Follow(&next, Reply{Text: "so", OutputTokens: new(1)})
			if want == 2 && end != SessionComplete || want == 3 && (end != "" || last.Messages[5].Content != "three" || last.MaxTokens != 40) {
				t.Fatalf("%+v, %q", last, end)
			}
		}
		if !seen[1] || !seen[want] {
			t.Errorf("%s: conversations of %v turns", turns, seen)
		}
	}
}
