package main

import (
	"errors"
	"os"
	"testing"

	"github.com/infbench/infbench/pkg/measure"
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
	n, ok := 0, 0
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
		checkLlamaRow(t, s)
	}
	if n == 0 || ok < n*9/10 {
		t.Errorf("%d of %d requests succeeded", ok, n)
	}
	t.Logf("%d requests, %d of them whole, each held against the server's own timings", n, ok)
}

// checkLlamaRow holds a row against the timings that the server sent with it: its prefill and decode happened inside of
// what we measured, and it generated the tokens that we asked for.
func checkLlamaRow(t *testing.T, s *measure.Sample) {
	t.Helper()
	if s.Basis != measure.BasisUsage || s.OutputTokens == nil || *s.OutputTokens != s.AskedOutput {
		t.Errorf("request %d: output %v by %s, asked for %d", s.Index, s.OutputTokens, s.Basis, s.AskedOutput)
	}
	// one word is one token on this model; the chat template adds a few
	if s.InputTokens == nil || *s.InputTokens < s.AskedInput || *s.InputTokens > s.AskedInput+16 {
		t.Errorf("request %d: %v prompt tokens, asked for %d", s.Index, s.InputTokens, s.AskedInput)
	}
	prefill, ok1 := s.ServerPrefill.Get()
	decode, ok2 := s.ServerDecode.Get()
	service, ok3 := s.FirstToken.Sub(s.Sent).Get()
	whole, ok4 := s.Done.Sub(s.Sent).Get()
	if !ok1 || !ok2 || !ok3 || !ok4 {
		t.Errorf("request %d: stamps or timings are missing: %+v", s.Index, s)
		return
	}
	// The server's clocks start and stop a little off ours: allow it one part in 50.
	if slack := whole / 50; prefill > service+slack || prefill+decode > whole+slack {
		t.Errorf("request %d: the server spent %s on prefill and %s on decode, we saw %s to the first token and %s in all", s.Index, prefill, decode, service, whole)
	}
}
