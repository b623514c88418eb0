package workload

import (
	"fmt"
	"testing"
)

// TestDigestIsStable: it does not change from one version to the next, unless the meaning of the scenario does.
func TestDigestIsStable(t *testing.T) {
	s, err := Load("../../scenarios/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/digest.golden", fmt.Sprintf("%s  quickstart.yaml\n%s  small\n", s.Digest(), parse(t, small).Digest()))
}

// TestDigestTellsExperimentsApart: every field that changes what is sent or judged changes it; no other does.
func TestDigestTellsExperimentsApart(t *testing.T) {
	base := parse(t, small).Digest()
	seen := map[string]string{base: "the scenario itself"}
	for _, set := range []string{
		"name=other", "seed=2", "phases.warmup=1s", "phases.measure=31s", "phases.drain=29s", "arrivals.rate=5/s", "arrivals.preset=bursty",
		"arrivals.burst={constant: {}}", "arrivals.shape={spike: {at: 1s, for: 1s, factor: 2}}", "prompts.cache=allowed", "prompts.system=Be brief.",
		"prompts.synthetic.input.fixed=21", "prompts.shared={groups: 3, tokens: {fixed: 9}}", "prompts.shared={groups: 4, tokens: {fixed: 9}}",
		"prompts.shared={groups: 3, tokens: {fixed: 9}, zipf: 0}", "prompts.shared={groups: 3, tokens: {fixed: 9}, share: 0.1}", "prompts={dataset: {path: a.jsonl}}", "approaches[0].name=other", "approaches[0].url=http://127.0.0.1:8001/v1",
		"approaches[0].model=small", "approaches[0].key_env=KEY", "approaches[0].stream=false", "approaches[0].headers.X-Tenant=a", "approaches[0].body.top_k=40",
		"approaches[0].body.top_k=null", "approaches[0].timeouts.total=9s", "approaches[0].connections.reuse=never", "approaches[0].levers.model=large",
		"approaches[0].max_tokens_field=max_tokens", "approaches[1].simulate.slots=3", "slo.request.ttft=1s", "slo.objectives=[ttft p95 <= 1s]", "slo.require=any", "output.keep_text=true",
	} {
		d := parse(t, small, OverrideSet(set)).Digest()
		if before, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", set, before)
		}
		seen[d] = set
	}
	for _, set := range []string{"description=other", "output.dir=elsewhere", "seed=1", "arrivals.rate=240/min", "phases.measure=0.5m", "approaches[0].stream=true"} {
		if d := parse(t, small, OverrideSet(set)).Digest(); d != base {
			t.Errorf("%s changes the digest", set)
		}
	}
	moved := parse(t, small)
	moved.Dir = "elsewhere"
	if moved.Digest() != base {
		t.Error("the folder of the file changes the digest")
	}
}

// TestDigestOfMixes: what a class says changes it too.
func TestDigestOfMixes(t *testing.T) {
	seen := map[string]string{parse(t, mixedDay).Digest(): "the scenario itself"}
	for _, set := range []string{"mix[chat].weight=4", "mix[chat].name=talk", "mix[batch].arrivals.rate=2/s", "mix[chat].slo.request.ttft=2s", "mix[rag].slo={objectives: [ttft p50 <= 1s]}",
		"mix[chat].prompts.synthetic.input.fixed=31", "arrivals.rate=31/s"} {
		d := parse(t, mixedDay, OverrideSet(set)).Digest()
		if before, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", set, before)
		}
		seen[d] = set
	}
}

// TestDigestOfWhatIsNoJSON: a body that a program made of what JSON cannot hold is the program's mistake.
func TestDigestOfWhatIsNoJSON(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s := parse(t, small)
	s.Approaches[0].Body = map[string]any{"f": func() {}}
	s.Digest()
}
