package main

import (
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// TestLlamaRecord checks the record of a run against a real llama-server (scripts/e2e-llama makes it) row by row against
// what the server said of each request.
func TestLlamaRecord(t *testing.T) {
	dir := os.Getenv("INFBENCH_E2E_RUN")
	if dir == "" {
		t.Skip("run scripts/e2e-llama: it starts a real llama-server and sets INFBENCH_E2E_RUN")
	}
	rec, err := measure.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Manifest.State != measure.Complete {
		t.Errorf("the run is %s", rec.Manifest.State)
	}
	added := templateTokens
	if c := rec.Manifest.Blocks[0].Calibration; rec.Manifest.Scenario.Prompts.Calibrates() {
		if c == nil || c.Line == nil || *c.Line != (workload.Correction{Overhead: templateTokens, Ratio: 1}) {
			t.Errorf("calibration: %+v, want a line of %d tokens and 1 for each of ours", c, templateTokens)
		}
		added = 0 // prompts are by so much shorter
	}
	n, ok, late := 0, 0, 0
	for s, err := range rec.Rows() {
		if errors.Is(err, measure.ErrTorn) {
			t.Fatal("a finished run has a torn log")
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !s.OK() {
			t.Logf("request %d: %s: %s", s.Index, s.Class, s.Error)
			continue
		}
		ok++
		checkLlamaTokens(t, s, added)
		if !checkLlamaTimes(t, s) {
			late++
		}
	}
	if n == 0 || ok < n*9/10 {
		t.Errorf("%d of %d requests succeeded", ok, n)
	}
	if late > ok/2 {
		t.Errorf("%d of %d requests were stamped as sent after the server had begun with them", late, ok)
	}
	t.Logf("%d requests, %d of them whole, each held against the server's own timings; %d stamped as sent a little late", n, ok, late)
}

// templateTokens is what the model's chat template adds to a single message of the user (internal/gguf): four tokens around
// each of the two roles' names, the start of the text and the end of the turn.
const templateTokens = 10

// checkLlamaTokens: a word of a prompt is one token, none of them was in a cache, and the answer has the length asked for.
// Beside what was asked for, the server counts what the template has added, unless the prompts were built by its own count.
func checkLlamaTokens(t *testing.T, s *measure.Sample, added int) {
	t.Helper()
	if s.Basis != measure.BasisUsage || s.OutputTokens == nil || *s.OutputTokens != s.AskedOutput {
		t.Errorf("request %d: output %s by %s, asked for %d", s.Index, number(s.OutputTokens), s.Basis, s.AskedOutput)
	}
	if s.InputTokens == nil || *s.InputTokens != s.AskedInput+added {
		t.Errorf("request %d: %s prompt tokens, asked for %d and %d of the template", s.Index, number(s.InputTokens), s.AskedInput, added)
	}
	if s.CachedInput != nil && *s.CachedInput != 0 {
		t.Errorf("request %d: %d prompt tokens came from a cache", s.Index, *s.CachedInput)
	}
}

func number(n *int) string {
	if n == nil {
		return "unknown"
	}
	return strconv.Itoa(*n)
}

// checkLlamaTimes holds a row against the timings that the server sent with it: its prefill and decode happened inside of
// what we measured. That is certain from dispatched on. It reports whether it also holds from sent on, as it should but for
// the few requests whose stamp waited for a processor while the server had begun already.
func checkLlamaTimes(t *testing.T, s *measure.Sample) bool {
	t.Helper()
	prefill, ok1 := s.ServerPrefill.Get()
	decode, ok2 := s.ServerDecode.Get()
	sent, ok3 := s.Sent.Sub(s.Dispatched).Get()
	token, ok4 := s.FirstToken.Sub(s.Dispatched).Get()
	done, ok5 := s.Done.Sub(s.Dispatched).Get()
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		t.Errorf("request %d: stamps or timings are missing: %+v", s.Index, s)
		return true
	}
	const rounding = 5 * time.Microsecond // the server counts in whole microseconds
	if prefill > token+rounding || prefill+decode > done+rounding {
		t.Errorf("request %d: the server spent %s on prefill and %s on decode, we saw %s to the first token and %s in all", s.Index, prefill, decode, token, done)
	}
	return prefill <= token-sent+rounding && prefill+decode <= done-sent+rounding
}
