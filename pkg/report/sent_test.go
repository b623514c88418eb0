package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
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
		"synthetic text; each behind a nonce of its own, so that no cache answers by accident": {Synthetic: &workload.Synthetic{}},
		"rows of a.jsonl; sent as they are, whatever a cache makes of it":                      {Dataset: &workload.Dataset{Path: "a.jsonl"}, Cache: "allowed"},
		"synthetic text; 40 shared texts (Zipf 1) before as many as make 60.0% of the prompt tokens cacheable, sent once in the warm-up; texts begin with a nonce of the approach and block, other prompts with one of their own": {
			Synthetic: &workload.Synthetic{}, Shared: shared},
		"synthetic text; texts of docs (Zipf 1); texts begin with a nonce of the approach and block, other prompts with one of their own": {
			Synthetic: &workload.Synthetic{}, Shared: &workload.Shared{Zipf: 1, Documents: &workload.Documents{Path: "docs"}}},
	} {
		if got := describePrompts(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
