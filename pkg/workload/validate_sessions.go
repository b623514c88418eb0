package workload

import (
	"fmt"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// validateSessions reports what conversations do not go with. P is where they stand.
func validateSessions(s *Sessions, prompts *Prompts, p, arrivals strict.Place) {
	if s == nil || !p.Present() {
		return
	}
	if arrivals.Field("closed_loop").Present() {
		p.Mistake("has no meaning in a closed loop", "remove it: there each user sends one request after the other; or use an open loop, whose arrivals begin the conversations")
		return
	}
	if prompts.Dataset != nil {
		if prompts.Dataset.Turns == "all" && p.Sound() {
			p.Mistake("stands beside prompts.dataset.turns: all", "remove one of them: a session sends the turns of a row one by one")
		}
		excluded(p, "prompts.dataset", "remove it: the user says what the rows have", "input")
	} else if turns := p.Field("turns"); !turns.Present() && p.Sound() {
		turns.Mistake("missing", "say how many turns a conversation has, such as `turns: {geometric: {mean: 5}}`")
	}
	validateTurns(s.Turns, p.Field("turns"))
	validateDelays(s.Think, p.Field("think"))
	validateLengths(s.Input, p.Field("input"))
	validateLengths(s.Output, p.Field("output"))
	if prompts.Trace == nil {
		return
	}
	for _, field := range []string{"input", "output"} { // the trace has the lengths of first turns only
		if f := p.Field(field); !f.Present() && p.Sound() {
			f.Mistake("missing", "prompts.trace gives the first turn its lengths: say what later turns add, such as `"+field+": {uniform: {min: 20, max: 200}}`")
		}
	}
}

func validateTurns(t *Turns, p strict.Place) {
	if exactlyOne(p, "say how many turns", "fixed", "geometric", "uniform", "empirical") == "uniform" && p.Sound() && t.Uniform.Min > t.Uniform.Max {
		p.Field("uniform").Field("max").Mistake(fmt.Sprintf("%d is less than min, which is %d", t.Uniform.Max, t.Uniform.Min), "give max a value of min or more")
	}
}

func validatePatience(w *Patience, p strict.Place) {
	if w == nil || !p.Present() {
		return
	}
	if len(present(p, "first_token", "answer")) == 0 && p.Sound() {
		p.Mistake("has neither first_token nor answer", "say what users wait for, such as `first_token: {fixed: 10s}`; or remove patience")
	}
	validateDelays(w.FirstToken, p.Field("first_token"))
	validateDelays(w.Answer, p.Field("answer"))
}

func validateDelays(d *Delays, p strict.Place) {
	kind := exactlyOne(p, "give a time", "fixed", "uniform", "exponential", "lognormal", "empirical")
	if kind == "" || !p.Sound() {
		return
	}
	at := p.Field(kind)
	switch kind {
	case "fixed":
		limit(at, *d.Fixed, maxPhase)
	case "uniform":
		if d.Uniform.Min > d.Uniform.Max {
			at.Field("max").Mistake(fmt.Sprintf("%s is less than min, which is %s", d.Uniform.Max, d.Uniform.Min), "give max a value of min or more")
		}
		limit(at.Field("max"), d.Uniform.Max, maxPhase)
	case "exponential":
		limit(at.Field("mean"), d.Exponential.Mean, maxPhase)
	case "lognormal":
		limit(at.Field("median"), d.Lognormal.Median, maxPhase)
	case "empirical":
		for i, v := range d.Empirical {
			limit(at.Item(i), v, maxPhase)
		}
	}
}
