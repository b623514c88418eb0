package workload

import (
	"fmt"
	"slices"

	"github.com/infbench/infbench/internal/stat"
)

// TrafficClass is one kind of traffic in a mix: chat, say, or a batch job. It has prompts of its own, and either a part of the
// scenario's common arrivals or arrivals of its own.
type TrafficClass struct {
	// Name is what reports call the class: small letters, digits and hyphens.
	Name string `yaml:"name" json:"name" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$,hint=use a-z 0-9 and - only,example=chat"`
	// Weight is the class's part of the common arrivals, in proportion to the weights of the classes that have one. Each arrival
	// is given to one of them by a draw that the seed decides.
	Weight float64 `yaml:"weight,omitempty" json:"weight,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1000000,example=3"`
	// Arrivals of its own, in place of a part of the common ones. Open loop only.
	Arrivals *Arrivals `yaml:"arrivals,omitempty" json:"arrivals,omitempty"`
	Prompts  Prompts   `yaml:"prompts" json:"prompts" jsonschema:"required"`
	// Sessions makes every arrival of the class the first turn of a conversation.
	Sessions *Sessions `yaml:"sessions,omitempty" json:"sessions,omitempty"`
	// Patience lets users of the class leave who wait for too long. Default: the scenario's.
	Patience *Patience `yaml:"patience,omitempty" json:"patience,omitempty"`
	// SLO is what is good enough for the class, beside the scenario's, which is about all requests together.
	SLO *ClassSLO `yaml:"slo,omitempty" json:"slo,omitempty"`
}

// ClassSLO says what is good enough for one traffic class.
type ClassSLO struct {
	// Request limits are the class's own. Without them the scenario's hold.
	Request RequestLimits `yaml:"request,omitempty" json:"request,omitzero"`
	// Objectives are judged per approach over the class's requests, and count for the approach's verdict as the scenario's do.
	Objectives []Objective `yaml:"objectives,omitempty" json:"objectives,omitempty"`
}

// Class is the traffic class of this name; nil where there is none.
func (s *Scenario) Class(name string) *TrafficClass {
	if i := slices.IndexFunc(s.Mix, func(c TrafficClass) bool { return c.Name == name }); i >= 0 {
		return &s.Mix[i]
	}
	return nil
}

// ClassSLO is what one class is judged by: its own objectives, and its own request limits or else the scenario's.
func (s *Scenario) ClassSLO(c *TrafficClass) SLO {
	out := SLO{Request: s.SLO.Request}
	if c.SLO != nil {
		out.Objectives = c.SLO.Objectives
		if c.SLO.Request != (RequestLimits{}) {
			out.Request = c.SLO.Request
		}
	}
	return out
}

// ofClass is a class as a scenario that has nothing else. Its seed belongs to the seed and the class's name, so that another
// class changes nothing in it, and no text of it is another's. Without arrivals of its own it has the common ones.
func (s *Scenario) ofClass(c *TrafficClass) *Scenario {
	one := *s
	one.Mix = nil
	one.Seed = stat.Keyed(s.Seed, "class "+c.Name, 0).Uint64()
	one.Prompts, one.Sessions = c.Prompts, c.Sessions
	if c.Patience != nil {
		one.Patience = c.Patience
	}
	if c.Arrivals != nil {
		one.Arrivals = *c.Arrivals
	}
	return &one
}

// Converses reports whether arrivals begin conversations: all of them, or those of a class of the mix.
func (s *Scenario) Converses() bool {
	return s.Sessions != nil || slices.ContainsFunc(s.Mix, func(c TrafficClass) bool { return c.Sessions != nil })
}

// inClass names the class that an error is about.
func inClass(c *TrafficClass, err error) error { return fmt.Errorf("mix[%s]: %w", c.Name, err) }
