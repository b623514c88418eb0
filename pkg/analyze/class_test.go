package analyze_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// mixScenario has three classes on a server with few slots, so that they queue, and some requests that fail.
const mixScenario = `
name: mix
seed: 5
phases: {warmup: 10s, measure: 200s, drain: 60s}
arrivals: {preset: bursty, rate: 6/s}
mix:
  - name: chat
    weight: 3
    prompts: {synthetic: {input: {uniform: {min: 20, max: 200}}, output: {uniform: {min: 3, max: 30}}}}
    slo: {request: {ttft: 120ms}, objectives: [ttft p95 <= %s, error_rate <= 50%%]}
  - name: rag
    weight: 1
    prompts:
      synthetic: {input: {fixed: 30}, output: {fixed: 2}}
      shared: {groups: 5, tokens: {fixed: 160}, share: 0.5}
  - name: batch
    arrivals: {preset: steady, rate: 0.2/s}
    prompts: {synthetic: {input: {fixed: 900}, output: {fixed: 40}}}
    slo: {objectives: [%s]}
approaches:
  - name: one
    simulate: {slots: 6, overhead: 60ms, prefill_per_token: 100us, decode_step: 5ms, prefix_cache_tokens: 1000000, faults: [{kind: truncate, probability: 0.05}]}
slo: {request: {e2e: 200ms}, objectives: [ttft p50 <= 10s]}
`

// row is what the figures of a class are computed from once more.
type row struct {
	class        string
	ok, good     bool
	ttft, chunks float64
}

func goodBy(s *measure.Sample) bool {
	if s.TrafficClass == "chat" {
		d, _ := s.Latency(workload.TTFT)
		return d <= 120*time.Millisecond
	}
	d, _ := s.Latency(workload.E2E) // the scenario's limit, which the others take
	return d <= 200*time.Millisecond
}

// TestClassesAgainstTheirRows: the figures of each class are those of its rows alone, computed here by sorting; those of all
// requests are over the rows of all; each request is held to the limits of its class, together too.
func TestClassesAgainstTheirRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, rec := play(t, fmt.Sprintf(mixScenario, "10s", "error_rate <= 90%"), nil)
		rows := map[string][]row{}
		for s := range rec.Rows() {
			if s.Phase != measure.Measure {
				continue
			}
			r := row{class: s.TrafficClass, ok: s.OK()}
			if r.ok {
				d, _ := s.Latency(workload.TTFT)
				r.ttft, r.good, r.chunks = d.Seconds(), goodBy(s), float64(s.Reads-1)
			}
			rows[r.class], rows[""] = append(rows[r.class], r), append(rows[""], r)
		}
		a := an.Summary.Approaches[0]
		if len(a.Classes) != 3 || a.Classes[0].Name != "chat" || a.Classes[1].Name != "rag" || a.Classes[2].Name != "batch" {
			t.Fatalf("classes %+v", a.Classes)
		}
		check(t, analyze.ClassSummary{Name: "", Attempts: a.Attempts, OK: a.OK, OfferedRate: a.OfferedRate, Metrics: a.Metrics, Goodput: a.Goodput}, rows[""])
		for _, c := range a.Classes {
			if len(rows[c.Name]) == 0 || c.Attempts == c.OK && c.Name == "chat" {
				t.Errorf("%s: %d rows, %d of %d ok: nothing to tell apart", c.Name, len(rows[c.Name]), c.OK, c.Attempts)
			}
			check(t, c, rows[c.Name])
			failed := 0
			for _, n := range c.Errors {
				failed += n
			}
			if failed != c.Attempts-c.OK || c.DeliveredRate != c.OfferedRate {
				t.Errorf("%s: %d errors, delivered %g of %g", c.Name, failed, c.DeliveredRate, c.OfferedRate)
			}
		}
		if p99 := a.Classes[2].Metrics[workload.TTFT].P99; p99 != nil {
			t.Errorf("a p99 of %d requests: %g", a.Classes[2].Attempts, *p99)
		}
		if r := reasonOf(an, "few_samples"); r == nil || !strings.Contains(r.Text, "batch ") || r.Verdict != analyze.Valid {
			t.Errorf("%+v", r)
		}
		if g := a.Goodput.Ratio; g < 0.05 || g > 0.95 {
			t.Errorf("goodput %g tells no limits apart", g)
		}
	})
}

// check holds a class's figures against its rows.
func check(t *testing.T, c analyze.ClassSummary, rows []row) {
	t.Helper()
	var ok, good int
	var chunks float64
	var ttft []float64
	for _, r := range rows {
		if r.ok {
			ok++
			chunks += r.chunks
			ttft = append(ttft, r.ttft)
		}
		if r.good {
			good++
		}
	}
	slices.Sort(ttft)
	if c.Attempts != len(rows) || c.OK != ok || math.Abs(c.OfferedRate-float64(len(rows))/200) > 1e-9 {
		t.Errorf("%q: %d of %d at %g/s, want %d of %d", c.Name, c.OK, c.Attempts, c.OfferedRate, ok, len(rows))
	}
	if want := float64(good) / float64(len(rows)); c.Goodput == nil || math.Abs(c.Goodput.Ratio-want) > 1e-12 {
		t.Errorf("%q: goodput %+v, want %g", c.Name, c.Goodput, want)
	}
	if n := c.Metrics[workload.ChunkGap].N; float64(n) != chunks {
		t.Errorf("%q: %d chunk gaps, want %g", c.Name, n, chunks)
	}
	q := c.Metrics[workload.TTFT]
	for at, got := range map[float64]*float64{0.5: q.P50, 0.9: q.P90} {
		if float64(len(rows))*(1-at) < 10 {
			if got != nil {
				t.Errorf("%q: TTFT at %g of %d requests", c.Name, at, len(rows))
			}
			continue
		}
		if rank := int(math.Ceil(at*float64(len(rows)) - 1e-9)); rank > len(ttft) || got == nil || math.Abs(*got/ttft[rank-1]-1) > 1e-3 {
			t.Errorf("%q: TTFT at %g is %v, want the %d-th of %d", c.Name, at, got, rank, len(ttft))
		}
	}
}

// TestClassVerdicts: an objective of a class counts for the approach: failed before cannot tell before pass.
func TestClassVerdicts(t *testing.T) {
	for name, tt := range map[string]struct{ chat, batch, verdict, ofChat, ofBatch string }{
		"all pass":           {"10s", "error_rate <= 90%", analyze.Pass, analyze.Pass, analyze.Pass},
		"chat is too slow":   {"61ms", "error_rate <= 90%", analyze.Fail, analyze.Fail, analyze.Pass},
		"batch is too short": {"10s", "ttft p99.9 <= 20s", analyze.CannotTell, analyze.Pass, analyze.CannotTell},
		"either":             {"61ms", "ttft p99.9 <= 20s", analyze.Fail, analyze.Fail, analyze.CannotTell},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := strings.NewReplacer(", faults: [{kind: truncate, probability: 0.05}]", "", "measure: 200s", "measure: 60s").Replace(fmt.Sprintf(mixScenario, tt.chat, tt.batch))
				an, _ := play(t, text, nil)
				a := &an.Summary.Approaches[0]
				if a.Verdict() != tt.verdict || a.Classes[0].Verdict() != tt.ofChat || a.Classes[2].Verdict() != tt.ofBatch || a.Classes[1].Verdict() != analyze.Pass {
					t.Errorf("%s: %+v %+v", a.Verdict(), a.Classes[0].SLO, a.Classes[2].SLO)
				}
				if len(a.SLO) != 1 || a.SLO[0].Verdict != analyze.Pass {
					t.Errorf("together %+v", a.SLO)
				}
			})
		})
	}
}

// TestMixAsSent: what is asked and sent is described of each class too, and is the same where nothing is lost. A class's
// shared texts are found in the cache as predicted; another's are no accident.
func TestMixAsSent(t *testing.T) {
	text := strings.NewReplacer(", faults: [{kind: truncate, probability: 0.05}]", "", "measure: 200s", "measure: 100s").Replace(fmt.Sprintf(mixScenario, "10s", "error_rate <= 90%"))
	synctest.Test(t, func(t *testing.T) {
		an, _ := play(t, text, nil)
		w := an.Summary.Workload
		if len(w.Classes) != 3 {
			t.Fatalf("%d classes", len(w.Classes))
		}
		n := 0
		for _, c := range w.Classes {
			b := c.Sent[0]
			n += b.Requests
			if c.Asked == nil || b.Requests != c.Asked.Requests || b.Rate != c.Asked.Rate || *b.CV != *c.Asked.CV || len(b.Differences) > 0 {
				t.Errorf("%s: sent %+v, asked %+v: %+v", c.Class, b.Traffic, c.Asked, b.Differences)
			}
			same(t, c.Class+" input", b.Input, c.Asked.Input)
			same(t, c.Class+" output, counted", b.CountedOutput, c.Asked.Output)
		}
		if n != w.Sent[0].Requests || w.Sent[0].Requests != w.Asked.Requests {
			t.Errorf("%d requests in classes, %d together", n, w.Sent[0].Requests)
		}
		if rag := w.Classes[1].Sent[0]; *rag.CacheableShare != *w.Classes[1].Asked.CacheableShare || math.Abs(*rag.CacheableShare-0.5) > 0.05 || math.Abs(*rag.CachedShare-*rag.CacheableShare) > 0.05 {
			t.Errorf("rag: cacheable %v of %v asked, cached %v", *rag.CacheableShare, *w.Classes[1].Asked.CacheableShare, *rag.CachedShare)
		}
		for _, code := range []string{"cache_hits", "workload_as_sent"} {
			if r := reasonOf(an, code); r != nil {
				t.Error(r.Text)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) { // half of one class is lost: the reason names it
		s := workloadOf(t, text)
		an, _ := play(t, text, func(i int) bool { return s.Mix.Members[i].Class != 2 || s.Mix.Members[i].Index%2 == 0 })
		var texts []string
		for _, r := range an.Summary.Validity.Reasons {
			if r.Code == "workload_as_sent" {
				texts = append(texts, r.Text)
			}
		}
		if len(texts) != 2 || !strings.Contains(texts[1], "single classes") || !strings.Contains(texts[1], "batch rate 0.1") || strings.Contains(texts[1], "chat") {
			t.Errorf("%q", texts)
		}
	})
}

func workloadOf(t *testing.T, text string) *workload.Schedule {
	t.Helper()
	s, err := workload.Parse([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	return sched
}

// TestSharedTextsOfAClass: what the requests of one class share explains what a cache spared of them; a row of a class that
// the scenario does not have is an error.
func TestSharedTextsOfAClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Replace(fmt.Sprintf(mixScenario, "10s", "error_rate <= 90%"), "{fixed: 900}, output: {fixed: 40}}}", "{fixed: 900}, output: {fixed: 40}}, cache: allowed, system: Be brief.}", 1)
		text = strings.Replace(text, "measure: 200s", "measure: 100s", 1)
		an, rec := play(t, text, nil)
		if r := reasonOf(an, "cache_hits"); r != nil {
			t.Error(r.Text)
		}
		rec.Manifest.Scenario.Mix[0].Name = "talk"
		if _, err := analyze.Run(rec); err == nil || !strings.Contains(err.Error(), `a row names traffic class "chat"`) {
			t.Errorf("%v", err)
		}
	})
}
