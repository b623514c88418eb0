package workload

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// small is a scenario with two approaches, most of it defaults.
const small = `name: demo
phases: {measure: 30s}
arrivals: {rate: 4/s}
prompts:
  synthetic:
    input: {fixed: 20}
    output: {fixed: 10}
approaches:
  - name: self-hosted
    url: http://127.0.0.1:8000/v1
    levers: {model: small}
  - name: edge
    simulate: {profile: edge}
`

// parse reads a scenario that is right.
func parse(t testing.TB, text string, overrides ...Override) *Scenario {
	t.Helper()
	s, err := Parse([]byte(text), "demo.yaml", overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sets(texts ...string) []Override {
	var all []Override
	for _, text := range texts {
		all = append(all, OverrideSet(text))
	}
	return all
}

func TestOverrides(t *testing.T) {
	cases := []struct {
		name      string
		overrides []Override
		got       func(*Scenario) any
		want      any
	}{
		{"a field", sets("phases.drain=5s"), func(s *Scenario) any { return s.Phases.Drain.D() }, 5 * time.Second},
		{"the last one wins", sets("seed=3", "seed=4"), func(s *Scenario) any { return s.Seed }, uint64(4)},
		{"spaces around the path", sets(" seed = 3"), func(s *Scenario) any { return s.Seed }, uint64(3)},
		{"an = in the value", sets("approaches[0].url=http://127.0.0.1/v1?a=b"), func(s *Scenario) any { return s.Approaches[0].URL }, "http://127.0.0.1/v1?a=b"},
		{"an item by its index", sets("approaches[1].simulate.slots=3"), func(s *Scenario) any { return s.Approaches[1].Simulate.Slots }, 3},
		{"an item by its name", sets("approaches[edge].simulate.slots=3"), func(s *Scenario) any { return s.Approaches[1].Simulate.Slots }, 3},
		{"by the name that it got before", sets("approaches[edge].name=tiny", "approaches[tiny].simulate.slots=3"),
			func(s *Scenario) any { return fmt.Sprint(s.Approaches[1].Name, s.Approaches[1].Simulate.Slots) }, "tiny3"},
		{"groups that are missing", sets("approaches[0].timeouts.total=9s", "slo.request.ttft=1s"),
			func(s *Scenario) any { return []Duration{s.Approaches[0].Timeouts.Total, s.SLO.Request.TTFT} }, []Duration{Duration(9 * time.Second), Duration(time.Second)}},
		{"a group as a whole", sets("prompts.synthetic.input={uniform: {min: 1, max: 2}}"),
			func(s *Scenario) any { return *s.Prompts.Synthetic.Input }, Lengths{Uniform: &Uniform{1, 2}}},
		{"a list as a whole", sets("slo.objectives=[ttft p95 <= 800ms, goodput >= 95%]"), func(s *Scenario) any { return fmt.Sprint(s.SLO.Objectives) }, "[ttft p95 <= 800ms goodput >= 95%]"},
		{"a field of a map", sets("approaches[0].levers.cache=on", "approaches[0].levers.model=large"),
			func(s *Scenario) any { return s.Approaches[0].Levers }, map[string]string{"model": "large", "cache": "on"}},
		{"a field of the body, of any type", sets("approaches[0].body.top_k=40", "approaches[0].body.stop=[a, b]", "approaches[0].body.seed=null"),
			func(s *Scenario) any { return s.Approaches[0].Body }, map[string]any{"top_k": int64(40), "stop": []any{"a", "b"}, "seed": nil}},
		{"text that is no YAML", sets("description=a: b: c"), func(s *Scenario) any { return s.Description }, "a: b: c"},
		{"text that looks like a number", sets("description=007"), func(s *Scenario) any { return s.Description }, "007"},
		{"a number for a text: no shell keeps the quotes", sets("name=5"), func(s *Scenario) any { return s.Name }, "5"},
		{"one approach", []Override{OverrideOnly("edge")}, func(s *Scenario) any { return names(s) }, []string{"edge"}},
		{"both, in the order of the file", []Override{OverrideOnly("edge, self-hosted")}, func(s *Scenario) any { return names(s) }, []string{"self-hosted", "edge"}},
		{"by index after the others are gone", append([]Override{OverrideOnly("edge")}, sets("approaches[0].simulate.slots=3")...), func(s *Scenario) any { return s.Approaches[0].Simulate.Slots }, 3},
		{"--duration", []Override{OverrideDuration("5s")}, func(s *Scenario) any { return s.Phases.Measure.D() }, 5 * time.Second},
		{"--rate", []Override{OverrideRate("7/s")}, func(s *Scenario) any { return s.Arrivals.Rate }, Rate(7)},
		{"--seed", []Override{OverrideSeed("7")}, func(s *Scenario) any { return s.Seed }, uint64(7)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.got(parse(t, small, c.overrides...)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

func names(s *Scenario) []string {
	var all []string
	for _, a := range s.Approaches {
		all = append(all, a.Name)
	}
	return all
}

// TestOverrideMistakes: what is wrong with a flag names the flag; what is wrong with the file as well is said in one go.
func TestOverrideMistakes(t *testing.T) {
	cases := [][]Override{
		sets("arrivals.rate"),
		sets("=4/s"),
		sets("arrivals..rate=4/s"),
		sets("approaches[0.url=http://127.0.0.1"),
		sets("[0]=x"),
		sets("arrivals.rate=4"),
		sets("arrivals.rate="),
		sets("arrivals.rat=4/s"),
		sets("rate=4/s"),
		sets("phases.measure=[1, 2]"),
		sets("seed=-1"),
		sets("seed=1.5"),
		sets("seed.value=1"),
		sets("name=My Demo"),
		sets("approaches[2].model=x"),
		sets("approaches[-1].model=x"),
		sets("approaches[edgy].model=x"),
		sets("approaches.edge.model=x"),
		sets("arrivals[0].rate=4/s"),
		sets("approaches[0].simulate.profile=edge"),
		sets("approaches[0].url=ftp://127.0.0.1"),
		sets("approaches[0].url=${INFBENCH_UNSET}"),
		sets("approaches[0].key_env=sk-proj-abcdefghijklmnop1234"),
		sets("approaches[0].headers.Authorization=Token opensesame1234"),
		sets("approaches[0].headers={X-Api-Key: opensesame1234}"),
		sets("approaches[0].body.stream=false"),
		sets("prompts.synthetic.pairs=[[1, 2]]"),
		sets("approaches[1].simulate.faults=[{kind: stall, at: 1s, for: 1s}, {kind: hang}]"),
		sets("slo.objectives=[ttft p95 <= 800]"),
		sets("approaches=[]"),
		{OverrideOnly("edgy")},
		{OverrideOnly("edge,")},
		{OverrideOnly("self-hosted,mainframe")},
		{OverrideDuration("10")},
		{OverrideDuration("0s")},
		{OverrideRate("fast")},
		{OverrideSeed("0")},
		{OverrideRate("4"), OverrideDuration("10")},
	}
	var all strings.Builder
	for _, overrides := range cases {
		_, err := Parse([]byte(small), "demo.yaml", overrides...)
		if err == nil {
			t.Errorf("%s: accepted", overrides[0].Flag)
			continue
		}
		checkErrors(t, []byte(small), err)
		fmt.Fprintf(&all, "%s\n\n", err)
	}
	_, err := Parse([]byte(strings.Replace(small, "30s", "30", 1)), "demo.yaml", OverrideRate("4"))
	checkErrors(t, []byte(small), err)
	fmt.Fprintf(&all, "and in the file:\n%s\n", err)
	if text := all.String(); strings.Contains(text, "opensesame") || strings.Contains(text, "abcdef") {
		t.Error("a key is shown")
	}
	golden(t, "testdata/overrides.golden", all.String())
}
