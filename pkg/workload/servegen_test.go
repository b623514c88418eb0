package workload

import (
	"errors"
	"fmt"
	"io"
	"maps"
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

// clients writes ServeGen clients into a folder: for each its windows, and its lengths where there are any.
func clients(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// rowsOf reads a trace to its end.
func rowsOf(t *testing.T, f *TraceFile) []TraceRow {
	t.Helper()
	defer f.Close()
	var rows []TraceRow
	if err := eachRow(f.rows, func(r *TraceRow) { rows = append(rows, *r) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

var twoClients = map[string]string{
	"a-trace.csv":    "0,2,1,Gamma,1,0.5\n600,0,0,,0,0\n1200,4,3,Gamma,0.1,1\n1800,1,0.5,Gamma,4,0.25\n",
	"a-dataset.json": `{"0": {"input_tokens": "{}", "output_tokens": "{}"}, "600": {"input_tokens": "{10: 0.25, 20: 0.75}", "output_tokens": "{7: 1.0}"}, "1800": {"input_tokens": "{30: 1.0,}", "output_tokens": "{8: 1.0}", "reason_ratio": "{0.5: 1}"}}`,
	"b-trace.csv":    "0,1,2,Weibull,0.5,1\n600,1,2,Weibull,0.5,1\n1200,1,2,Weibull,0.5,1\n1800,0,0,,0,0\n",
	"b-dataset.json": `{"0": {"input_tokens": "{500: 1}", "output_tokens": "{50: 1}"}}`,
}

// TestServeGen: the union of clients has in each window the rate that they add to, the gaps of each client have their CV,
// and lengths are those in force.
func TestServeGen(t *testing.T) {
	dir := clients(t, twoClients)
	var counts [4]int // by window, over all seeds
	var gaps, wide gapMoments
	const seeds = 60
	for seed := range uint64(seeds) {
		f, err := OpenTrace(&Trace{Path: "."}, dir, seed)
		if err != nil {
			t.Fatal(err)
		}
		if f.Format() != "servegen" || *f.bounds != (span{0, 2400 * time.Second}) {
			t.Fatalf("%s from %v", f.Format(), *f.bounds)
		}
		rows := rowsOf(t, f)
		gaps.any, wide.any = false, false
		for i, r := range rows {
			if i > 0 && r.At < rows[i-1].At || r.Line != i+1 {
				t.Fatalf("row %d: %+v after %+v", i, r, rows[max(i-1, 0)])
			}
			window := int(r.At / (600 * time.Second))
			counts[window]++
			switch isB := r.Input == 500; {
			case isB && r.Output != 50, window == 3 && (r.Input != 30 || r.Output != 8), !isB && window < 3 && (r.Output != 7 || r.Input != 10 && r.Input != 20):
				t.Fatalf("lengths %d, %d at %v", r.Input, r.Output, r.At)
			case !isB && window == 0:
				gaps.add(r.At)
			case !isB && window == 2:
				wide.add(r.At)
			}
		}
	}
	// Counts over 600 s have the variance rate*600*CV^2 or a little less.
	for i, want := range []struct{ rate, variance float64 }{{3, 2 + 4}, {1, 4}, {5, 36 + 4}, {1, 0.25}} {
		mean, sd := want.rate*600, math.Sqrt(want.variance*600/seeds)
		if got := float64(counts[i]) / seeds; math.Abs(got-mean) > 4*sd {
			t.Errorf("window %d holds %.1f arrivals, want %.1f +- %.1f", i, got, mean, sd)
		}
	}
	if cv, _ := gaps.CV(); math.Abs(cv-1) > 0.02 {
		t.Errorf("CV %v, want 1", cv)
	}
	if cv, _ := wide.CV(); math.Abs(cv-3) > 0.2 {
		t.Errorf("CV %v, want 3", cv)
	}
}

// TestServeGenParts: one client's arrivals do not depend on the others, and a part of a trace is that of the whole.
func TestServeGenParts(t *testing.T) {
	dir := clients(t, twoClients)
	open := func(path string) *TraceFile {
		f, err := OpenTrace(&Trace{Path: path}, dir, 4)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	without := func(rows []TraceRow, keep func(TraceRow) bool) []TraceRow {
		out := slices.DeleteFunc(slices.Clone(rows), func(r TraceRow) bool { return !keep(r) })
		for i := range out {
			out[i].Line = i + 1
		}
		return out
	}
	all := rowsOf(t, open("*-trace.csv"))
	if a := rowsOf(t, open("a-trace.csv")); !reflect.DeepEqual(a, without(all, func(r TraceRow) bool { return r.Input != 500 })) {
		t.Error("a client alone is another than in the union")
	}
	f := open(".")
	f.rows.(*clientUnion).only(span{1300 * time.Second, 1900 * time.Second})
	if got := rowsOf(t, f); !reflect.DeepEqual(got, without(all, func(r TraceRow) bool { return r.At >= 1200*time.Second })) {
		t.Error("a part is another than in the whole")
	}
	// A replay takes the part that it needs, and keeps the account of it.
	s, err := NewSchedule(&Scenario{Seed: 4, Dir: dir, Phases: Phases{Measure: sec(500)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: ".", From: sec(1250)}}}})
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	want := without(all, func(r TraceRow) bool { return r.At >= 1250*time.Second && r.At < 1750*time.Second })
	if len(s.Times) != len(want) || s.Times[0] != want[0].At-1250*time.Second || s.Trace.Rows > len(all)*3/4 {
		t.Errorf("%d arrivals of %d rows, want %d", len(s.Times), s.Trace.Rows, len(want))
	}
	// To the end of the last window, though no row lies there.
	if _, err := NewSchedule(&Scenario{Seed: 4, Dir: dir, Phases: Phases{Measure: sec(2400)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: "."}}}}); err != nil {
		t.Error(err)
	}
}

// TestServeGenWithoutLengths: a client whose lengths are not at hand gives arrivals, and no prompts.
func TestServeGenWithoutLengths(t *testing.T) {
	dir := clients(t, map[string]string{"c-trace.csv": "0,5,1,Gamma,1,1\n"})
	scenario := &Scenario{Dir: dir, Phases: Phases{Measure: sec(600)}, Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: "c-trace.csv"}}}, Prompts: Prompts{Trace: &TraceLengths{}}}
	s, err := NewSchedule(scenario)
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	if _, err := NewSource(scenario, s); err == nil || !strings.Contains(err.Error(), "c-trace.csv, which does not record them") {
		t.Errorf("got %v", err)
	}
}

func TestServeGenErrors(t *testing.T) {
	const window = "0,5,1,Gamma,1,1\n"
	cases := []struct {
		name, want string
		files      map[string]string
	}{
		{"no client", "no client in .: a ServeGen client is a file NAME-trace.csv, with NAME-dataset.json beside it", nil},
		{"empty", "c-trace.csv is empty: a ServeGen client has a line for every window", map[string]string{"c-trace.csv": ""}},
		{"short line", `c-trace.csv:2: "600,5" is no window of a ServeGen client, such as 0,1.33,8.6,Weibull,0.375,0.397: correct or remove the line`, map[string]string{"c-trace.csv": window + "600,5"}},
		{"unsorted", "c-trace.csv:2: the window at 0s is not after the one before: sort the windows by time", map[string]string{"c-trace.csv": window + window}},
		{"a gap", "c-trace.csv:3: this window begins 10m0s after the one before, others 5m0s: add idle windows", map[string]string{"c-trace.csv": window + "300,0,0,,0,0\n900,0,0,,0,0\n"}},
		{"negative rate", "c-trace.csv:1: the rate is -5/s, want 0 to 1000000: correct the line", map[string]string{"c-trace.csv": "0,-5,1,Gamma,1,1\n"}},
		{"CV", "c-trace.csv:1: the CV is 101, want 0 to 100: correct the line", map[string]string{"c-trace.csv": "0,5,101,Gamma,1,1\n"}},
		{"no family", "c-trace.csv:1: the window has a rate and no family", map[string]string{"c-trace.csv": "0,5,1,,1,1\n"}},
		{"lengths, no JSON", "c-dataset.json: want a JSON object of windows", map[string]string{"c-trace.csv": window, "c-dataset.json": "[]"}},
		{"lengths, empty", "c-dataset.json holds no lengths: remove it", map[string]string{"c-trace.csv": window, "c-dataset.json": "{}"}},
		{"lengths, no dict", `c-dataset.json: window 0: "[1]": want lengths and probabilities`, map[string]string{"c-trace.csv": window, "c-dataset.json": `{"0": {"input_tokens": "[1]", "output_tokens": "{}"}}`}},
		{"lengths, half", "c-dataset.json: window 0: the probabilities sum to 0.5, want 1: the window is not whole", map[string]string{"c-trace.csv": window, "c-dataset.json": `{"0": {"input_tokens": "{1: 0.5}", "output_tokens": "{}"}}`}},
		{"lengths, 1e9", "c-dataset.json: window 0: a length is 1000000000, more than 100000000", map[string]string{"c-trace.csv": window, "c-dataset.json": `{"0": {"input_tokens": "{1000000000: 1}", "output_tokens": "{}"}}`}},
		{"lengths, NaN", `c-dataset.json: window 0: the probability of 1 tokens is "NaN", want 0 to 1`, map[string]string{"c-trace.csv": window, "c-dataset.json": `{"0": {"input_tokens": "{1: NaN}", "output_tokens": "{}"}}`}},
		{"lengths, unsorted", "c-dataset.json: window 0: it is not after the window before", map[string]string{"c-trace.csv": window, "c-dataset.json": `{"1": {"input_tokens": "{}", "output_tokens": "{}"}, "0": {"input_tokens": "{}", "output_tokens": "{}"}}`}},
		{"lengths, cut off", "c-dataset.json: after byte ", map[string]string{"c-trace.csv": window, "c-dataset.json": `{"0": {"input_tokens": "{1`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenTrace(&Trace{Path: "."}, clients(t, c.files), 1)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestServeGenPublic holds the kept clients against what measurement.md says of them, and the rate that is generated
// against what the windows ask for.
func TestServeGenPublic(t *testing.T) {
	dir := filepath.Join(sharedTraces(t), "servegen")
	for name, want := range map[string]struct{ rate, peak string }{
		"m-large.chunk-61": {"31", "308"}, "deepseek-r1.chunk-35": {"4.6", ""},
	} {
		f, err := os.Open(filepath.Join(dir, name+clientWindows))
		if err != nil {
			t.Fatal(err)
		}
		windows, _, err := readWindows(f, name)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		var sum, peak float64
		for _, w := range windows {
			sum += w.rate
			peak = max(peak, w.rate)
		}
		same(t, name+" mean rate", want.rate, sum/float64(len(windows)))
		if want.peak != "" {
			same(t, name+" highest rate", want.peak, peak)
		}
	}
	var asked float64
	for _, name := range []string{"m-large.chunk-0", "m-large.chunk-1", "m-large.chunk-10"} {
		f, err := os.Open(filepath.Join(dir, name+clientWindows))
		if err != nil {
			t.Fatal(err)
		}
		windows, width, err := readWindows(f, name)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range windows {
			asked += w.rate * seconds(width)
		}
	}
	p, err := InspectTrace(&Trace{Path: "m-large.chunk-[01]*-trace.csv"}, dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	// Of 1.07 million arrivals with CVs around 4 to 9 the standard error is some 0.8%.
	if got := float64(p.Used); math.Abs(got/asked-1) > 0.03 || p.Span != 14*24*3600 {
		t.Errorf("%v arrivals in %v s, the windows ask for %v", got, p.Span, asked)
	}
}

// FuzzServeGen: whatever a client's files hold, there is an error that names the file, or lengths and windows in order.
func FuzzServeGen(f *testing.F) {
	for _, name := range slices.Sorted(maps.Keys(twoClients)) {
		f.Add([]byte(twoClients[name]), strings.HasSuffix(name, clientLengths))
	}
	f.Add([]byte(`{"0": {"input_tokens": "{1: 0.5, 1: 0.5}", "output_tokens": "{0:1}"}, "5e3": {}}`), true)
	f.Fuzz(func(t *testing.T, text []byte, lengths bool) {
		var err error
		if lengths {
			var l *clientLength
			if l, err = newClientLength(strings.NewReader(string(text)), "c.json"); err == nil {
				r := stat.Keyed(1, "fuzz", 0)
				for at := time.Duration(0); at < 100*time.Hour && err == nil; at += time.Hour {
					var in, out int
					if in, out, err = l.draw(at, r); in < 0 || out < 0 || in > maxTokens || out > maxTokens {
						t.Fatalf("lengths %d, %d", in, out)
					}
				}
			}
		} else {
			c := &client{name: "c", seed: 1}
			if c.windows, c.width, err = readWindows(strings.NewReader(string(text)), "c.json"); err == nil {
				last := time.Duration(-1)
				for range 1000 {
					if end := c.advance(); end != nil {
						if !errors.Is(end, io.EOF) {
							t.Fatal(end)
						}
						break
					}
					if c.row.At < last {
						t.Fatalf("%v after %v", c.row.At, last)
					}
					last = c.row.At
				}
			}
		}
		if err != nil && !strings.Contains(fmt.Sprint(err), "c.json") {
			t.Fatalf("an error that does not name the file: %v", err)
		}
	})
}
