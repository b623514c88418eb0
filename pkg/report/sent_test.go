package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// synthSent is the workload as sent of a run with these arrivals: every block sent them as asked, but the last one, which
// lost part of the spike and whose answers ended early.
func synthSent(arrivals []float64, names []string) *analyze.WorkloadAsSent {
	const second = float64(time.Second)
	from, to := time.Duration(synthWarmup*second), time.Duration(synthHorizon*second)
	traffic := func(keep func(i int, at float64) bool, outputs int) *workload.Traffic {
		var times []time.Duration
		input, output := workload.LengthCounts{}, workload.LengthCounts{}
		for i, at := range arrivals {
			if at >= synthWarmup && keep(i, at) {
				times = append(times, time.Duration(at*second))
				input.Add(200 + i*7919%600)
				output.Add(60 + i*104729%outputs)
			}
		}
		return workload.DescribeTraffic(times, from, to, input, output)
	}
	all := func(int, float64) bool { return true }
	w := &analyze.WorkloadAsSent{Asked: traffic(all, 180)}
	w.Asked.CacheableShare = new(0.41)
	for k, name := range names {
		b := analyze.SentBlock{Approach: name, Block: k, Traffic: *traffic(all, 180), CachedShare: new(0.38)}
		b.CacheableShare, b.CountedInput, b.CountedOutput = new(0.41), b.Input, b.Output
		if k == len(names)-1 {
			b.Traffic = *traffic(func(i int, at float64) bool { return at < spikeFrom || at >= spikeTo || i%2 == 0 }, 180)
			b.CountedOutput, b.CachedShare = traffic(all, 90).Output, nil
		}
		b.Compare(w.Asked)
		w.Sent = append(w.Sent, b)
		o := analyze.OutputLengths{Approach: name, Against: names[0], Pairs: 1200, Mean: 149, AgainstMean: 149.2, Difference: &workload.Estimate{Value: -0.2, Low: -1.1, High: 0.7}}
		switch k {
		case 0:
			continue
		case len(names) - 1:
			o.Mean, o.Differs, o.Difference = 104.2, true, &workload.Estimate{Value: -45, Low: -48.2, High: -41.8}
		}
		w.Outputs = append(w.Outputs, o)
	}
	return w
}

// TestSentMarksDifferences: what differs is marked, in the block that differs and nowhere else, and the mark is explained.
func TestSentMarksDifferences(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, *analyze.Analysis) error{
		"Markdown": func(b *bytes.Buffer, a *analyze.Analysis) error { return Markdown(b, a) },
		"HTML":     func(b *bytes.Buffer, a *analyze.Analysis) error { return HTML(b, a, nil) },
	} {
		a := synthetic(1)
		var with, without bytes.Buffer
		if err := write(&with, a); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(with.String(), "≠") || !strings.Contains(with.String(), "marks a figure") {
			t.Errorf("%s marks no difference", name)
		}
		last := &a.Summary.Workload.Sent[3]
		for i := range a.Summary.Workload.Sent[:3] {
			if d := a.Summary.Workload.Sent[i].Differences; len(d) > 0 {
				t.Errorf("block %d differs: %+v", i, d)
			}
		}
		if len(last.Differences) == 0 {
			t.Fatal("the last block does not differ")
		}
		last.Differences = nil
		if err := write(&without, a); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(without.String(), "≠") {
			t.Errorf("%s marks what does not differ", name)
		}
	}
}

// TestShorterAnswersAreMarked: E2E and output tokens of the approach with shorter answers are marked, TPOT and the others'
// figures are not, and the mark is explained.
func TestShorterAnswersAreMarked(t *testing.T) {
	a := synthetic(1)
	tab := comparison(a.Summary)
	for _, g := range tab.groups {
		for _, r := range g.rows {
			follows := r.label == "output tokens" || strings.HasPrefix(r.label, "E2E p")
			for i, c := range r.cells {
				marked := strings.HasSuffix(c.text, "†")
				if want := follows && i == 3 && c.tone == plain; marked != want {
					t.Errorf("%s of approach %d: %q, want a mark: %t", r.label, i, c.text, want)
				}
				if marked && !strings.Contains(c.why, "104") {
					t.Errorf("%s: %q", r.label, c.why)
				}
			}
		}
	}
	if notes := strings.Join(legendNotes(tab), "\n"); !strings.Contains(notes, "†: the answers") {
		t.Error(notes)
	}
	if notes := strings.Join(sentNotes(a.Summary, sentTable(a.Summary)), "\n"); !strings.Contains(notes, "† marks") {
		t.Error(notes)
	}
	a.Summary.Workload.Outputs[2].Differs = false
	if notes := strings.Join(legendNotes(comparison(a.Summary)), "\n"); strings.Contains(notes, "†") {
		t.Error(notes)
	}
}

// TestSentWithoutAsked: a closed loop and an old record show what was sent alone, and say why.
func TestSentWithoutAsked(t *testing.T) {
	for open, want := range map[bool]string{true: "an older infbench made it", false: "A closed loop has no schedule"} {
		a := synthetic(0.2)
		a.Summary.Schedule.OpenLoop, a.Summary.Workload.Asked = open, nil
		var b bytes.Buffer
		if err := Markdown(&b, a); err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(b.String(), "## Workload as sent")
		if strings.Contains(section, "| asked |") || !strings.Contains(section, want) || !strings.Contains(section, "CV of the gaps") {
			t.Errorf("open %t: %.400s", open, section)
		}
	}
}

// TestSentBlocksOfOneApproach: where an approach has several blocks, each has its column and its number.
func TestSentBlocksOfOneApproach(t *testing.T) {
	w := &analyze.WorkloadAsSent{Sent: []analyze.SentBlock{{Approach: "a"}, {Approach: "b", Block: 1}, {Approach: "a", Block: 2}}}
	got := strings.Join(sentTable(&analyze.Summary{Workload: w}).columns, "; ")
	if got != "a, block 0; b; a, block 2" {
		t.Error(got)
	}
}

// TestPromptsAreDescribed: what requests have in common is said where it is said how it was measured.
func TestPromptsAreDescribed(t *testing.T) {
	shared := &workload.Shared{Groups: 40, Zipf: 1, Share: 0.6, Warm: true}
	for want, p := range map[string]workload.Prompts{
		"synthetic text; each behind a nonce of its own, so that no cache answers by accident":                                {Synthetic: &workload.Synthetic{}},
		"rows of a.jsonl; sent as they are, whatever a cache makes of it":                                                     {Dataset: &workload.Dataset{Path: "a.jsonl"}, Cache: "allowed"},
		"rows of a.jsonl; behind a nonce of the run, approach and block: cold for each, whatever its requests have in common": {Dataset: &workload.Dataset{Path: "a.jsonl"}, Cache: "cold"},
		"synthetic text; 40 shared texts (Zipf 1) before as many as make 60.0% of the prompt tokens cacheable, sent once in the warm-up; texts begin with a nonce of the run, approach and block, other prompts with one of their own": {
			Synthetic: &workload.Synthetic{}, Shared: shared},
		"synthetic text; texts of docs (Zipf 1); texts begin with a nonce of the run, approach and block, other prompts with one of their own": {
			Synthetic: &workload.Synthetic{}, Shared: &workload.Shared{Zipf: 1, Documents: &workload.Documents{Path: "docs"}}},
	} {
		if got := describePrompts(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSentShowsTheCalibration: by what the prompts of each block were built, where that was found; no row without one.
func TestSentShowsTheCalibration(t *testing.T) {
	a := synthetic(1)
	var before bytes.Buffer
	if err := Markdown(&before, a); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(before.String(), "How the server counts") {
		t.Error("a calibration is shown, and there was none")
	}
	residual := 0.25
	a.Summary.Workload.Sent[0].Calibration = &measure.Calibration{Source: "vLLM /tokenize", Line: &workload.Correction{Overhead: 7.5, Ratio: 1.31}, Residual: &residual,
		Samples: []measure.CalibrationSample{{Own: 10, Counted: 20}, {Own: 20, Counted: 33}}}
	a.Summary.Workload.Sent[1].Calibration = &measure.Calibration{Source: "usage", Problem: "no usage"}
	var after bytes.Buffer
	if err := Markdown(&after, a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"**How the server counts a prompt**", "| by | — | vLLM /tokenize | usage | — | — |", "| added to every prompt | — | 7.50 | — | — | — |",
		"| tokens per token of ours | — | 1.31 | — | — | — |", "| a sample's distance, median | — | 0.250 | — | — | — |", "| samples (n) | — | 2 | 0 | — | — |"} {
		if !strings.Contains(after.String(), want) {
			t.Errorf("no %q in the report", want)
		}
	}
}
