package report

import (
	"fmt"
	"slices"

	"github.com/infbench/infbench/pkg/analyze"
)

// fewBehind is the mark behind a percentile with fewer than ten independent requests beyond it.
const fewBehind = " ‡"

// markFew marks the TTFT percentiles of the row that rest on too few independent requests.
func (b tableBuilder) markFew(r *row, stat string) {
	for i := range b.s.Approaches {
		st := b.s.Approaches[i].Steady
		if c := &r.cells[i]; st != nil && slices.Contains(st.Few, stat) && c.tone == plain {
			c.text += fewBehind
			c.why = fmt.Sprintf("%s independent requests in all", number(*st.EffectiveN))
		}
	}
}

// steadyFacts say in one line whether an approach had settled, and how much its requests say; none where nothing is known.
func steadyFacts(p *analyze.ApproachSummary) []fact {
	st := p.Steady
	if st == nil {
		return nil
	}
	if st.NotJudged != "" {
		return []fact{{"steady state", "not judged: " + st.NotJudged}}
	}
	text := "settled"
	switch {
	case st.OverSaturated != nil:
		text = fmt.Sprintf("none: %s came in, %s were answered, the queue grew", perSecond(st.OverSaturated.OfferedRate), perSecond(st.OverSaturated.ServedRate))
	case st.WarmUp != nil:
		text = fmt.Sprintf("from second %s only: before, a typical TTFT was %s times that of later", number(st.WarmUp.Seconds), number(st.WarmUp.Ratio))
	}
	if st.EffectiveN != nil && st.OverSaturated == nil {
		text += fmt.Sprintf("; its TTFTs say as much as %s independent ones (relaxation time %s, a block is %s of them long: 200 in five blocks hold a p99, 60 a p95)",
			number(*st.EffectiveN), Seconds(*st.RelaxationSeconds), number(*st.RunLength))
	}
	return []fact{{"steady state", text}}
}
