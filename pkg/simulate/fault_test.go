package simulate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

func TestFaults(t *testing.T) {
	// Five tokens alone at 20 (head), 30, 40, 50, 60, 70 ms; half of them are three.
	const sse, plain = true, false
	for _, tc := range []struct {
		kind   string
		stream bool
		status int
		tokens int
		end    time.Duration
		check  func(*seen) bool
	}{
		{faultHTTP500, sse, 500, 0, 20, func(s *seen) bool { return s.failure != "" }},
		{faultHTTP503, sse, 503, 0, 20, func(s *seen) bool { return s.failure != "" }},
		{faultErrorBody, sse, 200, 0, 20, func(s *seen) bool { return s.failure != "" && s.header.Get("Content-Type") == "application/json" }},
		{faultErrorEvent, sse, 200, 3, 50, func(s *seen) bool { return s.failure != "" && s.done && s.finish == "" && s.err == nil }},
		{faultTruncate, sse, 200, 3, 50, func(s *seen) bool { return !s.done && s.finish == "" && s.err == nil }},
		{faultMalformed, sse, 200, 3, 50, func(s *seen) bool { return !s.done && s.err != nil }},
		{faultEmpty, sse, 200, 0, 30, func(s *seen) bool { return s.done && s.finish == "length" && s.usage.Completion == 0 && s.err == nil }},
		{faultReset, sse, 200, 3, 50, func(s *seen) bool { return !s.done && errors.Is(s.err, io.ErrUnexpectedEOF) }},
		{faultHTTP500, plain, 500, 0, 20, func(s *seen) bool { return s.failure != "" }},
		{faultErrorBody, plain, 200, 0, 20, func(s *seen) bool { return s.failure != "" }},
		{faultErrorEvent, plain, 200, 0, 50, func(s *seen) bool { return s.failure != "" }},
		{faultTruncate, plain, 200, 0, 50, func(s *seen) bool { return errors.Is(s.err, io.ErrUnexpectedEOF) }},
		{faultMalformed, plain, 200, 0, 50, func(s *seen) bool { return s.err != nil && !errors.Is(s.err, io.ErrUnexpectedEOF) }},
		{faultEmpty, plain, 200, 0, 30, func(s *seen) bool { return s.err == nil && s.usage.Completion == 0 && s.finish == "length" }},
		{faultReset, plain, 0, 0, 50, func(s *seen) bool { return s.err != nil }},
	} {
		t.Run(fmt.Sprintf("%s stream=%v", tc.kind, tc.stream), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, workload.Simulation{Network: milli(20), Slots: 1, Overhead: milli(10), DecodeStep: milli(10),
					Faults: []workload.Fault{{Kind: tc.kind, Probability: 1}}}, Options{})
				s := r.send(t.Context(), "a", fmt.Sprintf(`{"stream":%v,"stream_options":{"include_usage":true},"max_tokens":5,"messages":[{"role":"user","content":"x"}]}`, tc.stream))
				if s.status != tc.status || len(s.tokens()) != tc.tokens || s.end != tc.end*millisecond || !tc.check(s) {
					t.Errorf("answer %+v, usage %+v", s, s.usage)
				}
				tr := r.truth("a")
				if tr.Outcome != tc.kind {
					t.Errorf("outcome %q", tr.Outcome)
				}
				if tc.stream && tr.OutputTokens != tc.tokens {
					t.Errorf("truth says %d tokens", tr.OutputTokens)
				}
				// The slot is free again.
				if s := r.send(t.Context(), "", `{}`); s.status != 400 {
					t.Errorf("after it: %+v", s)
				}
			})
		})
	}
}

func TestFaultFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 1, Overhead: milli(10), DecodeStep: milli(10),
			Faults: []workload.Fault{{Kind: faultTruncate, Probability: 1}}}, Options{})
		var wg sync.WaitGroup
		r.at(&wg, 0, "a", 1, 6) // three tokens, at 10, 20 and 30
		r.at(&wg, millisecond, "b", 1, 1)
		wg.Wait()
		if tr := r.truth("b"); tr.Admitted.Sub(r.start) != 30*millisecond {
			t.Errorf("admitted at %v", tr.Admitted.Sub(r.start))
		}
	})
}

// A hung request sends its head and nothing else, and holds no slot.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Slots: 1, Faults: []workload.Fault{{Kind: faultHang, Probability: 0.5}}}, Options{Seed: 3})
		r.client.Timeout = time.Hour
		hung, ok := 0, 0
		for i := range 20 {
			s := r.ask(t.Context(), fmt.Sprint(i), "x", 3)
			switch tr := r.truth(fmt.Sprint(i)); {
			case s.done && s.end == 0 && tr.Outcome == OutcomeOK:
				ok++
			case !s.done && s.status == 200 && s.head == 0 && s.end == time.Hour && tr.Outcome == faultHang && len(s.chunks) == 0:
				hung++
			default:
				t.Errorf("answer %+v", s)
			}
		}
		if hung < 4 || ok < 4 {
			t.Errorf("%d hung, %d did not", hung, ok)
		}
	})
}

// Over TCP a reset is a reset.
func TestResetOverTCP(t *testing.T) {
	s, err := Start(t.Context(), workload.Simulation{Faults: []workload.Fault{{Kind: faultReset, Probability: 1}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	client, leave := tcpClient()
	defer leave()
	resp, err := client.Post(s.URL+"/chat/completions", "application/json",
		strings.NewReader(`{"stream":true,"max_tokens":10,"messages":[{"role":"user","content":"x"}]}`))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v", err)
	}
}

// Each kind comes as often as its probability says, and the same requests are hit for the same seed.
func TestFaultFrequency(t *testing.T) {
	faults := []workload.Fault{{Kind: faultHTTP500, Probability: 0.1}, {Kind: faultStall}, {Kind: faultReset, Probability: 0.02}}
	const n = 100_000
	count := map[string]int{}
	for i := range uint64(n) {
		count[drawFault(faults, 7, i)]++
	}
	for kind, p := range map[string]float64{"": 0.88, faultHTTP500: 0.1, faultReset: 0.02} {
		if off := math.Abs(float64(count[kind]) - n*p); off > 4*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%q: %d of %d, want %v", kind, count[kind], n, n*p)
		}
	}
	if len(count) != 3 {
		t.Errorf("%v", count)
	}
}

// A stall of 100 ms at 35 ms delays what is under way by just that, and holds what arrives until its end; what is on
// the network already still arrives.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{Network: milli(20), Slots: 10, Overhead: milli(10), DecodeStep: milli(10),
			Faults: []workload.Fault{{Kind: faultStall, At: milli(35), For: milli(100)}}}, Options{})
		var wg sync.WaitGroup
		a := r.at(&wg, 0, "a", 1, 4)              // made at 20, 30, 140, 150
		b := r.at(&wg, 50*millisecond, "b", 1, 1) // at the server at 60, admitted at 135, made at 145
		c := r.at(&wg, 24*millisecond, "c", 1, 1) // at the server at 34, made at 144
		wg.Wait()
		for _, tc := range []struct {
			name string
			s    *seen
			want []time.Duration // at the client, from sending
		}{
			{"a", a, []time.Duration{30 * millisecond, 40 * millisecond, 150 * millisecond, 160 * millisecond}},
			{"b", b, []time.Duration{105 * millisecond}},
			{"c", c, []time.Duration{130 * millisecond}},
		} {
			if got := tc.s.tokens(); !slices.Equal(got, tc.want) {
				t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
			}
		}
		if tr := r.truth("b"); tr.Queue != 75*millisecond || tr.Prefill != 10*millisecond {
			t.Errorf("b: %+v", tr)
		}
		if tr := r.truth("c"); tr.Queue != 0 || tr.Prefill != 110*millisecond {
			t.Errorf("c: %+v", tr)
		}
	})
}

// The faults' clock starts with the first request, or where the caller says.
func TestStallEpoch(t *testing.T) {
	for _, tc := range []struct {
		name  string
		epoch time.Duration // of the faults, from the server's start; negative: none
		want  time.Duration // end of a request sent at 1 s
	}{
		{"first request", -1, 110 * millisecond},
		{"given", 900 * millisecond, 10 * millisecond}, // the stall is over
		{"given, under way", 990 * millisecond, 100 * millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := Options{}
				if tc.epoch >= 0 {
					o.Epoch = time.Now().Add(tc.epoch)
				}
				r := newRig(t, workload.Simulation{Overhead: milli(10), Faults: []workload.Fault{{Kind: faultStall, For: milli(100)}}}, o)
				time.Sleep(time.Second)
				if s := r.ask(t.Context(), "", "x", 1); s.end != tc.want {
					t.Errorf("took %v, want %v", s.end, tc.want)
				}
			})
		})
	}
}

// Whatever the stalls: machine time never goes back, stands still in each, and real is its inverse.
func TestStallClock(t *testing.T) {
	const s = workload.Duration(time.Second)
	c := newStallClock([]workload.Fault{{Kind: faultStall, At: 30 * s, For: 5 * s}, {Kind: faultStall, At: 10 * s, For: 4 * s},
		{Kind: faultStall, At: 12 * s, For: 6 * s}, {Kind: faultHang}}, time.Second)
	// Stalls are [11 s, 19 s) and [31 s, 36 s).
	for _, tc := range []struct{ real, machine float64 }{{0, 0}, {11, 11}, {15, 11}, {19, 11}, {20, 12}, {31, 23}, {36, 23}, {40, 27}} {
		if got := c.machine(seconds(tc.real)); got != seconds(tc.machine) {
			t.Errorf("machine(%v s) = %v, want %v s", tc.real, got, tc.machine)
		}
	}
	for _, tc := range []struct{ machine, real float64 }{{0, 0}, {10.9, 10.9}, {11, 19}, {12, 20}, {22.9, 30.9}, {23, 36}, {27, 40}} {
		if got := c.real(seconds(tc.machine)); got != seconds(tc.real) {
			t.Errorf("real(%v s) = %v, want %v s", tc.machine, got, tc.real)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
