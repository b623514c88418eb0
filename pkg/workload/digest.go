package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Digest identifies the experiment that the scenario describes, in hex: the SHA-256 of its JSON, with every default and
// override in it and without secrets. What changes nothing that is sent or judged is left out: the description and the
// folder of the results. Only runs with the same digest are merged or compared as the same experiment.
func (s *Scenario) Digest() string {
	c := s.Redacted()
	c.Description, c.Output.Dir = "", ""
	canonical, err := json.Marshal(c) // fields in the order of the types, keys of maps sorted
	if err != nil {
		// Parse lets nothing in that JSON cannot hold; only a body made by a program can.
		panic(fmt.Sprintf("scenario %s: body is not JSON: %v", s.Name, err))
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// WorkloadDigest identifies what is asked, whoever is asked and whatever is good enough: the SHA-256 in hex of the scenario
// without its name, seed, approaches, limits, output, number of blocks and light-load phase. Figures of runs with another are those of another
// workload. Runs with the same digest and seed get the same requests.
func (s *Scenario) WorkloadDigest() string {
	c := *s
	c.Name, c.Seed, c.Blocks, c.Approaches, c.SLO, c.Output = "", 0, 0, nil, SLO{}, Output{}
	c.Phases.Cooldown, c.Phases.LightLoad = 0, nil
	for i := range c.Mix {
		if i == 0 {
			c.Mix = append([]TrafficClass(nil), c.Mix...)
		}
		c.Mix[i].SLO = nil
	}
	return c.Digest()
}
