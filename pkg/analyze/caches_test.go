package analyze_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// nightly is a scenario that is run again and again on a server that stays up and forgets nothing.
const nightly = `
name: nightly
seed: 5
phases: {warmup: 10s, measure: 60s, drain: 60s}
arrivals: {rate: 3/s}
prompts:
  synthetic: {input: {uniform: {min: 20, max: 200}}, output: {fixed: 2}}
  %s
approaches:
  - name: one
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1us, decode_step: 1ms, prefix_cache_tokens: 10000000}
`

// TestNextRunFindsNothingOfThisOne: yesterday's run leaves its prompts in a server's cache. With a nonce of its own the
// next run finds none of them, and only what its own shared texts let it; with the same nonce it sends the very same
// prompts, finds all of them, and says so.
func TestNextRunFindsNothingOfThisOne(t *testing.T) {
	for name, prompts := range map[string]string{
		"unique": "cache: unique",
		"shared": "shared: {groups: 15, tokens: {fixed: 320}, share: 0.5}",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := stage{}
				defer st.stop()
				text := fmt.Sprintf(nightly, prompts)
				for _, nonce := range []string{"monday", "tuesday"} {
					an, rec := st.play(t, text, nonce, nil)
					for s := range rec.Rows() {
						if s.CachedInput == nil || *s.CachedInput != s.Cacheable {
							t.Fatalf("%s, request %d: cached %v, its own run explains %d", nonce, s.Index, s.CachedInput, s.Cacheable)
						}
					}
					if r := reasonOf(an, "cache_hits"); r != nil || rec.Manifest.RunNonce != nonce || an.Summary.Run.Nonce != nonce {
						t.Errorf("%s: %+v", nonce, r)
					}
				}
				an, rec := st.play(t, text, "monday", nil)
				if r := reasonOf(an, "cache_hits"); r == nil || severe(an) < 1 || r.Approach != "one" {
					t.Errorf("the same prompts again: %+v", r)
				}
				for s := range rec.Rows() {
					if s.Phase == measure.Measure && *s.CachedInput < s.AskedInput-16 {
						t.Fatalf("request %d of monday again: %d of %d cached", s.Index, *s.CachedInput, s.AskedInput)
					}
				}
			})
		})
	}
}

// TestRecordedPrefixes: a server with a large prefix cache reports of a trace's prompts what the trace's blocks let it,
// less the rest of a block of its own. Cold, the second approach on the same server finds nothing of the first; allowed,
// it finds all, which is said.
func TestRecordedPrefixes(t *testing.T) {
	const text = `
name: blocks
seed: 5
phases: {measure: 15s, drain: 60s}
arrivals: {shape: {trace: {path: mooncake-conversation-first60.jsonl, dequantise: true}}}
prompts: {trace: {max_output: 2}, cache: %s}
approaches:
  - name: one
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1ns, decode_step: 1ms, prefix_cache_tokens: 10000000}
  - name: two
    simulate: {slots: 100, overhead: 1ms, prefill_per_token: 1ns, decode_step: 1ms, prefix_cache_tokens: 10000000}
`
	for _, cache := range []string{"cold", "allowed"} {
		synctest.Test(t, func(t *testing.T) {
			an, rec := play(t, fmt.Sprintf(text, cache), nil)
			hits := 0
			for s := range rec.Rows() {
				if cache == "allowed" && s.Approach == "two" {
					continue
				}
				if s.Cacheable > 0 {
					hits++
				}
				if s.CachedInput == nil || *s.CachedInput > s.Cacheable || *s.CachedInput < s.Cacheable-16 {
					t.Errorf("%s, %s, request %d: cached %v, predicted %d of %d", cache, s.Approach, s.Index, s.CachedInput, s.Cacheable, s.AskedInput)
				}
			}
			w := an.Summary.Workload
			if hits < 20 || *w.Sent[0].CacheableShare < 0.01 || *w.Asked.CacheableShare != *w.Sent[0].CacheableShare {
				t.Errorf("%s: %d hits, %v cacheable", cache, hits, *w.Sent[0].CacheableShare)
			}
			r := reasonOf(an, "cache_hits")
			if (r != nil) != (cache == "allowed") || r != nil && (r.Approach != "two" || r.Verdict != analyze.Valid) {
				t.Errorf("%s: %+v", cache, r)
			}
		})
	}
}

// TestSpentDataset: rows that are sent again are named where a cache may know them, and not where a nonce stands before them.
func TestSpentDataset(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, "{\"prompt\": \"Question %d: %s?\", \"max_tokens\": 2}\n", i, strings.Repeat("and then ", 30+i))
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for cache, want := range map[string]string{"unique": "", "cold": "40 rows were sent", "allowed": "40 rows were sent"} {
		for measure, spent := range map[string]bool{"60s": true, "5s": false} {
			synctest.Test(t, func(t *testing.T) {
				text := fmt.Sprintf(strings.Replace(strings.Replace(nightly, "60s, drain", measure+", drain", 1), "warmup: 10s", "warmup: 0s", 1), "cache: "+cache)
				_, after, _ := strings.Cut(text, "cache: ")
				before, _, _ := strings.Cut(text, "  synthetic")
				an, rec := play(t, before+"  dataset: {path: "+file+"}\n  cache: "+after, nil)
				r := reasonOf(an, "dataset_spent")
				if (r != nil) != (spent && want != "") || r != nil && (!strings.Contains(r.Text, want) || !strings.Contains(r.Text, "prompts.cache: "+cache) || r.Verdict != analyze.Valid) {
					t.Errorf("%s, %s: %+v", cache, measure, r)
				}
				hit := false
				for s := range rec.Rows() {
					hit = hit || *s.CachedInput > 40
				}
				if hit != (spent && want != "") || reasonOf(an, "cache_hits") != nil {
					t.Errorf("%s, %s: hits %t", cache, measure, hit)
				}
			})
		}
	}
}

// TestSpentDatasetByConversations: a row is spent by a conversation, however many turns that has.
func TestSpentDatasetByConversations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "talks.jsonl")
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, "{\"messages\": [%s{\"role\": \"user\", \"content\": \"At last %d\"}]}\n", strings.Repeat(`{"role": "user", "content": "So?"}, {"role": "assistant", "content": "So."}, `, 5), i)
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for length, want := range map[string]string{"60s": "40 rows were sent", "5s": ""} { // some 180 and some 15 conversations of six turns
		synctest.Test(t, func(t *testing.T) {
			text := fmt.Sprintf(strings.Replace(nightly, "warmup: 10s, measure: 60s", "warmup: 0s, measure: "+length, 1), "cache: cold")
			text = strings.Replace(text, "  synthetic: {input: {uniform: {min: 20, max: 200}}, output: {fixed: 2}}", "  dataset: {path: "+file+", output: {fixed: 2}}", 1)
			an, rec := play(t, text+"sessions: {think: {fixed: 10ms}}\n", nil)
			sent := float64(rec.Manifest.Schedule.Arrivals) / 40
			r := reasonOf(an, "dataset_spent")
			if b := rec.Manifest.Blocks[0]; b.Attempts < 50 || (r != nil) != (want != "") || r != nil && !strings.Contains(r.Text, fmt.Sprintf("%s %.3g times over", want, sent)) {
				t.Errorf("%s: %d requests of %d conversations: %+v", length, b.Attempts, rec.Manifest.Schedule.Arrivals, r)
			}
		})
	}
}

// TestSpentDatasetBehindSharedTexts: there a row that comes again has no nonce of its own before it. That is said, and is no
// cache that was warm from something else.
func TestSpentDatasetBehindSharedTexts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, "{\"prompt\": \"Question %d: %s?\", \"max_tokens\": 2}\n", i, strings.Repeat("and then ", 100))
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		text := fmt.Sprintf(nightly, "shared: {groups: 2, tokens: {fixed: 320}}")
		text = strings.Replace(text, "synthetic: {input: {uniform: {min: 20, max: 200}}, output: {fixed: 2}}", "dataset: {path: "+file+"}", 1)
		an, _ := play(t, text, nil)
		r := reasonOf(an, "dataset_spent")
		if r == nil || !strings.Contains(r.Text, "behind the same shared text") || strings.Contains(r.Text, "cache: unique") || reasonOf(an, "cache_hits") != nil {
			t.Errorf("%+v, %+v", r, reasonOf(an, "cache_hits"))
		}
	})
}

// TestSpentDatasetOfAClass: of a mix it is said of the class, by what falls to it, whatever files the other classes have.
func TestSpentDatasetOfAClass(t *testing.T) {
	rows := workload.DatasetFacts{Path: "rows.jsonl", Used: 40}
	many := workload.DatasetFacts{Path: "many.jsonl", Used: 4000}
	docs := workload.DatasetFacts{Path: "docs", Used: 3}
	m := &measure.Manifest{State: measure.Complete, Datasets: []workload.DatasetFacts{many, docs, rows},
		Blocks:   []measure.BlockRecord{{Approach: "one", Attempts: 500, State: measure.Complete}},
		Schedule: measure.ScheduleRecord{OpenLoop: true, Arrivals: 300, Classes: []measure.ClassSchedule{{Name: "rag", Arrivals: 200}, {Name: "chat", Arrivals: 100}}},
		Scenario: &workload.Scenario{Approaches: []workload.Approach{{Name: "one"}}, Mix: []workload.TrafficClass{
			{Name: "rag", Prompts: workload.Prompts{Cache: "cold", Dataset: &workload.Dataset{}, Shared: &workload.Shared{Documents: &workload.Documents{}}}},
			{Name: "chat", Prompts: workload.Prompts{Cache: "cold", Dataset: &workload.Dataset{}}}}}}
	var found []string
	for _, r := range analyze.Spent(m) {
		found = append(found, r.Text)
	}
	if len(found) != 1 || !strings.HasPrefix(found[0], "one, class chat: the dataset was spent: its 40 rows were sent 2.5 times over") {
		t.Errorf("%q", found)
	}
}
