package report

import (
	"fmt"

	"github.com/infbench/infbench/pkg/analyze"
)

// outputsOf is how long an approach's answers were beside the longest ones, where that is known to differ.
func outputsOf(s *analyze.Summary, approach string) *analyze.OutputLengths {
	if s.Workload == nil {
		return nil
	}
	for i := range s.Workload.Outputs {
		if o := &s.Workload.Outputs[i]; o.Approach == approach && o.Differs {
			return o
		}
	}
	return nil
}

// markOutputs marks the figures that follow the length of the answers, of the approaches whose answers have another one.
func (b tableBuilder) markOutputs(rows []row) []row {
	for i := range b.s.Approaches {
		o := outputsOf(b.s, b.s.Approaches[i].Name)
		if o == nil {
			continue
		}
		for _, r := range rows {
			if c := &r.cells[i]; c.tone == plain {
				c.text += shorter
				c.why = outputsWhy(o)
			}
		}
	}
	return rows
}

func outputsWhy(o *analyze.OutputLengths) string {
	return fmt.Sprintf("answers of %s tokens in the mean, %s has %s for the same %s requests", number(o.Mean), o.Against, number(o.AgainstMean), count(int64(o.Pairs)))
}

// outputs is the row of each block's answers against the longest ones, for the same requests.
func (b sentBuilder) outputs() row {
	r := row{label: "mean against the longest"}
	if b.w.Asked != nil {
		r.cells = append(r.cells, text(absent))
	}
	for i := range b.w.Sent {
		c := text(absent)
		for k := range b.w.Outputs {
			o := &b.w.Outputs[k]
			if o.Approach != b.w.Sent[i].Approach || o.Difference == nil {
				continue
			}
			c = text(signedPercent(o.Ratio()))
			c.why = fmt.Sprintf("%s; the difference is %s to %s tokens (99%%)", outputsWhy(o), number(o.Difference.Low), number(o.Difference.High))
			if o.Differs {
				c.text += shorter
				c.tone = unsure
			}
		}
		r.cells = append(r.cells, c)
	}
	return r
}

// signedPercent writes a relative difference: -38.0%.
func signedPercent(v float64) string {
	switch {
	case v > 0:
		return "+" + percent(v)
	case v < 0:
		return "−" + percent(-v)
	}
	return "0%"
}
