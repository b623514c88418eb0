package workload

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TestSuperpose: every used row arrives once per copy, the first copy as recorded, the others shifted as a whole.
func TestSuperpose(t *testing.T) {
	phases := Phases{Warmup: sec(5), Measure: sec(70)}
	one := replayOf(t, Trace{Path: excerpt}, phases)
	three := replayOf(t, Trace{Path: excerpt, Superpose: 3}, phases)
	if len(three.Times) != 3*len(one.Times) || three.Trace.Used != one.Trace.Used || three.Trace.Copies != 3 {
		t.Fatalf("%d arrivals of %d rows, one copy has %d", len(three.Times), three.Trace.Used, len(one.Times))
	}
	horizon := phases.Horizon().D()
	shifts := map[int]map[time.Duration]int{}
	at := map[int]time.Duration{}
	for i, a := range one.Trace.Arrivals {
		at[a.Row] = one.Times[i]
	}
	for i, a := range three.Trace.Arrivals {
		if shifts[a.Copy] == nil {
			shifts[a.Copy] = map[time.Duration]int{}
		}
		shifts[a.Copy][(three.Times[i]-at[a.Row]+horizon)%horizon]++
	}
	seen := map[time.Duration]bool{}
	for c := range 3 {
		if len(shifts[c]) != 1 {
			t.Fatalf("copy %d is shifted by %v", c, shifts[c])
		}
		for d, n := range shifts[c] {
			if n != len(one.Times) || seen[d] || (c == 0) != (d == 0) {
				t.Errorf("copy %d: %d arrivals are shifted by %v", c, n, d)
			}
			seen[d] = true
		}
	}
}

// TestBusiestWindow: the part that is replayed is the one that a search over all rows finds.
func TestBusiestWindow(t *testing.T) {
	all := replayOf(t, Trace{Path: excerpt}, Phases{Measure: sec(80)})
	s := replayOf(t, Trace{Path: excerpt, Window: &TraceWindow{Busiest: Duration(10 * time.Second)}}, Phases{Measure: sec(10)})
	best := 0
	for _, from := range all.Times {
		best = max(best, len(all.between(from, from+10*time.Second)))
	}
	if len(s.Times) != best || s.Times[0] != 0 || s.Trace.Dropped[DropWindow] != 300-best || s.Trace.Dropped[DropAfter] != 0 {
		t.Errorf("%d arrivals from %v on, dropped %v; want %d", len(s.Times), s.Times[0], s.Trace.Dropped, best)
	}
	_, err := NewSchedule(&Scenario{Dir: filepath.Join("testdata", "traces"), Phases: Phases{Measure: sec(11)},
		Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: excerpt, Window: &TraceWindow{Busiest: Duration(10 * time.Second)}}}}})
	if err == nil || !strings.Contains(err.Error(), "lasts 10s from its start at speed 1, and the phases need 11s") {
		t.Errorf("a window shorter than the phases: %v", err)
	}
}

// TestBusyWindow holds the streamed search against a plain one.
func TestBusyWindow(t *testing.T) {
	r := stat.Keyed(9, "busy", 0)
	var times []time.Duration
	b := busyWindow{length: time.Minute}
	for at := time.Duration(0); len(times) < 20000; at += time.Duration(r.Gamma(0.2) * 1e9) {
		times = append(times, at)
		b.add(at)
	}
	most, from := 0, time.Duration(0)
	for i, at := range times {
		n, _ := slices.BinarySearch(times, at+time.Minute)
		if n -= i; n > most {
			most, from = n, at
		}
	}
	if b.most != most || b.from != from {
		t.Errorf("%d from %v, want %d from %v", b.most, b.from, most, from)
	}
}

// TestThinBySession: a conversation stays or goes whole.
func TestThinBySession(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		parent := -1
		if i >= 1000 {
			parent = i - 1000
		}
		fmt.Fprintf(&text, `{"chat_id": %d, "parent_chat_id": %d, "timestamp": %d, "input_length": 20, "output_length": 5, "turn": %d, "hash_ids": [1, 2]}`+"\n",
			i, parent, i, i/1000+1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "chats.jsonl"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := NewSchedule(&Scenario{Seed: 2, Dir: dir, Phases: Phases{Measure: sec(2999)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: "chats.jsonl", Thin: 0.3}}}})
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	turns := map[int]int{}
	for _, a := range s.Trace.Arrivals {
		turns[a.Row%1000]++
	}
	for session, n := range turns {
		if n != 3 && session != 999 { // the very last row lies at the end
			t.Fatalf("%d of 3 turns of conversation %d stay", n, session)
		}
	}
	if n := float64(len(turns)); math.Abs(n-300) > 4*math.Sqrt(1000*0.3*0.7) {
		t.Errorf("%v of 1000 conversations stay at thin 0.3", n)
	}
}

// azureLike generates an Azure trace of n rows, without holding it.
type azureLike struct {
	n    int
	at   time.Duration
	r    *stat.Rand
	text []byte
}

func newAzureLike(n int) *azureLike {
	return &azureLike{n: n, r: stat.Keyed(1, "azure-like", 0), text: []byte("TIMESTAMP,ContextTokens,GeneratedTokens\n")}
}

func (a *azureLike) Read(p []byte) (int, error) {
	for len(a.text) < len(p) && a.n > 0 {
		a.n--
		a.at += time.Duration(a.r.Exp() * 0.05 * 1e9)
		a.text = time.Unix(1700000000, 0).UTC().Add(a.at).AppendFormat(a.text, "2006-01-02 15:04:05.0000000")
		a.text = fmt.Appendf(a.text, ",%d,%d\n", 1+int(a.r.Lognormal(1000, 1)), 1+int(a.r.Lognormal(150, 0.9)))
	}
	if len(a.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, a.text)
	a.text = append(a.text[:0], a.text[n:]...)
	return n, nil
}

// TestInspectStreams: what an inspection holds does not grow with the rows. Ten times the rows take ten times the minutes,
// 8 bytes each, and no more.
func TestInspectStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 440,000 rows")
	}
	heap := func(rows int) int64 {
		f, err := newTraceFile(newAzureLike(rows), &Trace{Path: "t.csv"})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := inspectFile(f)
		var highest uint64
		var m runtime.MemStats
		err = eachRow(f.rows, func(r *TraceRow) {
			in.add(r)
			if in.p.Rows%(rows/4) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapAlloc)
			}
		})
		if err != nil || in.p.Used != rows {
			t.Fatalf("%d of %d rows: %v", in.p.Used, rows, err)
		}
		p, err := in.profile()
		if err != nil {
			t.Fatal(err)
		}
		checkProfile(t, p)
		return int64(highest)
	}
	few, many := heap(40_000), heap(400_000)
	if growth := many - few; growth > 4<<20 {
		t.Errorf("the heap grows by %d bytes from 40,000 to 400,000 rows", growth)
	}
}

// BenchmarkReplay plans 10^6 arrivals from a trace.
func BenchmarkReplay(b *testing.B) {
	var text strings.Builder
	if _, err := io.Copy(&text, newAzureLike(1_000_001)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		plan, err := newReplayPlan(&Scenario{Phases: Phases{Measure: sec(48000)}}, &Trace{Path: "t.csv"})
		if err != nil {
			b.Fatal(err)
		}
		f, err := newTraceFile(strings.NewReader(text.String()), &Trace{Path: "t.csv"})
		if err != nil {
			b.Fatal(err)
		}
		if times, _, err := plan.read(f); err != nil || len(times) < 950_000 {
			b.Fatal(len(times), err)
		}
	}
}
