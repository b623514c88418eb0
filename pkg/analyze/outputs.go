package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/infbench/infbench/pkg/workload"
)

// The test of output lengths.
const (
	outputConfidence = 0.99
	// leastPairs is how many requests both sides must have answered. Below it one long answer decides.
	leastPairs = 20
	// leastOutput is the smallest part by which lengths differ that matters: E2E follows it in proportion.
	leastOutput = 0.01
	// outputErrors is how many standard errors of its own each of two quantiles is given: those of equal error whose
	// intervals do not meet are 2.8 of their difference apart.
	outputErrors = 2
)

// OutputLengths holds the answers of one approach against those of the approach with the longest, request by request: all
// approaches get the same requests, so that the lengths of two answers to the same one differ by nothing but the approach.
type OutputLengths struct {
	Approach string `json:"approach"`
	Against  string `json:"against"`
	// Pairs are the requests of the measure phase that both answered. The other figures are of them.
	Pairs       int     `json:"pairs"`
	Mean        float64 `json:"mean"` // tokens
	AgainstMean float64 `json:"against_mean"`
	// Difference is the mean of Approach's length less Against's, with its 99% confidence interval (paired t). Nil with
	// too few pairs: then nothing is said.
	Difference *workload.Estimate `json:"difference,omitempty"`
	// Quantiles are those of the two lengths, with ten values beyond each.
	Quantiles []OutputQuantile `json:"quantiles,omitempty"`
	// Differs: the means or a quantile differ by more than sampling error and by more than a hundredth.
	Differs bool `json:"differs"`
	// MixedBasis: the two were not counted alike, one by usage and the other by stream events.
	MixedBasis bool `json:"mixed_basis,omitempty"`
}

// OutputQuantile is a quantile of both sides, in tokens.
type OutputQuantile struct {
	Name    string  `json:"name"` // p50
	Tokens  float64 `json:"tokens"`
	Against float64 `json:"against"`
	Differs bool    `json:"differs"`
}

// Ratio is how much longer the answers are than the other's in the mean: -0.38 is 38% shorter.
func (o *OutputLengths) Ratio() float64 { return o.Mean/o.AgainstMean - 1 }

// answer is the length of one answer.
type answer struct {
	index  int64 // of the request, with its round of blocks in the upper half
	tokens float64
}

// answerLog holds the lengths of one approach's answers, and what they were counted by.
type answerLog struct {
	approach string
	answers  []answer
	basis    map[string]bool
}

func (l *answerLog) mean() float64 {
	var sum float64
	for _, a := range l.answers {
		sum += a.tokens
	}
	return sum / float64(max(len(l.answers), 1))
}

// compareOutputs holds every approach against the one with the longest answers in the mean.
func compareOutputs(logs []*sentLog) []OutputLengths {
	var all []*answerLog
	for _, l := range logs {
		i := slices.IndexFunc(all, func(a *answerLog) bool { return a.approach == l.block.Approach })
		if i < 0 {
			i = len(all)
			all = append(all, &answerLog{approach: l.block.Approach, basis: map[string]bool{}})
		}
		all[i].answers = append(all[i].answers, l.answers...)
		for b := range l.basis {
			all[i].basis[b] = true
		}
	}
	all = slices.DeleteFunc(all, func(l *answerLog) bool { return len(l.answers) == 0 })
	if len(all) < 2 {
		return nil
	}
	longest := slices.MaxFunc(all, func(a, b *answerLog) int { return cmp.Compare(a.mean(), b.mean()) })
	var out []OutputLengths
	for _, l := range all {
		if l != longest {
			out = append(out, compareAnswers(l, longest))
		}
	}
	return out
}

// compareAnswers pairs the answers of two approaches by the request.
func compareAnswers(a, b *answerLog) OutputLengths {
	x, y := paired(byRequest(a.answers), byRequest(b.answers))
	o := OutputLengths{Approach: a.approach, Against: b.approach, Pairs: len(x), MixedBasis: len(a.basis) > 1 || !maps.Equal(a.basis, b.basis)}
	if o.Pairs == 0 {
		return o
	}
	var mean, squares float64
	n := float64(o.Pairs)
	for i := range x {
		o.Mean += x[i]
		o.AgainstMean += y[i]
	}
	o.Mean, o.AgainstMean, mean = o.Mean/n, o.AgainstMean/n, (o.Mean-o.AgainstMean)/n
	if o.Pairs < leastPairs {
		return o
	}
	for i := range x {
		squares += (x[i] - y[i] - mean) * (x[i] - y[i] - mean)
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile((1 + outputConfidence) / 2)
	by := t * math.Sqrt(squares/(n-1)/n)
	o.Difference = &workload.Estimate{Value: mean, Low: mean - by, High: mean + by}
	o.Differs = o.meansDiffer()
	o.quantiles(x, y)
	return o
}

// meansDiffer: by more than sampling error, and by enough to matter.
func (o *OutputLengths) meansDiffer() bool {
	d := o.Difference
	return d != nil && !d.Holds(0) && math.Abs(d.Value) >= leastOutput*max(o.Mean, o.AgainstMean)
}

// quantiles compares the two distributions where their means may agree. Lengths are whole numbers with many ties, so
// that a quantile's error is taken from the ranks around it and not from a density.
func (o *OutputLengths) quantiles(x, y []float64) {
	slices.Sort(x)
	slices.Sort(y)
	n := float64(len(x))
	for _, q := range []struct {
		name string
		q    float64
	}{{"p10", 0.1}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}} {
		if n*min(q.q, 1-q.q) < 10-1e-6 {
			continue
		}
		middle, by := q.q*n, outputErrors*math.Sqrt(n*q.q*(1-q.q))
		at := func(v []float64, rank float64) float64 { return v[min(max(int(math.Ceil(rank-1e-9)), 1), len(v))-1] }
		p := OutputQuantile{Name: q.name, Tokens: at(x, middle), Against: at(y, middle)}
		apart := at(x, middle+by) < at(y, math.Floor(middle-by)) || at(y, middle+by) < at(x, math.Floor(middle-by))
		p.Differs = apart && math.Abs(p.Tokens-p.Against) >= leastOutput*max(p.Tokens, p.Against)
		o.Differs = o.Differs || p.Differs
		o.Quantiles = append(o.Quantiles, p)
	}
}

// byRequest orders answers by their request. Several answers to one request, of as many blocks, count as their mean.
func byRequest(answers []answer) []answer {
	slices.SortStableFunc(answers, func(a, b answer) int { return cmp.Compare(a.index, b.index) })
	var out []answer
	for i := 0; i < len(answers); {
		one, n := answer{index: answers[i].index}, 0.0
		for ; i < len(answers) && answers[i].index == one.index; i++ {
			one.tokens += answers[i].tokens
			n++
		}
		one.tokens /= n
		out = append(out, one)
	}
	return out
}

// paired are the lengths of the requests that are in both, in the same order.
func paired(a, b []answer) (x, y []float64) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].index < b[j].index:
			i++
		case a[i].index > b[j].index:
			j++
		default:
			x, y = append(x, a[i].tokens), append(y, b[j].tokens)
			i, j = i+1, j+1
		}
	}
	return x, y
}

// says is the difference in words.
func (o *OutputLengths) says() string {
	ratio := o.Ratio()
	if o.meansDiffer() {
		more := "fewer"
		if ratio > 0 {
			more = "more"
		}
		return fmt.Sprintf("with %.0f%% %s tokens than %s (%.4g against %.4g in the mean of %d requests that both answered)", 100*math.Abs(ratio), more, o.Against, o.Mean, o.AgainstMean, o.Pairs)
	}
	var apart []string
	for _, q := range o.Quantiles {
		if q.Differs {
			apart = append(apart, fmt.Sprintf("%s %.4g against %.4g", q.Name, q.Tokens, q.Against))
		}
	}
	return fmt.Sprintf("with other lengths than %s (%s tokens, of %d requests that both answered)", o.Against, strings.Join(apart, ", "), o.Pairs)
}

// outputs says whose answers are not as long as the others': a shorter answer is not a faster model.
func (a *audit) outputs(w *WorkloadAsSent) {
	for i := range w.Outputs {
		o := &w.Outputs[i]
		if !o.Differs {
			continue
		}
		basis := ""
		if o.MixedBasis {
			basis = "; the two are not counted alike (usage, and stream events where a server reports none)"
		}
		a.about = o.Approach
		a.add(Valid, "output_lengths", "%s answered %s: E2E and throughput do not compare, TPOT does; a server that writes less also has shorter queues%s", o.Approach, o.says(), basis)
	}
	a.about = ""
}
