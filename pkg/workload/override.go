package workload

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// Override changes one field of a scenario before it is checked, as a flag of the command line asks. Make it with
// OverrideSet and its kin; its mistakes are reported by Parse, together with those of the file.
type Override struct {
	// Path is the field: arrivals.rate, approaches[0].url, approaches[edge].simulate.slots.
	Path string
	// Value is its new value, in YAML. A value that is a group or a list replaces the whole of what was there.
	Value string
	// Flag is what errors call the override: the flag as it was given.
	Flag string

	only []string // the approaches to keep; then Path and Value mean nothing
	rate bool     // --rate, which has no one meaning where classes have rates of their own
	cut  bool     // --duration, which ends the steps of a shape where it ends the measure phase
}

// OverrideSet is --set path=value.
func OverrideSet(text string) Override {
	path, value, _ := strings.Cut(text, "=")
	return Override{Path: strings.TrimSpace(path), Value: value, Flag: "--set " + text}
}

// OverrideOnly is --only NAME[,NAME...]: the other approaches are taken out of the scenario.
func OverrideOnly(names string) Override {
	o := Override{Flag: "--only " + names}
	for _, name := range strings.Split(names, ",") {
		o.only = append(o.only, strings.TrimSpace(name))
	}
	return o
}

// OverrideDuration is --duration D, the length of the measure phase. Steps of a shape that would begin behind it are left out.
func OverrideDuration(d string) Override {
	return Override{Path: "phases.measure", Value: d, Flag: "--duration " + d, cut: true}
}

// OverrideRate is --rate R, the base rate; of a mix, that of the common arrivals, if all classes divide them.
func OverrideRate(r string) Override {
	return Override{Path: "arrivals.rate", Value: r, Flag: "--rate " + r, rate: true}
}

// OverrideBlocks is --blocks N.
func OverrideBlocks(n string) Override {
	return Override{Path: "blocks", Value: n, Flag: "--blocks " + n}
}

// OverrideSeed is --seed N.
func OverrideSeed(n string) Override {
	return Override{Path: "seed", Value: n, Flag: "--seed " + n}
}

func (o Override) apply(doc *strict.Document) {
	if o.only != nil {
		doc.Keep("approaches", o.only, o.Flag)
		return
	}
	if o.rate && !o.rateOfAll(doc) {
		return
	}
	if o.Flag == "--set "+o.Path {
		doc.Reject(o.Flag, "there is no = in it", "write --set path=value, such as --set arrivals.rate=4/s")
		return
	}
	doc.Set(o.Path, o.Value, o.Flag)
}

// rateOfAll reports whether the base rate is that of all requests. It rejects --rate where a class has arrivals of its own.
func (o Override) rateOfAll(doc *strict.Document) bool {
	mix := doc.At("mix")
	for i := range mix.Len() {
		c := mix.Item(i)
		if !c.Field("arrivals").Present() {
			continue
		}
		remedy := fmt.Sprintf("set the rates one by one: --set mix[%s].arrivals.rate=%s", c.Field("name").Text(), o.Value)
		if doc.At("arrivals").Present() {
			remedy += fmt.Sprintf(", and --set arrivals.rate=%s for the common arrivals", o.Value)
		}
		doc.Reject(o.Flag, fmt.Sprintf("class %s of the mix has arrivals of its own", strict.Quote(c.Field("name").Text())), remedy)
		return false
	}
	return true
}

// cutSteps leaves out the steps that begin after the measure phase: of the common arrivals, and of each class's own.
func (s *Scenario) cutSteps() {
	all := []*Arrivals{&s.Arrivals}
	for i := range s.Mix {
		if s.Mix[i].Arrivals != nil {
			all = append(all, s.Mix[i].Arrivals)
		}
	}
	for _, a := range all {
		if a.Shape == nil {
			continue
		}
		var at Duration
		for i, step := range a.Shape.Steps {
			if i > 0 && at >= s.Phases.Measure {
				a.Shape.Steps = a.Shape.Steps[:i]
				break
			}
			at += step.For
		}
	}
}
