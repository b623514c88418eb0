package workload

import (
	"fmt"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// validateMix reports what the classes of a mix say together, and what does not go with them.
func validateMix(s *Scenario, root strict.Place) {
	mix, common := root.Field("mix"), root.Field("arrivals")
	if p := root.Field("prompts"); p.Present() {
		p.Mistake("stands beside mix", "give each class its own prompts, or remove mix")
	}
	s.Prompts = Prompts{} // nothing of it holds, a default neither
	if p := common.Field("closed_loop"); p.Present() {
		p.Mistake("stands beside mix", "use an open loop: what the users of a closed loop send depends on the answers, and classes cannot divide it")
	}
	if p := root.Field("sessions"); p.Present() {
		p.Mistake("stands beside mix", "give the classes that talk sessions of their own, or remove mix")
	}
	names, takers := map[string]int{}, 0
	for i := range s.Mix {
		c, p := &s.Mix[i], mix.Item(i)
		name := p.Field("name")
		if first, twice := names[c.Name]; twice && name.Sound() {
			name.Mistake(fmt.Sprintf("%s is the name of two classes", strict.Quote(c.Name)),
				fmt.Sprintf("give each its own; %s has it already", mix.Item(first).Path()))
		} else {
			names[c.Name] = i
		}
		if p.Field("weight").Present() {
			takers++
		}
		validateClass(s, c, p, root)
	}
	if common.Present() && takers == 0 && mix.Sound() {
		common.Mistake("no class takes a part of them", "give a class a weight in place of arrivals of its own, or remove these")
	}
}

func validateClass(s *Scenario, c *TrafficClass, p, root strict.Place) {
	arrivals := p.Field("arrivals")
	switch exactlyOne(p, "say when its requests come, a weight being its part of the scenario's arrivals", "weight", "arrivals") {
	case "weight":
		arrivals = root.Field("arrivals")
		if weight := p.Field("weight"); !arrivals.Present() && weight.Sound() {
			weight.Mistake("a part of the scenario's arrivals, and it has none", "add arrivals beside mix, or give the class arrivals of its own")
		}
	case "arrivals":
		if p := arrivals.Field("closed_loop"); p.Present() {
			p.Mistake("a class is open-loop", "give a rate, such as `rate: 2/s`; a closed loop is a scenario of its own")
			break
		}
		if c.Arrivals != nil {
			validateArrivals(c.Arrivals, arrivals, root.Field("phases"), s.Phases)
		}
	}
	validatePrompts(&c.Prompts, p.Field("prompts"), arrivals)
	validateShared(&c.Prompts, p.Field("prompts"))
	if calibrate := p.Field("prompts").Field("calibrate"); calibrate.Sound() && c.Prompts.Calibrates() {
		calibrate.Mistake("not in a class of a mix", "remove it; a tokenizer builds prompts to a length here too")
	}
	validateCache(s, &c.Prompts, root, p.Field("prompts"), arrivals)
	validateSessions(c.Sessions, &c.Prompts, p.Field("sessions"), arrivals)
	validatePatience(c.Patience, p.Field("patience"))
}
