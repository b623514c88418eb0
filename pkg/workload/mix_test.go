package workload

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// mixedDay has classes of either kind.
const mixedDay = `name: day
seed: 7
phases: {warmup: 10s, measure: 90s}
arrivals: {preset: bursty, rate: 30/s}
mix:
  - name: chat
    weight: 3
    prompts: {synthetic: {input: {fixed: 30}, output: {fixed: 10}}}
    slo: {request: {ttft: 500ms}, objectives: [ttft p99 <= 1s]}
  - name: batch
    arrivals: {preset: spike, rate: 1/s}
    prompts: {synthetic: {input: {uniform: {min: 100, max: 300}}, output: {fixed: 20}}}
    slo: {request: {e2e: 30s}}
  - name: rag
    weight: 1.5
    prompts:
      synthetic: {input: {fixed: 40}, output: {fixed: 10}}
      shared: {groups: 6, tokens: {fixed: 60}, share: 0.4}
approaches:
  - name: edge
    simulate: {profile: edge}
slo: {request: {ttft: 2s}}
`

// mixedTraces replays three: one that two classes divide, and one of a class alone.
const mixedTraces = `name: traces
seed: 3
phases: {measure: 10s}
arrivals: {shape: {trace: {path: azure-2023-conv-first300.csv, speed: 4}}}
mix:
  - name: chat
    weight: 2
    prompts: {trace: {max_input: 900}}
  - name: rag
    weight: 1
    prompts: {synthetic: {input: {fixed: 40}, output: {fixed: 10}}}
  - name: agent
    arrivals: {shape: {trace: {path: mooncake-conversation-first60.jsonl, dequantise: true}}}
    prompts: {trace: {}, cache: allowed}
approaches:
  - name: edge
    simulate: {profile: edge}
`

func mixOf(t testing.TB, text string, overrides ...Override) *Scenario {
	t.Helper()
	s := parse(t, text, overrides...)
	s.Dir = "testdata/traces"
	return s
}

func mixSource(t testing.TB, text string, overrides ...Override) (*Source, *Schedule) {
	t.Helper()
	s := mixOf(t, text, overrides...)
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	return src, sched
}

func fixedPrompts() Prompts {
	n := 5
	return Prompts{Synthetic: &Synthetic{Input: &Lengths{Fixed: &n}, Output: &Lengths{Fixed: &n}}}
}

// drawMix is a mix of up to five classes of either kind.
func drawMix(t *rapid.T, measure int) *Scenario {
	sc := &Scenario{Seed: rapid.Uint64().Draw(t, "seed"), Phases: Phases{Warmup: sec(rapid.IntRange(0, 5).Draw(t, "warmup")), Measure: sec(measure)}}
	arrivals := func(name string) Arrivals {
		shape, burst := drawShape(t, measure), drawBurst(t)
		return Arrivals{Rate: Rate(rapid.Float64Range(1, 60).Draw(t, name)), Shape: &shape, Burst: &burst}
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "classes") {
		c := TrafficClass{Name: fmt.Sprint("class", i), Prompts: fixedPrompts()}
		if rapid.Bool().Draw(t, "own") {
			own := arrivals("own rate")
			c.Arrivals = &own
		} else {
			c.Weight = rapid.Float64Range(0.1, 10).Draw(t, "weight")
			if sc.Arrivals.Shape == nil {
				sc.Arrivals = arrivals("rate")
			}
		}
		sc.Mix = append(sc.Mix, c)
	}
	return sc
}

func skipEmpty(t *rapid.T, err error) {
	if err == nil {
		return
	}
	for _, known := range []string{"nothing arrives", "asks for 0 arrivals", "none of the common arrivals"} {
		if strings.Contains(err.Error(), known) {
			t.Skip()
		}
	}
	t.Fatal(err)
}

// TestMixProperties: a mix is the sorted union of its classes' arrivals, each counted once and in its place; those with a
// weight divide the arrivals that the scenario has without a mix; the rate is the sum.
func TestMixProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := drawMix(t, rapid.IntRange(1, 20).Draw(t, "measure"))
		s, err := NewSchedule(sc)
		skipEmpty(t, err)

		type arrival struct {
			at           time.Duration
			class, index int32
		}
		var union []arrival
		var divided []time.Duration
		for c, class := range s.Mix.Classes {
			for i, at := range class.Times {
				union = append(union, arrival{at, int32(c), int32(i)})
			}
			if sc.Mix[c].Arrivals == nil {
				divided = append(divided, class.Times...)
			} else if own, err := NewSchedule(sc.ofClass(&sc.Mix[c])); err != nil || !slices.Equal(own.Times, class.Times) {
				t.Fatalf("class %d alone arrives at other times (%v)", c, err)
			}
		}
		slices.SortStableFunc(union, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
		for k, at := range s.Times {
			if got := (arrival{at, s.Mix.Members[k].Class, s.Mix.Members[k].Index}); k >= len(union) || got != union[k] {
				t.Fatalf("arrival %d is %+v", k, got)
			}
		}
		if len(union) != len(s.Times) || len(s.Mix.Members) != len(s.Times) {
			t.Fatalf("%d arrivals, %d members, %d in the union", len(s.Times), len(s.Mix.Members), len(union))
		}
		slices.Sort(divided)
		if s.Mix.Common == nil {
			if len(divided) > 0 {
				t.Fatal("arrivals of nobody were divided")
			}
		} else {
			plain := *sc
			plain.Mix = nil
			if whole, err := NewSchedule(&plain); err != nil || !slices.Equal(whole.Times, divided) {
				t.Fatalf("%d arrivals divided, and the scenario has others (%v)", len(divided), err)
			}
		}
		for range 5 {
			at := time.Duration(rapid.Int64Range(0, int64(sc.Phases.Horizon().D())-1).Draw(t, "at"))
			sum := 0.0
			for _, class := range s.Mix.Classes {
				sum += class.Rate(at)
			}
			if math.Abs(s.Rate(at)-sum) > 1e-9*(1+sum) {
				t.Fatalf("rate %g at %v, the classes' %g", s.Rate(at), at, sum)
			}
		}
		if again, err := NewSchedule(sc); err != nil || s.SHA256() != again.SHA256() {
			t.Fatalf("made again, the schedule differs (%v)", err)
		}
		for i := range 3 {
			indices, err := s.Shard(i, 3)
			if err != nil || len(indices) != (len(s.Times)-i+2)/3 {
				t.Fatalf("shard %d has %d of %d (%v)", i, len(indices), len(s.Times), err)
			}
		}
	})
}

// TestAnotherClassLeavesTheOthers: one with arrivals of its own changes nothing in the others; one with a weight only takes
// arrivals from them, and moves none between them. The order of the classes in the file has no part in it.
func TestAnotherClassLeavesTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := drawMix(t, 20)
		before, err := NewSchedule(sc)
		skipEmpty(t, err)
		more := *sc
		own := Arrivals{Rate: 20}
		added := TrafficClass{Name: "added", Prompts: fixedPrompts(), Arrivals: &own}
		if before.Mix.Common != nil && rapid.Bool().Draw(t, "weighted") {
			added.Arrivals, added.Weight = nil, 2
		}
		more.Mix = append([]TrafficClass{added}, sc.Mix...)
		after, err := NewSchedule(&more)
		skipEmpty(t, err)
		taken := after.Mix.Classes[0].Times
		for i, class := range before.Mix.Classes {
			got := after.Mix.Classes[i+1].Times
			if added.Weight == 0 || class.Share == 0 {
				if !slices.Equal(got, class.Times) {
					t.Fatalf("%s arrives at other times", class.Name)
				}
				continue
			}
			lost, ok := without(class.Times, got)
			if !ok {
				t.Fatalf("%s has gained arrivals", class.Name)
			}
			if _, ok := without(taken, lost); !ok {
				t.Fatalf("%s has lost arrivals to another than the new class: %v", class.Name, lost)
			}
		}
	})
}

// without takes times out of others, each once; not ok where one is not among them.
func without(all, these []time.Duration) (rest []time.Duration, ok bool) {
	for _, at := range all {
		if len(these) > 0 && these[0] == at {
			these = these[1:]
		} else {
			rest = append(rest, at)
		}
	}
	return rest, len(these) == 0
}

// TestWeights: a weighted class gets its share of the common arrivals, as closely as a draw with that probability does, and
// the draws of successive arrivals are independent.
func TestWeights(t *testing.T) {
	weights := []float64{5, 3, 1, 0.5, 0.05}
	sc := &Scenario{Seed: 11, Phases: Phases{Measure: sec(2000)}, Arrivals: Arrivals{Rate: 100}}
	total := 0.0
	for i, w := range weights {
		sc.Mix = append(sc.Mix, TrafficClass{Name: fmt.Sprint("c", i), Weight: w, Prompts: fixedPrompts()})
		total += w
	}
	s, err := NewSchedule(sc)
	if err != nil {
		t.Fatal(err)
	}
	n := float64(len(s.Times))
	for i, w := range weights {
		p := w / total
		if got, sd := float64(len(s.Mix.Classes[i].Times)), math.Sqrt(n*p*(1-p)); math.Abs(got-n*p) > 4*sd {
			t.Errorf("class %d has %.0f of %.0f arrivals, want %.0f ± %.0f", i, got, n, n*p, sd)
		}
		if math.Abs(s.Mix.Classes[i].Share-p) > 1e-12 {
			t.Errorf("share %g, want %g", s.Mix.Classes[i].Share, p)
		}
	}
	pairs := 0.0
	for k := range s.Mix.Members[1:] {
		if s.Mix.Members[k].Class == 0 && s.Mix.Members[k+1].Class == 0 {
			pairs++
		}
	}
	p := weights[0] / total
	if want := n * p * p; math.Abs(pairs-want) > 5*math.Sqrt(want) {
		t.Errorf("class 0 follows itself %.0f times, want %.0f", pairs, want)
	}
}

// TestMixDigest: the digest is that of the times, and behind them of whose each is.
func TestMixDigest(t *testing.T) {
	_, s := mixSource(t, mixedDay)
	h := sha256.New()
	for _, at := range s.Times {
		binary.Write(h, binary.LittleEndian, int64(at))
	}
	for _, m := range s.Mix.Members {
		binary.Write(h, binary.LittleEndian, m.Class)
	}
	h.Write([]byte("chat\x00batch\x00rag\x00"))
	if got := hex.EncodeToString(h.Sum(nil)); got != s.SHA256() {
		t.Errorf("%s, want %s", s.SHA256(), got)
	}
	if _, other := mixSource(t, mixedDay, OverrideSet("mix[rag].weight=2")); other.SHA256() == s.SHA256() {
		t.Error("whose the arrivals are does not change it")
	}
}

// TestMixReads: datasets, rates and windows of classes.
func TestMixReads(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte("{\"prompt\": \"one two\"}\n{\"prompt\": \"three\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := parse(t, mixedDay, OverrideSet("mix[chat].prompts={dataset: {path: a.jsonl}}"))
	s.Dir = dir
	sched, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSource(s, sched); err != nil {
		t.Error(err)
	}
	if w := sched.Windows(); len(w) != 1 || w[0].Name != "batch spike" || w[0].From != 46*time.Second {
		t.Errorf("windows %+v", w)
	}
	const want = "mix of 3 classes: 30/s, constant rate, gamma gaps of CV 2 divided among chat, rag; batch 1/s, spike x3 at 36s for 18s, Poisson"
	if sched.String() != want {
		t.Errorf("%q, want %q", sched, want)
	}
	if got := sched.Mix.Classes[0].String(); got != "66.67% of 30/s, constant rate, gamma gaps of CV 2" {
		t.Errorf("%q", got)
	}
	if got := sched.Rate(20 * time.Second); math.Abs(got-31) > 1e-9 {
		t.Errorf("rate %g", got)
	}
	if s.ClassSLO(s.Class("chat")).Request != (RequestLimits{TTFT: ms(500)}) || s.ClassSLO(s.Class("rag")).Request != (RequestLimits{TTFT: sec(2)}) || len(s.ClassSLO(s.Class("chat")).Objectives) != 1 || s.Class("x") != nil {
		t.Error("the classes are judged by other limits than theirs")
	}
}

// TestMixErrors: what only the schedule and the files show names the class.
func TestMixErrors(t *testing.T) {
	for set, want := range map[string]string{
		"mix[batch].arrivals={rate: 1/h}":                                        "mix[batch]: arrivals: nothing arrives in the measure phase",
		"mix[rag].weight=0.000001":                                               "mix[rag]: none of the common arrivals of the measure phase falls to the class",
		"arrivals.rate=0.01/h":                                                   "arrivals: nothing arrives",
		"mix[chat].prompts={dataset: {path: none.jsonl}}":                        "mix[chat]: ",
		"mix[rag].prompts.shared.share=0.99":                                     "mix[rag]: prompts.shared.share: 0.99 cannot be reached",
		"mix[batch].arrivals={shape: {trace: {path: none.csv}}}":                 "mix[batch]: arrivals.shape.trace: ",
		"mix[rag].prompts.shared={groups: 9999, tokens: {fixed: 9}, warm: true}": "mix[rag]: prompts.shared.warm: the warm-up has ",
	} {
		s := mixOf(t, mixedDay, OverrideSet(set))
		sched, err := NewSchedule(s)
		if err == nil {
			_, err = NewSource(s, sched)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
	for name, c := range map[string]TrafficClass{"neither": {Name: "a"}, "both": {Name: "a", Weight: 1, Arrivals: &Arrivals{Rate: 1}}, "closed": {Name: "a", Arrivals: &Arrivals{ClosedLoop: &ClosedLoop{Users: 1}}}} {
		if _, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(9)}, Arrivals: Arrivals{Rate: 9}, Mix: []TrafficClass{c}}); err == nil || !strings.HasPrefix(err.Error(), "mix[a]: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(9)}, Arrivals: Arrivals{ClosedLoop: &ClosedLoop{Users: 1}}, Mix: []TrafficClass{{Name: "a", Weight: 1}}}); err == nil {
		t.Error("classes divide a closed loop")
	}
}

// TestMixOverrides: flags reach a class by its name; --rate is for common arrivals that are all there is.
func TestMixOverrides(t *testing.T) {
	if s := parse(t, mixedDay, OverrideSet("mix[rag].weight=4"), OverrideSet("mix[0].slo.request.ttft=1s")); s.Class("rag").Weight != 4 || s.Mix[0].SLO.Request.TTFT != sec(1) {
		t.Errorf("%+v", s.Mix)
	}
	onlyCommon := OverrideSet("mix[batch]={name: batch, weight: 1, prompts: {dataset: {path: a.jsonl}}}")
	if s := parse(t, mixedDay, onlyCommon, OverrideRate("9/s")); s.Arrivals.Rate != 9 {
		t.Errorf("%+v", s.Arrivals)
	}
	for want, overrides := range map[string][]Override{
		"--set mix[batch].arrivals.rate=9/s, and --set arrivals.rate=9/s": {OverrideRate("9/s")},
		"there is none named \"bacth\"":                                   {OverrideSet("mix[bacth].weight=1")},
	} {
		_, err := Parse([]byte(mixedDay), "day.yaml", overrides...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "day.yaml") != 1 {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestMixKeepsPlainScenarios: a scenario with one class of weight 1 has the arrivals of the scenario without a mix.
func TestMixKeepsPlainScenarios(t *testing.T) {
	plain := parse(t, small, OverrideSet("seed=9"))
	one := parse(t, small, OverrideSet("seed=9"))
	one.Mix, one.Prompts = []TrafficClass{{Name: "all", Weight: 2, Prompts: plain.Prompts}}, Prompts{}
	a, err1 := NewSchedule(plain)
	b, err2 := NewSchedule(one)
	if err1 != nil || err2 != nil || !slices.Equal(a.Times, b.Times) || a.SHA256() == b.SHA256() {
		t.Errorf("%v, %v, %d and %d arrivals", err1, err2, len(a.Times), len(b.Times))
	}
	if keys := slices.Sorted(maps.Keys(map[string]bool{b.Mix.Classes[0].Name: true})); keys[0] != "all" || b.Mix.Classes[0].Share != 1 {
		t.Errorf("%+v", b.Mix.Classes)
	}
}
