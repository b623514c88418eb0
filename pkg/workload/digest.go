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
