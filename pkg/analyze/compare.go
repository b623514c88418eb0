package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// Verdict of a figure in a comparison, beside CannotTell.
const (
	Better = "better"
	Worse  = "worse"
	// Same: any difference is smaller than the smallest that matters, with the confidence of the interval.
	Same = "same"
)

// CompareOptions say how to compare. The zero value compares by the defaults.
type CompareOptions struct {
	// Gated are the figures that were chosen in advance, such as "ttft p95": each stands on its own. All others are corrected
	// for their number. Default: DefaultGated.
	Gated []string
	// Confidence of the intervals, two-sided; default 0.95.
	Confidence float64
	// Matters is the smallest relative difference that matters; default 0.05. Verdicts of "same", and the number of blocks that
	// would settle a question, are about it.
	Matters float64
	// MattersShare is the same for shares of the attempts, as a difference; default 0.01.
	MattersShare float64
	// Floor is, by the name of a figure, the relative difference that two identical endpoints show on this set-up, as an A/A run
	// found it (NoiseOf). A difference below it is none. Figures that are not in it have no floor.
	Floor map[string]float64
}

// DefaultGated are the figures that are gated unless others are named.
var DefaultGated = []string{"ttft p95", "tpot p50", "error_rate"}

func (o CompareOptions) withDefaults() CompareOptions {
	if len(o.Gated) == 0 {
		o.Gated = DefaultGated
	}
	o.Confidence = cmp.Or(o.Confidence, 0.95)
	o.Matters = cmp.Or(o.Matters, 0.05)
	o.MattersShare = cmp.Or(o.MattersShare, 0.01)
	return o
}

// Comparison holds a candidate against a baseline, block by block.
type Comparison struct {
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	// Forced are the reasons for which the two do not compare, where they were compared all the same.
	Forced []string `json:"forced,omitempty"`
	// Confounded are the levers in which they differ, where these are several.
	Confounded []string `json:"confounded,omitempty"`
	// Paired: both got the same requests, round by round, and are compared within rounds.
	Paired          bool     `json:"paired"`
	BaselineBlocks  int      `json:"baseline_blocks"`
	CandidateBlocks int      `json:"candidate_blocks"`
	Confidence      float64  `json:"confidence"`
	Matters         float64  `json:"matters"`
	MattersShare    float64  `json:"matters_share"`
	Figures         []Figure `json:"figures"` // the gated ones first
}

// Figure is one figure of both arms.
type Figure struct {
	Name  string `json:"name"` // as in "ttft p95"
	Gated bool   `json:"gated"`
	// HigherIsBetter, as for goodput.
	HigherIsBetter bool `json:"higher_is_better,omitempty"`
	// Share: the figure is a share of the attempts; Change and its interval are then differences, and not relative.
	Share bool `json:"share,omitempty"`
	// Baseline and Candidate are means over the blocks: geometric ones of times and rates. Seconds, shares or 1/s.
	Baseline  *float64 `json:"baseline,omitempty"`
	Candidate *float64 `json:"candidate,omitempty"`
	Blocks    int      `json:"blocks"` // pairs, or those of the smaller arm
	// Change is candidate / baseline - 1, or the difference of two shares, with its confidence interval by Student's t over the
	// blocks. Low and High are absent where there are too few.
	Change *float64 `json:"change,omitempty"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	// P is of "no difference", by the same t; SignFlip by flipping signs of pairs (6 blocks and more); Adjusted is P corrected for
	// the number of figures that are not gated (Benjamini and Hochberg).
	P        *float64 `json:"p,omitempty"`
	SignFlip *float64 `json:"sign_flip,omitempty"`
	Adjusted *float64 `json:"adjusted,omitempty"`
	// BootstrapLow and BootstrapHigh are the interval by resampling blocks (5 and more).
	BootstrapLow  *float64 `json:"bootstrap_low,omitempty"`
	BootstrapHigh *float64 `json:"bootstrap_high,omitempty"`
	// SD is the standard deviation of the log ratio, or of the difference, of a block.
	SD *float64 `json:"sd,omitempty"`
	// Floor is the A/A noise floor: what two identical endpoints differ by.
	Floor float64 `json:"floor,omitempty"`
	// Needed is how many blocks in all would find the smallest difference that matters, in 9 of 10 cases; absent where these
	// blocks do, or where it cannot be told.
	Needed  int    `json:"needed,omitempty"`
	Verdict string `json:"verdict"` // better, worse, same, cannot tell
	Why     string `json:"why,omitempty"`
}

// The plan of how many blocks are needed (measurement.md section 11).
const (
	planAlpha = 0.05
	planPower = 0.9
)

// Compare holds a candidate against a baseline. It fails where the two do not compare (Incomparable), unless forced.
func Compare(baseline, candidate *Arm, forced bool, o CompareOptions) (*Comparison, error) {
	o = o.withDefaults()
	why := Incomparable(baseline, candidate)
	if len(why) > 0 && !forced {
		return nil, fmt.Errorf("%s and %s do not compare: %s", baseline.Name, candidate.Name, strings.Join(why, "; "))
	}
	c := &Comparison{Baseline: baseline.Name, Candidate: candidate.Name, Forced: why, Confounded: confounded(baseline, candidate), Paired: true,
		BaselineBlocks: len(baseline.Blocks), CandidateBlocks: len(candidate.Blocks), Confidence: o.Confidence, Matters: o.Matters, MattersShare: o.MattersShare}
	rounds := sharedRounds(baseline, candidate)
	c.Paired = len(rounds) > 0
	known := map[string]bool{}
	for _, f := range comparedFigures() {
		known[f.name] = true
		one := f.compare(baseline, candidate, rounds, o)
		one.Gated = slices.Contains(o.Gated, f.name)
		if one.Gated || one.Baseline != nil || one.Candidate != nil {
			c.Figures = append(c.Figures, one)
		}
	}
	for _, name := range o.Gated {
		if !known[name] {
			return nil, fmt.Errorf("there is no figure %q to compare: there are %s", name, strings.Join(FigureNames(), ", "))
		}
	}
	slices.SortStableFunc(c.Figures, func(x, y Figure) int {
		switch {
		case x.Gated == y.Gated:
			return 0
		case x.Gated:
			return -1
		}
		return 1
	})
	c.adjust()
	for i := range c.Figures {
		c.Figures[i].judge(o)
	}
	return c, nil
}

// sharedRounds are the rounds in which both arms got the same requests, in order; none where they did not.
func sharedRounds(a, b *Arm) []int {
	if a.scenario().Seed != b.scenario().Seed || !workload.SameDatasets(a.Record.Manifest.Datasets, b.Record.Manifest.Datasets) {
		return nil
	}
	var rounds []int
	for round := range a.Blocks {
		if b.Blocks[round] != nil && a.schedule(round) == b.schedule(round) && a.schedule(round) != "" {
			rounds = append(rounds, round)
		}
	}
	slices.Sort(rounds)
	return rounds
}

// adjust corrects the p-values of the figures that nobody chose in advance for how many they are.
func (c *Comparison) adjust() {
	var p []float64
	var at []int
	for i, f := range c.Figures {
		if !f.Gated && f.P != nil {
			p, at = append(p, *f.P), append(at, i)
		}
	}
	adjusted, err := stat.BenjaminiHochberg(p)
	if err != nil {
		return // no p-value: nothing to correct
	}
	for k, i := range at {
		c.Figures[i].Adjusted = &adjusted[k]
	}
}

// judge gives the verdict of a figure with an interval.
func (f *Figure) judge(o CompareOptions) {
	if f.Verdict != "" {
		return
	}
	low, high, change := *f.Low, *f.High, *f.Change
	f.Floor = o.Floor[f.Name]
	p := *f.P
	if f.Adjusted != nil {
		p = *f.Adjusted
	}
	matters, less := o.Matters, -o.Matters/(1+o.Matters)
	if f.Share {
		matters, less = o.MattersShare, -o.MattersShare
	}
	switch {
	case math.Abs(change) < f.Floor && p < 1-o.Confidence:
		f.Verdict, f.Why = CannotTell, fmt.Sprintf("not distinguishable: two identical endpoints differ by up to %.1f%% here", 100*f.Floor)
	case p < 1-o.Confidence && (low > 0 || high < 0):
		f.Verdict = Worse
		if (change > 0) == f.HigherIsBetter {
			f.Verdict = Better
		}
	case low > less && high < matters:
		f.Verdict = Same
	default:
		f.Verdict, f.Why = CannotTell, "the interval holds no difference and one that matters"
		f.plan(matters)
	}
}

// plan says how many blocks would find a difference that matters.
func (f *Figure) plan(matters float64) {
	if f.SD == nil {
		return
	}
	sd, delta := *f.SD, matters
	if f.Share { // differences: the same formula, without the logarithm
		delta = math.Expm1(matters)
	}
	if n, err := stat.BlocksNeeded(sd, delta, planAlpha, planPower); err == nil && n > f.Blocks {
		f.Needed = n
		f.Why += fmt.Sprintf("; about %d blocks would settle it", n)
	}
}

// NoiseOf is the relative difference that an A/A comparison shows: the 95% bound of |change| of a block's figure, over the
// figures that are times, by the name of the figure. Absent where there are too few blocks.
func NoiseOf(c *Comparison) map[string]float64 {
	noise := map[string]float64{}
	for _, f := range c.Figures {
		if f.SD != nil && !f.Share && f.Blocks >= 5 {
			noise[f.Name] = math.Expm1(1.96 * *f.SD / math.Sqrt(float64(f.Blocks)))
		}
	}
	return noise
}

// FigureNames lists what can be compared.
func FigureNames() []string {
	var names []string
	for _, f := range comparedFigures() {
		names = append(names, f.name)
	}
	return names
}

// comparedFigure is a figure that every block has, or lacks.
type comparedFigure struct {
	name     string
	quantile bool // out of a histogram
	share    bool
	higher   bool
	of       func(b *BlockSummary) (*float64, string) // the value, or why there is none
}

// counts are how many of a block's attempts the share is of, for a figure that is a share.
func (f comparedFigure) counts(b *BlockSummary) (hits, attempts int) {
	share, _ := f.of(b)
	if share == nil {
		return 0, 0
	}
	attempts, _ = b.tried()
	return int(math.Round(*share * float64(attempts))), attempts
}

// comparedFigures are all of them.
func comparedFigures() []comparedFigure {
	var all []comparedFigure
	for _, m := range []workload.Metric{workload.TTFT, workload.ServiceTTFT, workload.TTFVT, workload.TPOT, workload.ITL, workload.Stall, workload.E2E, workload.QueueingDelay} {
		for _, s := range []string{"p50", "p90", "p95", "p99"} {
			all = append(all, comparedFigure{name: string(m) + " " + s, quantile: true, of: func(b *BlockSummary) (*float64, string) { return quantileIn(b, m, s) }})
		}
	}
	return append(all,
		comparedFigure{name: "error_rate", share: true, of: func(b *BlockSummary) (*float64, string) {
			attempts, ok := b.tried()
			if attempts == 0 {
				return nil, "a block has no request"
			}
			return new(1 - float64(ok)/float64(attempts)), ""
		}},
		comparedFigure{name: goodputFigure, share: true, higher: true, of: func(b *BlockSummary) (*float64, string) {
			good := b.goodShare()
			if good == nil {
				return nil, "there are no request limits"
			}
			return good, ""
		}},
		comparedFigure{name: "output_rate", higher: true, of: func(b *BlockSummary) (*float64, string) {
			return b.Tokens.OutputPerSecond, "a block has no answer"
		}})
}

// quantileIn is a quantile of one block.
func quantileIn(b *BlockSummary, m workload.Metric, name string) (*float64, string) {
	q := b.Metrics[m]
	if q == nil {
		return nil, "a block does not have it"
	}
	v := map[string]*float64{"p50": q.P50, "p90": q.P90, "p95": q.P95, "p99": q.P99}[name]
	if v != nil {
		return v, ""
	}
	for _, w := range q.Warnings {
		if why, ok := strings.CutPrefix(w, name+": "); ok {
			return nil, "in a block, " + why
		}
	}
	return nil, "a block does not have it"
}
