package analyze_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
)

var update = flag.Bool("update", false, "rewrite the tables in docs")

// setting is one simulated endpoint under one load.
type setting struct {
	name  string
	load  float64 // of its slots
	slots int
	mix   string // see mixes
	cache bool   // a prefix cache, and texts that prompts share
	with  string // more of the simulation, as YAML fields
	// shared: there is nothing to infer but a prefill that slows down.
	shared bool
	// noisy: a prefill varies by more than 2 ms or 5% of most delays, so that no inference can be as near as that.
	noisy bool
}

// mixes are kinds of prompts: the YAML, and about how many tokens go in and come out.
var mixes = map[string]struct {
	prompts       string
	input, output float64
}{
	"chat":  {"{input: {lognormal: {median: 200, sigma: 0.8, max: 2000}}, output: {uniform: {min: 4, max: 20}}}", 272, 12},
	"long":  {"{input: {lognormal: {median: 1200, sigma: 0.5, max: 4000}}, output: {uniform: {min: 2, max: 8}}}", 1350, 5},
	"pairs": {"{pairs: [[50, 24], [300, 8], [900, 4], [100, 12]]}", 337, 12},
	"alike": {"{input: {fixed: 400}, output: {uniform: {min: 4, max: 20}}}", 400, 12},
}

// settings are 30 queues, 3 whose prefills vary much, and 6 endpoints whose prefills share the processor.
func settings() []setting {
	var all []setting
	loads := []float64{0.3, 0.45, 0.6, 0.75, 0.9, 1.2}
	for i, load := range loads {
		add := func(s setting) {
			s.load = load
			all = append(all, s)
		}
		add(setting{name: "chat", slots: []int{1, 2, 4, 8, 16, 32}[i], mix: "chat"})
		add(setting{name: "long prompts", slots: []int{8, 4, 2, 1, 4, 2}[i], mix: "long", with: "prefill_noise: 0.01"})
		add(setting{name: "cache", slots: []int{2, 1, 4, 2, 8, 4}[i], mix: "chat", cache: true})
		add(setting{name: "pairs, slower under load", slots: []int{1, 2, 4, 8, 4, 2}[i], mix: "pairs", with: "decode_per_sequence: 2ms"})
	}
	all = append(all, []setting{
		{name: "prompts alike", load: 0.75, slots: 4, mix: "alike"},
		{name: "other tenants", load: 0.6, slots: 8, mix: "chat", with: "background: {rate: 2/s, input: 200, output: 12}"},
		{name: "other tenants", load: 0.8, slots: 8, mix: "long", with: "prefill_noise: 0.01, background: {rate: 2/s, input: 200, output: 12}"},
		{name: "prefill reported", load: 0.9, slots: 2, mix: "chat", with: "report: llama.cpp"},
		{name: "speculative", load: 0.9, slots: 4, mix: "pairs", with: "tokens_per_step: 2"},
		{name: "prefill reported", load: 0.6, slots: 1, mix: "alike", with: "report: llama.cpp"},
	}...)
	for i, load := range []float64{0.45, 0.75, 1.2} {
		all = append(all, setting{name: "noisy prefill (10%)", load: load, slots: []int{2, 4, 2}[i], mix: "long", with: "prefill_noise: 0.1", noisy: true})
	}
	for _, load := range loads {
		all = append(all, setting{name: "shared processor", load: load, slots: 64, mix: "chat", with: "processor_sharing: true", shared: true})
	}
	return all
}

// The simulation that all settings have in common: a token of prefill takes 200 us, a token of output 8 ms.
const (
	experimentRequests = 1200
	overheadMs         = 20
	prefillMs          = 0.2
	stepMs             = 8
)

func (s *setting) text(i int) string {
	m := mixes[s.mix]
	uncached, prompts := m.input, "synthetic: "+m.prompts
	if s.cache {
		prompts += "\n  shared: {groups: 6, tokens: {uniform: {min: 200, max: 600}}}"
		s.with += ", prefix_cache_tokens: 100000"
	}
	service := overheadMs + prefillMs*uncached + stepMs*(m.output-1)
	if strings.Contains(s.with, "decode_per_sequence") {
		service += 2 * (m.output - 1) * float64(s.slots-1) * min(1, s.load)
	}
	rate := s.load * float64(s.slots) / service * 1e3
	if s.shared { // there are slots for all, and one processor
		rate = s.load / (overheadMs + prefillMs*uncached) * 1e3
	}
	fields := "network: 10ms, overhead: 20ms, prefill_per_token: 200us, decode_step: 8ms, slots: " + fmt.Sprint(s.slots)
	if !strings.Contains(s.with, "prefill_noise") {
		fields += ", prefill_noise: 0.02"
	}
	if s.with = strings.TrimPrefix(s.with, ", "); s.with != "" {
		fields += ", " + s.with
	}
	return fmt.Sprintf(`
name: queue
seed: %d
phases: {measure: %.0fms, drain: 10m, light_load: {requests: 24}}
arrivals: {rate: %.4f/s}
prompts:
  %s
approaches:
  - name: one
    simulate: {%s}
`, 100+i, 1e3*experimentRequests/rate, rate, prompts, fields)
}

// finding is what a setting came to. Times are in seconds.
type finding struct {
	setting
	n                   int
	basis, why          string
	limit               float64
	trueP50, trueP99    float64
	p99                 float64
	median, relative    float64 // of the distance from the truth, and of that as a share of it
	trueShare, gotShare float64 // of queueing in the TTFT of the slowest 1%
}

// TestExperimentQueue holds inferred queueing delays against those that the simulated endpoint knows of. It prints the table of
// docs/queue.md, which -update rewrites.
func TestExperimentQueue(t *testing.T) {
	all := settings()
	short := !analyze.FullExperiment()
	var found []finding
	for i, s := range all {
		if short && i%12 != 0 {
			continue
		}
		synctest.Test(t, func(t *testing.T) { found = append(found, s.find(t, i)) })
	}
	inferred := 0
	for _, f := range found {
		t.Log(f.row())
		switch {
		case f.shared:
			if f.basis != analyze.CannotTell {
				t.Errorf("%s at %.2f: %s (%s)", f.name, f.load, f.basis, f.why)
			}
			continue
		case f.basis == analyze.CannotTell:
			t.Logf("%s at %.2f: %s", f.name, f.load, f.why)
			continue
		}
		inferred++
		if f.noisy {
			if f.median > f.limit {
				t.Errorf("%s at %.2f: median error %.2f ms, detection limit %.2f ms", f.name, f.load, 1e3*f.median, 1e3*f.limit)
			}
		} else if f.median > 0.002 && f.relative > 0.05 {
			t.Errorf("%s at %.2f: median error %.2f ms, %.1f%%", f.name, f.load, 1e3*f.median, 100*f.relative)
		}
		if math.Abs(f.trueShare-f.gotShare) > 0.1 {
			t.Errorf("%s at %.2f: queueing is %.3f of the slowest 1%%, inferred %.3f", f.name, f.load, f.trueShare, f.gotShare)
		}
	}
	if !short && inferred < 31 {
		t.Errorf("%d of 33 queues were inferred", inferred)
	}
	if !short {
		holdTable(t, "../../docs/queue.md", found)
	}
}

func (s setting) find(t *testing.T, i int) finding {
	st := stage{}
	defer st.stop()
	an, rec := st.play(t, s.text(i), "", nil)
	truths := map[string]simulate.Truth{}
	for _, host := range st {
		for _, tr := range host.Truth() {
			truths[tr.ID] = tr
		}
	}
	got, err := analyze.InferredDelays(rec)
	if err != nil {
		t.Fatal(err)
	}
	p := an.Summary.Approaches[0]
	f := finding{setting: s, n: p.OK, basis: p.Queueing.Basis, why: p.Queueing.Why, limit: *p.Queueing.DetectionLimit, p99: math.NaN()}
	type request struct{ ttft, queue float64 }
	var requests []request
	var off, relative, delays []float64
	for r, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if r.Phase != measure.Measure || !r.OK() {
			continue
		}
		ttft, _ := r.FirstToken.Sub(r.Scheduled).Get()
		delay, _ := r.Sent.Sub(r.Scheduled).Get()
		queue := (delay + truths[r.RequestID].Queue).Seconds()
		requests = append(requests, request{ttft.Seconds(), queue})
		if v, ok := got[r.RequestID]; ok {
			off, delays = append(off, math.Abs(v-queue)), append(delays, v)
			relative = append(relative, math.Abs(v-queue)/max(queue, 1e-9))
		}
	}
	slices.SortFunc(requests, func(a, b request) int { return cmp.Compare(b.ttft, a.ttft) })
	var ttft float64
	for _, r := range requests[:len(requests)/100] {
		f.trueShare += r.queue
		ttft += r.ttft
	}
	f.trueShare /= ttft
	slices.SortFunc(requests, func(a, b request) int { return cmp.Compare(a.queue, b.queue) })
	f.trueP50, f.trueP99 = requests[len(requests)/2].queue, requests[len(requests)*99/100].queue
	if len(off) > 0 {
		slices.Sort(off)
		slices.Sort(relative)
		slices.Sort(delays)
		f.median, f.relative, f.p99 = off[len(off)/2], relative[len(relative)/2], delays[len(delays)*99/100]
		f.gotShare = queueShare(p.Queueing)
	}
	return f
}

// queueShare is what queueing is of the TTFT of the slowest 1%.
func queueShare(q *analyze.Queueing) (share float64) {
	for _, r := range q.Ladder {
		for _, p := range r.Parts {
			if r.At == "slowest 1%" && (p.Name == analyze.StepSend || p.Name == analyze.StepConnect || p.Name == analyze.StepQueue) {
				share += p.Share
			}
		}
	}
	return share
}

func (f *finding) row() string {
	ms := func(s float64) string { return fmt.Sprintf("%.1f ms", 1e3*s) }
	cells := []string{f.name, fmt.Sprint(f.slots), fmt.Sprintf("%.2f", f.load), fmt.Sprint(f.n), ms(f.limit), ms(f.trueP50), ms(f.trueP99)}
	if f.basis == analyze.CannotTell {
		cells = append(cells, analyze.CannotTell, "", "", "")
	} else {
		cells = append(cells, ms(f.p99), ms(f.median), fmt.Sprintf("%.1f%%", 100*f.trueShare), fmt.Sprintf("%.1f%%", 100*f.gotShare))
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// The marks between which a table stands.
const tableBegin, tableEnd = "<!-- the table of TestExperimentQueue -->\n", "<!-- its end -->\n"

// holdTable says where the table of a document is not the one that was found, or rewrites it.
func holdTable(t *testing.T, path string, found []finding) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	var table strings.Builder
	table.WriteString("| setting | slots | load | n | detection limit | true p50 | true p99 | inferred p99 | median error | queueing in the slowest 1% | inferred |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, f := range found {
		table.WriteString(f.row() + "\n")
	}
	whole := before + tableBegin + table.String() + tableEnd + after
	if !*update {
		if whole != string(b) {
			t.Errorf("the table of %s is another: look at the difference, and rewrite it with -update", path)
		}
		return
	}
	if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
}
