package workload

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const excerpt = "azure-2023-conv-first300.csv"

// replayOf replays a trace of testdata/traces.
func replayOf(t *testing.T, trace Trace, p Phases) *Schedule {
	t.Helper()
	s, err := NewSchedule(&Scenario{Seed: 5, Dir: filepath.Join("testdata", "traces"), Phases: p, Arrivals: Arrivals{Shape: &Shape{Trace: &trace}}})
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	return s
}

// checkReplay holds the account of a replay: every row that was read is used or dropped for a reason.
func checkReplay(t *testing.T, s *Schedule) {
	t.Helper()
	r := s.Trace
	sum := r.Used
	for _, n := range r.Dropped {
		sum += n
	}
	if sum != r.Rows || r.Used*r.Copies != len(s.Times) || len(s.Times) != len(r.Arrivals) {
		t.Fatalf("%d rows read, %d used and dropped, %d arrivals, %d rows of lengths", r.Rows, sum, len(s.Times), len(r.Arrivals))
	}
	if !slices.IsSorted(s.Times) || len(s.Times) > 0 && (s.Times[0] < 0 || s.Times[len(s.Times)-1] >= s.Phases.Horizon().D()) {
		t.Fatal("arrivals are not ascending within the block")
	}
	for i, a := range r.Arrivals {
		if a.InputTokens < 0 || a.OutputTokens < 0 || r.Copies == 1 && i > 0 && a.Row <= r.Arrivals[i-1].Row {
			t.Fatalf("arrival %d is %+v", i, a)
		}
	}
}

func TestReplay(t *testing.T) {
	s := replayOf(t, Trace{Path: excerpt}, Phases{Warmup: sec(5), Measure: sec(70)})
	r := s.Trace
	if r.Rows != 300 || r.Used != 261 || !maps.Equal(r.Dropped, map[string]int{DropAfter: 39}) {
		t.Errorf("%d rows, %d used, dropped %v", r.Rows, r.Used, r.Dropped)
	}
	if r.Path != excerpt || r.SHA256 != "b2b8675769448754060373394daf2d7bbfdaebaba9c4d4535276d12d1e266e4f" {
		t.Errorf("%s has digest %s", r.Path, r.SHA256)
	}
	// The first two rows of the file, as it stands there: 46.6805900 and 50.9951690.
	if s.Times[0] != 0 || s.Times[1] != 4314579*time.Microsecond || !reflect.DeepEqual(r.Arrivals[1], Replayed{Row: 1, InputTokens: 396, OutputTokens: 109}) {
		t.Errorf("arrivals at %v, %v; %+v", s.Times[0], s.Times[1], r.Arrivals[1])
	}
	if !s.Open || s.String() != "trace "+excerpt || len(s.Windows()) != 0 {
		t.Errorf("open %v, %q, windows %v", s.Open, s, s.Windows())
	}
	// The rate is the count by the second.
	var sum float64
	for i := range 75 {
		sum += s.Rate(sec(i).D() + 300*time.Millisecond)
	}
	if sum != float64(r.Used) || s.Rate(time.Second) != 0 || s.Rate(4*time.Second) != 3 {
		t.Errorf("the rates of all seconds add to %g, of %d arrivals", sum, r.Used)
	}
}

func TestReplayOptions(t *testing.T) {
	all := replayOf(t, Trace{Path: excerpt}, Phases{Measure: sec(80)})
	row := func(s *Schedule, i int) int { return s.Trace.Arrivals[i].Row }

	t.Run("from", func(t *testing.T) {
		s := replayOf(t, Trace{Path: excerpt, From: sec(20)}, Phases{Measure: sec(60)})
		skipped := s.Trace.Dropped[DropBefore]
		if skipped == 0 || row(s, 0) != skipped || s.Times[0] != all.Times[skipped]-20*time.Second || all.Times[skipped-1] >= 20*time.Second {
			t.Errorf("%d rows skipped, the first arrival is row %d at %v", skipped, row(s, 0), s.Times[0])
		}
	})
	t.Run("speed", func(t *testing.T) {
		s := replayOf(t, Trace{Path: excerpt, Speed: 2}, Phases{Measure: sec(40)})
		if len(s.Times) != len(all.Times) {
			t.Fatalf("%d arrivals, want %d", len(s.Times), len(all.Times))
		}
		for i, at := range s.Times {
			if d := all.Times[i] - 2*at; d < -1 || d > 1 {
				t.Fatalf("arrival %d at %v, at single speed at %v", i, at, all.Times[i])
			}
		}
	})
	t.Run("thin", func(t *testing.T) {
		half := replayOf(t, Trace{Path: excerpt, Thin: 0.5}, Phases{Measure: sec(80)})
		// Binomial with n about 285: standard deviation 8.4.
		if n, want := len(half.Times), float64(len(all.Times))/2; math.Abs(float64(n)-want) > 34 {
			t.Errorf("%d of %d arrivals kept by thin 0.5", n, len(all.Times))
		}
		rows := map[int]bool{}
		for i := range half.Times {
			rows[row(half, i)] = true
			if at := all.Times[row(half, i)]; half.Times[i] != at {
				t.Fatalf("row %d arrives at %v, in full at %v", row(half, i), half.Times[i], at)
			}
		}
		// Keyed by row: a smaller share keeps a subset, and a later start keeps the same rows.
		tenth := replayOf(t, Trace{Path: excerpt, Thin: 0.1}, Phases{Measure: sec(80)})
		for i := range tenth.Times {
			if !rows[row(tenth, i)] {
				t.Errorf("row %d stays at thin 0.1 and goes at 0.5", row(tenth, i))
			}
		}
		late := replayOf(t, Trace{Path: excerpt, Thin: 0.5, From: sec(30)}, Phases{Measure: sec(50)})
		for i := range late.Times {
			if !rows[row(late, i)] {
				t.Errorf("row %d stays only with a later start", row(late, i))
			}
		}
	})
}

func TestReplayCountsDroppedRows(t *testing.T) {
	text := "TIMESTAMP,ContextTokens,GeneratedTokens\n" +
		"2024-05-10 00:00:00+00:00,1,1\n" + // before from
		"2024-05-10 00:00:01+00:00,0,0\n" +
		"2024-05-10 00:00:02+00:00,0,5\n" +
		"2024-05-10 00:00:02.5+00:00,5,0\n" +
		"2024-05-10 00:00:03+00:00,7,8\n" +
		"2024-05-10 00:00:10.9999+00:00,9,10\n" +
		"2024-05-10 00:00:11+00:00,1,1\n" + // the horizon itself
		"2150-01-01 00:00:00+00:00,1,1\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"x.csv", filepath.Join(dir, "x.csv")} {
		s, err := NewSchedule(&Scenario{Dir: dir, Phases: Phases{Measure: sec(10)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: path, From: sec(1)}}}})
		if err != nil {
			t.Fatal(err)
		}
		checkReplay(t, s)
		want := map[string]int{DropBefore: 1, DropNoInput: 2, DropNoOutput: 1, DropAfter: 2}
		if s.Trace.Rows != 8 || !maps.Equal(s.Trace.Dropped, want) {
			t.Errorf("%d rows, dropped %v, want %v", s.Trace.Rows, s.Trace.Dropped, want)
		}
		if !slices.Equal(s.Times, []time.Duration{2 * time.Second, 9999900 * time.Microsecond}) {
			t.Errorf("arrivals at %v", s.Times)
		}
	}
}

func TestReplayErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"header.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n",
		"zeros.csv":  "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00,0,1\n2024-05-10 01:00:00,0,1\n",
		"bad.csv":    "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00,1,1\n2024-05-10 01:00:00,x,1\n",
		"short.csv":  "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00,1,1\n2024-05-10 00:00:09,1,1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		trace Trace
		want  string
	}{
		{Trace{}, "trace.path is missing"},
		{Trace{Path: "none.csv"}, "arrivals.shape.trace: open "},
		{Trace{Path: "short.csv", Format: "parquet"}, `trace: format is "parquet"`},
		{Trace{Path: "short.csv", From: -1}, "trace.from is -1ns, want 0s or more"},
		{Trace{Path: "short.csv", Speed: -1}, "trace.speed is -1"},
		{Trace{Path: "short.csv", Speed: math.NaN()}, "trace.speed is NaN"},
		{Trace{Path: "short.csv", Thin: 2}, "trace.thin is 2"},
		{Trace{Path: "short.csv"}, "short.csv lasts 9s from its start at speed 1, and the phases need 10s"},
		{Trace{Path: "short.csv", From: sec(60)}, "short.csv lasts 0s from its start"},
		{Trace{Path: "short.csv", Dequantise: true}, "the time stamps of short.csv are in no steps that dequantise could spread them over: remove it"},
		{Trace{Path: "short.csv", Superpose: -1}, "trace.superpose is -1"},
		{Trace{Path: "header.csv"}, "header.csv has a header and no rows"},
		{Trace{Path: "zeros.csv"}, "nothing arrives in the measure phase"},
		{Trace{Path: "bad.csv"}, `bad.csv:3: ContextTokens is "x"`},
	}
	for _, c := range cases {
		_, err := NewSchedule(&Scenario{Dir: dir, Phases: Phases{Measure: sec(10)}, Arrivals: Arrivals{Shape: &Shape{Trace: &c.trace}}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want it to say %q", c.trace, err, c.want)
		}
	}
}

// TestAzureTraces replays the whole public traces and holds the figures against those that measurement.md section 2
// gives for them. It needs the shared folder beside the checkout.
func TestAzureTraces(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "traces", "azure-2023")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the traces are not beside the checkout: ", err)
	}
	cases := []struct {
		file          string
		rows, measure int
		rate, cv      string // as the table rounds them
		idc, peak     [3]string
		input, output float64 // mean lengths
	}{
		{"AzureLLMInferenceTrace_code.csv", 8819, 3435, "2.57", "13.15", [3]string{"13", "72", "167"}, [3]string{"26", "12.8", "4.18"}, 2048, 27.9},
		{"AzureLLMInferenceTrace_conv.csv", 19366, 3501, "5.53", "1.09", [3]string{"1.4", "3.9", "16"}, [3]string{"2.9", "1.8", "1.52"}, 1155, 211},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			s, err := NewSchedule(&Scenario{Dir: dir, Phases: Phases{Measure: sec(c.measure)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: c.file}}}})
			if err != nil {
				t.Fatal(err)
			}
			checkReplay(t, s)
			if s.Trace.Rows != c.rows || s.Trace.Dropped[DropNoInput]+s.Trace.Dropped[DropNoOutput] != 0 {
				t.Errorf("%d rows, dropped %v, want %d rows and none without tokens", s.Trace.Rows, s.Trace.Dropped, c.rows)
			}
			same := func(name string, got float64, want string) {
				t.Helper()
				digits := 0
				if _, fraction, ok := strings.Cut(want, "."); ok {
					digits = len(fraction)
				}
				if text := fmt.Sprintf("%.*f", digits, got); text != want {
					t.Errorf("%s is %s (%.4f), the table says %s", name, text, got, want)
				}
			}
			st := s.Stats()
			same("rate", st.Rate, c.rate)
			same("CV", *st.CV, c.cv)
			for i, d := range st.Dispersions {
				same(fmt.Sprint("IDC at ", d.Width), *d.IDC, c.idc[i])
				same(fmt.Sprint("peak/mean at ", d.Width), *d.PeakToMean, c.peak[i])
			}
			var in, out float64
			for _, a := range s.Trace.Arrivals {
				in += float64(a.InputTokens)
				out += float64(a.OutputTokens)
			}
			n := float64(len(s.Trace.Arrivals))
			if in /= n; math.Abs(in-c.input) > 0.005*c.input {
				t.Errorf("mean input %.1f, the table says %g", in, c.input)
			}
			if out /= n; math.Abs(out-c.output) > 0.005*c.output {
				t.Errorf("mean output %.1f, the table says %g", out, c.output)
			}
		})
	}
}

// FuzzReplay: whatever the file, there is an error that names it, or every row is accounted for.
func FuzzReplay(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "traces", excerpt))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:600], int64(0), 1.0, 1.0)
	f.Add([]byte("TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,1,1\n2199-05-10 00:00:00.009930+00:00,0,1"), int64(1e9), 1000.0, 0.5)
	f.Add([]byte("GeneratedTokens,TIMESTAMP,ContextTokens\n1,\"1970-01-01 00:00:00\",0\n"), int64(math.MaxInt64), 0.001, 0.01)
	f.Add([]byte("\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\r\n\"\r\n"), int64(-1), math.NaN(), -1.0)
	f.Fuzz(func(t *testing.T, text []byte, from int64, speed, thin float64) {
		plan, err := newReplayPlan(&Scenario{Seed: 1, Phases: Phases{Warmup: sec(1), Measure: sec(10)}},
			&Trace{Path: "t.csv", From: Duration(from), Speed: speed, Thin: thin})
		if err != nil {
			return
		}
		var times []time.Duration
		var replay *Replay
		file, err := newTraceFile(bytes.NewReader(text), &Trace{Path: "t.csv", Format: "azure"})
		if err == nil {
			times, replay, err = plan.read(file)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "t.csv") || len(err.Error()) > 1000 {
				t.Fatalf("an error that does not name the file, or is too long: %v", err)
			}
			return
		}
		checkReplay(t, &Schedule{Open: true, Phases: Phases{Warmup: sec(1), Measure: sec(10)}, Times: times, Trace: replay})
	})
}
