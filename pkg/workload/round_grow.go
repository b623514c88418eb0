package workload

import (
	"bytes"
	"encoding/json"
)

// WithBlocks is a copy of the scenario with another number of rounds of blocks. Rounds that both have are the same in seed,
// arrivals and prompts; so is their order where both have more than one.
func (s *Scenario) WithBlocks(n int) *Scenario {
	c := *s
	c.Blocks = n
	return &c
}

// Covered are the approaches in which Redacted has put something over a secret, by name: as a record has them, they cannot
// be called.
func (s *Scenario) Covered() []string {
	var names []string
	for i := range s.Approaches {
		text, err := json.Marshal(&s.Approaches[i])
		if err != nil || bytes.Contains(text, []byte(covered)) {
			names = append(names, s.Approaches[i].Name)
		}
	}
	return names
}
