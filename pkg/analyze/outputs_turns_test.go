package analyze

import (
	"testing"

	"github.com/infbench/infbench/internal/stat"
)

// TestLaterTurnsCount: answers that are shorter from the second turn on are found, and request by request.
func TestLaterTurnsCount(t *testing.T) {
	var x, y answerLog
	for i := range 100 {
		for turn := 1; turn <= 4; turn++ {
			tokens := 200.0
			if turn > 1 {
				tokens = 100
			}
			x.answers = append(x.answers, answer{int64(i), turn, tokens + float64(i%7)})
			y.answers = append(y.answers, answer{int64(i), turn, 200 + float64(i%5)})
		}
	}
	o := compareAnswers(&x, &y)
	if !o.Differs || o.Pairs != 400 || o.Difference.Holds(-60) || !o.Difference.Holds(-74) {
		t.Errorf("%+v %+v", o, o.Difference)
	}
}

// TestTurnsAreNoIndependentDraws: two approaches of one law, whose conversations are chatty or terse as a whole, are told apart
// as seldom as the confidence says. Taking every turn for an independent draw would find a difference in every second pair.
func TestTurnsAreNoIndependentDraws(t *testing.T) {
	const trials = 400
	wrong := 0
	for trial := range trials {
		var logs [2]answerLog
		for k := range logs {
			r := stat.Keyed(7, "talk", uint64(2*trial+k))
			for i := range 60 {
				whole := 40 * r.Normal()
				for turn := 1; turn <= 8; turn++ {
					logs[k].answers = append(logs[k].answers, answer{int64(i), turn, 200 + whole + 5*r.Normal()})
				}
			}
		}
		if o := compareAnswers(&logs[0], &logs[1]); o.Difference == nil || !o.Difference.Holds(0) {
			wrong++
		}
	}
	if wrong > 13 { // 4 expected; more than 13 of a binomial with p = 0.01 comes once in 10,000 times
		t.Errorf("%d of %d pairs of one law were told apart at 99%%", wrong, trials)
	}
}
