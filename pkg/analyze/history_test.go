package analyze

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// nightOf is an entry of one figure, so many nights after the first.
func nightOf(night int, value float64) HistoryEntry {
	return HistoryEntry{Schema: HistorySchema, Run: fmt.Sprintf("run-%03d", night), Scenario: "nightly", Started: time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC).AddDate(0, 0, night),
		Key: HistoryKey{Workload: strings.Repeat("ab", 32), Approach: "ours", Server: map[string]string{"model": "small"}, Client: "linux", Tool: "v1"}, Blocks: 5, Validity: Valid,
		Figures: []HistoryFigure{{Name: "ttft p95", Value: value, Blocks: 5}}}
}

func addAll(t *testing.T, dir string, entries ...HistoryEntry) int {
	t.Helper()
	n, err := AppendHistory(dir, entries)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func seriesIn(t *testing.T, dir string, o HistoryOptions) []HistorySeries {
	t.Helper()
	h, err := ReadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Series(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHistoryEntry: the mean is geometric, its interval Student's of the logarithms (by hand: t of 2 degrees of freedom is 4.3027).
func TestHistoryEntry(t *testing.T) {
	a := armOf("ours", 1, 0.1, 0.2, 0.4)
	a.Record.Manifest.ID, a.Record.Manifest.Started = "night", time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	e := a.historyEntry()
	i := slices.IndexFunc(e.Figures, func(f HistoryFigure) bool { return f.Name == "ttft p95" })
	if i < 0 {
		t.Fatalf("%+v", e)
	}
	f, half := e.Figures[i], 4.302652730*math.Ln2/math.Sqrt(3)
	if math.Abs(f.Value-0.2) > 1e-12 || math.Abs(math.Log(*f.Low/0.2)+half) > 1e-6 || math.Abs(math.Log(*f.High/0.2)-half) > 1e-6 || f.Blocks != 3 {
		t.Errorf("%+v, %g to %g", f, *f.Low, *f.High)
	}
	one := armOf("ours", 1, 0.1).historyEntry()
	if f := one.Figures[slices.IndexFunc(one.Figures, func(f HistoryFigure) bool { return f.Name == "ttft p95" })]; f.Low != nil || math.Abs(f.Value-0.1) > 1e-12 {
		t.Errorf("one block: %+v", f)
	}
	for _, f := range armOf("ours", 1, 0.1, 0).historyEntry().Figures {
		if f.Name == "ttft p95" {
			t.Errorf("a block lacks it, and it is %g", f.Value)
		}
	}
	if why := e.check(); why != "" {
		t.Error(why)
	}
}

func TestHistoryAppendsOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nightly")
	if n := addAll(t, dir, nightOf(1, 0.2), nightOf(0, 0.1)); n != 2 {
		t.Errorf("%d added", n)
	}
	before, err := os.ReadFile(filepath.Join(dir, HistoryFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := addAll(t, dir, nightOf(0, 0.1), nightOf(2, 0.3), nightOf(2, 0.3)); n != 1 {
		t.Errorf("%d added", n)
	}
	after, err := os.ReadFile(filepath.Join(dir, HistoryFile))
	if err != nil || !bytes.HasPrefix(after, before) {
		t.Errorf("what was there has changed: %v", err)
	}
	s := seriesIn(t, dir, HistoryOptions{})
	if len(s) != 1 || s[0].Nights != 3 || s[0].Trends[0].Points[0].Value != 0.1 {
		t.Errorf("%+v", s)
	}
	if _, err := AppendHistory(dir, []HistoryEntry{nightOf(3, 1), nightOf(0, 0.11)}); err == nil || !strings.Contains(err.Error(), "with other figures") {
		t.Errorf("%v", err)
	}
	if s := seriesIn(t, dir, HistoryOptions{}); s[0].Nights != 3 {
		t.Errorf("a failed addition left %d nights", s[0].Nights)
	}
	namesake := nightOf(3, 0.5) // a run's name is that of its folder: run, every night
	namesake.Run = nightOf(0, 1).Run
	if n := addAll(t, dir, namesake); n != 1 || seriesIn(t, dir, HistoryOptions{})[0].Nights != 4 {
		t.Errorf("a run of the same name, another night: %d added", n)
	}
}

// TestHistoryTorn: a writer died in the middle of a line. What is whole is kept, the next line does not go on with it, and the
// run can be added again.
func TestHistoryTorn(t *testing.T) {
	dir := t.TempDir()
	addAll(t, dir, nightOf(0, 0.1), nightOf(1, 0.1))
	path := filepath.Join(dir, HistoryFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first + 1; cut < len(whole)-1; cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		h, err := ReadHistory(dir)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		if len(h.Entries) != 1 || !slices.Equal(h.Torn, []int{2}) {
			t.Fatalf("cut after %d bytes: %d entries, torn %v", cut, len(h.Entries), h.Torn)
		}
	}
	if n := addAll(t, dir, nightOf(1, 0.1), nightOf(2, 0.1)); n != 2 {
		t.Errorf("%d added", n)
	}
	h, err := ReadHistory(dir)
	if err != nil || len(h.Entries) != 3 || !slices.Equal(h.Torn, []int{2}) {
		t.Errorf("%+v %v", h, err)
	}
	// Only the newline is missing: the line is whole.
	if err := os.WriteFile(path, whole[:len(whole)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	addAll(t, dir, nightOf(2, 0.1))
	if h, err := ReadHistory(dir); err != nil || len(h.Entries) != 3 || len(h.Torn) != 0 {
		t.Errorf("%+v %v", h, err)
	}
}

func TestHistoryTwoWriters(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 20 {
				if _, err := AppendHistory(dir, []HistoryEntry{nightOf(i, 0.1)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if h, err := ReadHistory(dir); err != nil || len(h.Entries) != 20 || len(h.Torn) != 0 {
		t.Errorf("%+v %v", h, err)
	}
}

func TestHistoryBroken(t *testing.T) {
	line := func(change func(*HistoryEntry)) string {
		e := nightOf(1, 0.2)
		change(&e)
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	good := line(func(*HistoryEntry) {})
	for name, c := range map[string]struct{ line, want string }{
		"no JSON":           {"night 2: fine", "it is no entry of a history"},
		"a list":            {"[1]", "it is no entry of a history"},
		"two in a line":     {good + good, "something behind its entry"},
		"no schema":         {`{"run": "x"}`, "it names no schema"},
		"a later schema":    {strings.Replace(good, "history/v1", "history/v2", 1), `it has schema "infbench.history/v2", this infbench reads "infbench.history/v1"`},
		"a wrong type":      {strings.Replace(good, `"blocks":5`, `"blocks":"5"`, 1), "it is no entry of a history"},
		"no run":            {line(func(e *HistoryEntry) { e.Run = "" }), "it names no run"},
		"no key":            {line(func(e *HistoryEntry) { e.Key = HistoryKey{} }), "no approach or no workload"},
		"no time":           {line(func(e *HistoryEntry) { e.Started = time.Time{} }), "no start time"},
		"no block":          {line(func(e *HistoryEntry) { e.Blocks = 0 }), "it has 0 blocks"},
		"a time of 0":       {line(func(e *HistoryEntry) { e.Figures[0].Value = 0 }), "its ttft p95 is 0"},
		"half an interval":  {line(func(e *HistoryEntry) { e.Figures[0].Low = new(0.1) }), "does not hold it"},
		"a wrong interval":  {line(func(e *HistoryEntry) { e.Figures[0].Low, e.Figures[0].High = new(0.3), new(0.4) }), "does not hold it"},
		"a figure twice":    {line(func(e *HistoryEntry) { e.Figures = append(e.Figures, e.Figures[0]) }), "without a name of its own"},
		"changed afterward": {line(func(e *HistoryEntry) { e.Run, e.Started = "run-000", nightOf(0, 1).Started }), "stands on line 1 with other figures"},
	} {
		dir := t.TempDir()
		addAll(t, dir, nightOf(0, 0.1))
		path := filepath.Join(dir, HistoryFile)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, "%s\n%s\n", c.line, line(func(e *HistoryEntry) { e.Run = "run-002" }))
		f.Close()
		_, err = ReadHistory(dir)
		if err == nil || !strings.Contains(err.Error(), path+" line 2: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := AppendHistory(dir, []HistoryEntry{nightOf(9, 1)}); err == nil || n != 0 {
			t.Errorf("%s: %d added, %v", name, n, err)
		}
	}
	if _, err := ReadHistory(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := (&History{Path: "x"}).Series(HistoryOptions{}); err == nil {
		t.Error("an empty history passes")
	}
	if _, err := (&History{Entries: []HistoryEntry{nightOf(0, 1)}}).Series(HistoryOptions{Figures: []string{"ttft"}}); err == nil || !strings.Contains(err.Error(), `no figure "ttft"`) {
		t.Errorf("%v", err)
	}
	if _, err := (&History{Entries: []HistoryEntry{nightOf(0, 1)}}).Series(HistoryOptions{Approach: "theirs"}); err == nil || !strings.Contains(err.Error(), "there are ours") {
		t.Errorf("%v", err)
	}
}

// TestHistoryKeys: each part of the key begins a new series, which says what changed.
func TestHistoryKeys(t *testing.T) {
	for want, change := range map[string]func(*HistoryKey){
		"tool version changed from v1 to v2":                 func(k *HistoryKey) { k.Tool = "v2" },
		"client machine changed from linux to darwin":        func(k *HistoryKey) { k.Client = "darwin" },
		"model changed from small to large":                  func(k *HistoryKey) { k.Server = map[string]string{"model": "large"} },
		"quantization changed from none to int4":             func(k *HistoryKey) { k.Server = map[string]string{"model": "small", "quantization": "int4"} },
		"workload changed from abababababab to cdcdcdcdcdcd": func(k *HistoryKey) { k.Workload = strings.Repeat("cd", 32) },
		"token basis changed from none to usage":             func(k *HistoryKey) { k.Tokens = "usage" },
	} {
		dir := t.TempDir()
		for i := range 20 {
			e := nightOf(i, 0.1+0.001*float64(i%2))
			if i >= 10 {
				change(&e.Key)
				e.Figures[0].Value *= 2
			}
			addAll(t, dir, e)
		}
		s := seriesIn(t, dir, HistoryOptions{})
		if len(s) != 2 || !slices.Equal(s[1].Began, []string{want}) || len(s[0].Began) > 0 || s[0].Nights != 10 {
			t.Errorf("%s: %+v", want, s)
			continue
		}
		if len(s[0].Trends[0].Changes)+len(s[1].Trends[0].Changes) != 0 {
			t.Errorf("%s: a change point across series", want)
		}
	}
}

// TestHistoryChange: a level that rises is found where it rose, whatever order the runs were added in; a forced night is not counted.
func TestHistoryChange(t *testing.T) {
	dir := t.TempDir()
	r := stat.Keyed(3, "history test", 0)
	var entries []HistoryEntry
	for i := range 60 {
		v := 0.1 * r.Lognormal(1, 0.02)
		if i >= 40 {
			v *= 1.2
		}
		e := nightOf(i, v)
		if i == 20 {
			e.Forced, e.Figures[0].Value = "invalid", 5
		}
		e.Figures = append(e.Figures, HistoryFigure{Name: "output_rate", HigherIsBetter: true, Value: 1 / v, Blocks: 5}, HistoryFigure{Name: "error_rate", Share: true, Value: 0, Blocks: 5})
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	addAll(t, dir, entries...)
	for _, tr := range seriesIn(t, dir, HistoryOptions{})[0].Trends {
		if tr.Name == "error_rate" {
			if len(tr.Changes) != 0 || len(tr.Levels) != 1 {
				t.Errorf("%+v", tr)
			}
			continue
		}
		if len(tr.Changes) != 1 {
			t.Fatalf("%s: %+v", tr.Name, tr.Changes)
		}
		want := 0.2
		if tr.HigherIsBetter {
			want = 1/1.2 - 1
		}
		if c := tr.Changes[0]; c.Night != 40 || c.Run != "run-040" || math.Abs(c.Change-want) > 0.02 || c.Better || c.P > 1e-9 {
			t.Errorf("%s: %+v", tr.Name, c)
		}
		if len(tr.Levels) != 2 || tr.Levels[0].To != 39 || tr.Levels[1].From != 40 {
			t.Errorf("%s: %+v", tr.Name, tr.Levels)
		}
	}
	if s := seriesIn(t, dir, HistoryOptions{Matters: 0.5}); len(s[0].Trends[0].Changes) != 0 {
		t.Errorf("a change that does not matter: %+v", s[0].Trends[0].Changes)
	}
}

// TestChangePointsAlone: steps without noise are found to the night, and nothing else is.
func TestChangePointsAlone(t *testing.T) {
	all := func(float64, float64) bool { return true }
	for name, c := range map[string]struct {
		levels []float64
		spans  []int
		want   []int
	}{
		"none":       {[]float64{1}, []int{200}, nil},
		"one":        {[]float64{1, 2}, []int{30, 70}, []int{30}},
		"up, down":   {[]float64{1, 2, 1}, []int{60, 20, 60}, []int{60, 80}},
		"the first":  {[]float64{1, 2}, []int{3, 100}, []int{3}},
		"the last":   {[]float64{1, 2}, []int{147, 3}, []int{147}},
		"an outlier": {[]float64{1, 2, 1}, []int{40, 1, 40}, nil},
		"few":        {[]float64{1, 2}, []int{2, 3}, nil},
	} {
		var x []float64
		for i, n := range c.spans {
			for range n {
				x = append(x, c.levels[i]+1e-3*float64(len(x)%2))
			}
		}
		var got []int
		for _, p := range changePoints(x, 1e-4, all) {
			got = append(got, p.at)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestSplitIsTheDivergence holds the split against the formula written out.
func TestSplitIsTheDivergence(t *testing.T) {
	r := stat.Keyed(1, "split", 0)
	for n := 6; n < 30; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.Normal()
		}
		best, tau, kappa := 0.0, 0, 0
		for k := 2 * leastSegment; k <= n; k++ {
			for s := leastSegment; s <= k-leastSegment; s++ {
				if q := divergence(x[:s], x[s:k]); q > best+1e-12 {
					best, tau, kappa = q, s, k
				}
			}
		}
		gotTau, gotKappa := split(x)
		if tau != gotTau || kappa != gotKappa {
			t.Errorf("n %d: %d, %d, want %d, %d", n, gotTau, gotKappa, tau, kappa)
		}
	}
}

func divergence(x, y []float64) float64 {
	m, n := float64(len(x)), float64(len(y))
	var between, inX, inY float64
	for i, a := range x {
		for _, b := range y {
			between += math.Abs(a - b)
		}
		for _, b := range x[:i] {
			inX += math.Abs(a - b)
		}
	}
	for i, a := range y {
		for _, b := range y[:i] {
			inY += math.Abs(a - b)
		}
	}
	return m * n / (m + n) * (2/(m*n)*between - inX/(m*(m-1)/2) - inY/(n*(n-1)/2))
}

func FuzzParseHistory(f *testing.F) {
	b, err := json.Marshal(nightOf(0, 0.1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(b, '\n'))
	f.Add(b[:len(b)/2])
	f.Add([]byte("{}\n[]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHistory("history.jsonl", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "history.jsonl line ") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		if len(h.Entries) == 0 {
			return
		}
		if _, err := h.Series(HistoryOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// TestHistoryKeyOfRun: what an approach declares is in its key.
func TestHistoryKeyOfRun(t *testing.T) {
	a := armOf("ours", 1, 0.1)
	a.Record.Manifest.Tool = measure.Tool{Version: "devel", Revision: "0123456789abcdef"}
	a.Record.Manifest.Scenario.Approaches[0] = workload.Approach{Name: "ours", Model: "m", Levers: map[string]string{"server": "vllm 0.11"}, Simulate: &workload.Simulation{}}
	k := a.historyKey()
	want := map[string]string{"model": "m", "server": "vllm 0.11", "streaming": "true", "endpoint": "simulated", "api": "openai-chat"}
	if k.Tool != "devel 0123456789ab" || fmt.Sprint(k.Server) != fmt.Sprint(want) || k.Workload != a.scenario().WorkloadDigest() {
		t.Errorf("%+v", k)
	}
}
