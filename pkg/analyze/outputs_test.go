package analyze

import (
	"math"
	"strings"
	"testing"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// answering is an approach whose answer to request i has so many tokens; 0: the request failed.
type answering struct {
	name   string
	basis  string
	tokens func(i int) int
}

// compared puts approaches through n requests.
func compared(n int, approaches ...answering) *WorkloadAsSent {
	var logs []*sentLog
	for k, a := range approaches {
		l := newSentLog(&measure.BlockRecord{Index: k, Approach: a.name}, &workload.Scenario{})
		for i := range n {
			s := &measure.Sample{Index: i, Approach: a.name, Block: k, Basis: a.basis, Class: endpoint.StreamError}
			if tokens := a.tokens(i); tokens > 0 {
				s.Class, s.OutputTokens = endpoint.OK, &tokens
			}
			l.add(s)
		}
		logs = append(logs, l)
	}
	return &WorkloadAsSent{Outputs: compareOutputs(logs)}
}

// drawn is a length of its own for each request, the same whenever it is asked for.
func drawn(seed uint64, name string, median, sigma float64) func(int) int {
	return func(i int) int {
		r := stat.Keyed(seed, name, uint64(i))
		return max(1, int(median*math.Exp(sigma*r.Normal())+0.5))
	}
}

// TestOutputLengths: what differs is found and said with its figures, and nothing else is.
func TestOutputLengths(t *testing.T) {
	fixed := func(n int) func(int) int { return func(int) int { return n } }
	asked := drawn(1, "asked", 200, 0.7)
	part := func(of func(int) int, share float64) func(int) int {
		return func(i int) int { return max(1, int(share*float64(of(i)))) }
	}
	for name, tt := range map[string]struct {
		n    int
		x, y func(int) int
		want string // of the remark; empty: none
	}{
		"all as long as asked":           {400, fixed(128), fixed(128), ""},
		"the same lengths":               {400, asked, asked, ""},
		"the same law":                   {400, drawn(1, "x", 200, 0.7), drawn(1, "y", 200, 0.7), ""},
		"a token less":                   {400, fixed(127), fixed(128), ""},
		"all a quarter shorter":          {400, fixed(96), fixed(128), "x answered with 25% fewer tokens than y (96 against 128 in the mean of 400 requests that both answered): E2E and throughput do not compare, TPOT does"},
		"each a little shorter":          {400, part(asked, 0.95), asked, "x answered with 5% fewer tokens than y"},
		"some end early":                 {400, func(i int) int { return asked(i) / (1 + (i%3)%2) }, asked, "fewer tokens than y"},
		"the second is shorter":          {400, asked, part(asked, 0.62), "y answered with 38% fewer tokens than x"},
		"as long in the mean":            {400, func(i int) int { return 100 + 90*(2*(i%2)-1) }, fixed(100), "with other lengths than "},
		"too few to tell":                {19, fixed(96), fixed(128), ""},
		"just enough":                    {20, fixed(96), fixed(128), "25% fewer"},
		"few that both answered":         {400, func(i int) int { return 50 * (i % 2) }, func(i int) int { return 100 * (i % 2) * min(i%40-1, 1) }, "50% fewer tokens than y (50 against 100 in the mean of 190 requests"},
		"no request that both answered":  {400, func(i int) int { return 50 * (i % 2) }, func(i int) int { return 100 * ((i + 1) % 2) }, ""},
		"one long answer among few":      {20, func(i int) int { return 100 }, func(i int) int { return 100 + 1900*(i/19) }, ""},
		"longer where both answered":     {400, func(i int) int { return 90 - 80*(i%2) }, func(i int) int { return 80 * ((i + 1) % 2) }, "x answered with 12% more tokens than y"},
		"fails where answers are longer": {400, func(i int) int { return asked(i) * min(1, max(0, 400-asked(i))) }, asked, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := compared(tt.n, answering{"x", "usage", tt.x}, answering{"y", "usage", tt.y})
			a := &audit{}
			a.outputs(w)
			got := ""
			for _, r := range a.reasons {
				got += r.Text
				if r.Code != "output_lengths" || r.Verdict != Valid || !strings.HasPrefix(r.Text, r.Approach+" ") {
					t.Errorf("%+v", r)
				}
			}
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "counted alike") {
				t.Errorf("%q, want %q; %+v", got, tt.want, w.Outputs)
			}
		})
	}
}

// TestOutputLengthsAgainstTheLongest: of three, those that are shorter than the longest, whatever their order.
func TestOutputLengthsAgainstTheLongest(t *testing.T) {
	long, short := drawn(1, "asked", 200, 0.7), drawn(1, "asked", 100, 0.7)
	w := compared(500, answering{"short", "usage", short}, answering{"long", "usage", long}, answering{"chunked", "chunks", short}, answering{"down", "usage", func(int) int { return 0 }})
	if len(w.Outputs) != 2 || w.Outputs[0].Approach != "short" || w.Outputs[1].Approach != "chunked" || w.Outputs[0].Against != "long" || !w.Outputs[0].Differs || w.Outputs[0].MixedBasis || !w.Outputs[1].MixedBasis {
		t.Fatalf("%+v", w.Outputs)
	}
	a := &audit{}
	a.outputs(w)
	if len(a.reasons) != 2 || a.reasons[1].Approach != "chunked" || !strings.Contains(a.reasons[1].Text, "not counted alike") {
		t.Errorf("%+v", a.reasons)
	}
	if w := compared(500, answering{"alone", "usage", long}); w.Outputs != nil {
		t.Errorf("one approach: %+v", w.Outputs)
	}
}

// TestOutputLengthsError: of pairs of approaches with the same law, few are called different; of those of which one is a
// tenth shorter, nearly all. The test is for lengths as long-tailed as those of production.
func TestOutputLengthsError(t *testing.T) {
	const trials, n = 300, 500
	found := func(share float64) (differ int) {
		for seed := range uint64(trials) {
			w := compared(n, answering{"x", "usage", drawn(seed, "x", share*150, 0.9)}, answering{"y", "usage", drawn(seed, "y", 150, 0.9)})
			if w.Outputs[0].Differs {
				differ++
			}
		}
		return differ
	}
	// 1% by the mean and about 0.5% by each of three quantiles; a tail of 15 in 300 is beyond five standard errors.
	if differ := found(1); differ > 15 {
		t.Errorf("%d of %d of the same law differ", differ, trials)
	}
	if differ := found(0.7); differ < trials*95/100 {
		t.Errorf("%d of %d that are 30%% shorter differ", differ, trials)
	}
}

// TestOutputsOfSeveralBlocks: two blocks of one approach are one side, each request with the mean of its answers.
func TestOutputsOfSeveralBlocks(t *testing.T) {
	w := compared(100, answering{"x", "usage", func(int) int { return 40 }}, answering{"x", "usage", func(i int) int { return 60 * (i % 2) }}, answering{"y", "usage", func(int) int { return 100 }})
	o := w.Outputs[0]
	if o.Pairs != 100 || math.Abs(o.Mean-45) > 1e-9 || o.AgainstMean < 99.999 || !o.Differs {
		t.Errorf("%+v", o)
	}
}
