package workload

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestMixedRequests: each request is the one that its class alone would send at this place, and carries the class's name; two
// classes never send the same text, and what one of them shares is not the other's.
func TestMixedRequests(t *testing.T) {
	for _, cache := range []string{"unique", "allowed"} {
		same := "{synthetic: {input: {fixed: 30}, output: {fixed: 10}}, shared: {groups: 4, tokens: {fixed: 50}}, cache: " + cache + "}"
		src, sched := mixSource(t, mixedDay, OverrideSet("mix[chat].prompts="+same), OverrideSet("mix[rag].prompts="+same))
		s := mixOf(t, mixedDay, OverrideSet("mix[chat].prompts="+same), OverrideSet("mix[rag].prompts="+same))
		owner := map[string]string{} // of the first words, and of the last
		next := map[string]int{}
		for k := range sched.Times {
			req := src.Request(k, Nonce{"edge", 0})
			name := s.Mix[sched.Mix.Members[k].Class].Name
			if req.Index != k || req.Class != name || src.ClassOf(k) != name || int(sched.Mix.Members[k].Index) != next[name] {
				t.Fatalf("request %d is %d of %q, want %q %d", k, req.Index, req.Class, name, next[name])
			}
			c := sched.Mix.Members[k].Class
			alone := src.Classes()[c].Request(next[name], Nonce{"edge", 0})
			alone.Index, alone.Class = k, name
			if fmt.Sprint(alone) != fmt.Sprint(req) {
				t.Fatalf("request %d is %v, alone %v", k, req, alone)
			}
			if in, out := src.Lengths(k); in != req.InputTokens || out != req.MaxTokens || src.Cacheable(k) != req.Cacheable {
				t.Fatalf("request %d asks for %d and %d, want %d and %d", k, req.InputTokens, req.MaxTokens, in, out)
			}
			next[name]++
			words := strings.Fields(req.Messages[0].Content)
			for _, text := range []string{strings.Join(words[:8], " "), strings.Join(words[len(words)-8:], " ")} {
				if before, seen := owner[text]; seen && before != name {
					t.Fatalf("%s and %s both send %q", before, name, text)
				}
				owner[text] = name
			}
		}
		if len(next) != 3 {
			t.Errorf("classes %v", next)
		}
	}
}

// TestMixedTraces: classes divide a trace row by row, each with the lengths of its own rows, and may replay another.
func TestMixedTraces(t *testing.T) {
	src, sched := mixSource(t, mixedTraces)
	common := sched.Mix.Common
	if common == nil || common.Trace == nil || sched.Trace != nil || len(sched.Mix.Classes[2].Times) == 0 {
		t.Fatalf("%v", sched)
	}
	var rows []int
	for c := range 2 {
		for i, at := range sched.Mix.Classes[c].Times {
			row := sched.Mix.Classes[c].Trace.Arrivals[i]
			k := slices.IndexFunc(common.Trace.Arrivals, func(a Replayed) bool { return a.Row == row.Row })
			if common.Times[k] != at {
				t.Fatalf("row %d at %v, want %v", row.Row, at, common.Times[k])
			}
			if in, out := src.Classes()[c].Lengths(i); c == 0 && (in != min(row.InputTokens, 900) || out != row.OutputTokens) {
				t.Errorf("row %d asks for %d and %d, recorded %d and %d", row.Row, in, out, row.InputTokens, row.OutputTokens)
			}
			rows = append(rows, row.Row)
		}
	}
	if slices.Sort(rows); len(rows) != common.Trace.Used || len(slices.Compact(rows)) != common.Trace.Used {
		t.Errorf("%d rows divided, %d used", len(rows), common.Trace.Used)
	}
	if src.Clamped() == 0 || src.Clamped() != src.Classes()[0].Clamped() {
		t.Errorf("%d clamped", src.Clamped())
	}
	if agent := sched.Mix.Classes[2]; agent.Trace.Path != "mooncake-conversation-first60.jsonl" || agent.Trace.Arrivals[0].Blocks == nil {
		t.Errorf("%+v", agent.Trace)
	}
}

// TestMixAsked: what is asked of the classes adds up to what is asked of all.
func TestMixAsked(t *testing.T) {
	src, sched := mixSource(t, mixedDay)
	whole, parts := src.Asked(sched), src.AskedByClass(sched)
	var n int
	var rate, tokens float64
	for i, c := range parts {
		if c.Class != sched.Mix.Classes[i].Name || c.Requests < 50 || c.CV == nil || c.Input == nil {
			t.Errorf("%+v", c)
		}
		n, rate, tokens = n+c.Requests, rate+c.Rate.Value, tokens+c.Input.Mean.Value*float64(c.Requests)
	}
	if len(parts) != 3 || n != whole.Requests || math.Abs(rate-whole.Rate.Value) > 1e-9 || math.Abs(tokens/float64(n)-whole.Input.Mean.Value) > 1e-9 {
		t.Errorf("%d classes of %d requests, %g/s, %g tokens; together %+v", len(parts), n, rate, tokens/float64(n), whole)
	}
	if parts[0].CacheableShare == nil || *parts[0].CacheableShare != 0 || math.Abs(*parts[2].CacheableShare-0.4) > 0.02 {
		t.Errorf("cacheable %v and %v", parts[0].CacheableShare, parts[2].CacheableShare)
	}
	if src, sched := mixSource(t, mixedDay, OverrideSet("mix[chat].prompts.system=Be brief."), OverrideSet("mix[chat].prompts.cache=allowed")); src.Asked(sched).CacheableShare != nil {
		t.Error("what a class may share by chance is not told, and the mix claims to know")
	}
	if one, _ := mixSource(t, small); one.Classes() != nil || one.ClassOf(0) != "" || one.AskedByClass(nil) != nil || one.Request(0, Nonce{}).Class != "" {
		t.Error("a scenario without a mix has classes")
	}
}
