package main

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// lightLoad makes the requests of a block's light-load phase; none where the scenario has no such phase.
func (r *runJob) lightLoad(source *workload.Source, nonce workload.Nonce, api string) ([]workload.Request, error) {
	l := r.scenario.Phases.LightLoad
	if l == nil {
		return nil, nil
	}
	salt := r.nonce
	if salt == "" { // a scenario whose prompts have no nonces: these need one all the same
		var random [8]byte
		rand.Read(random[:])
		salt = hex.EncodeToString(random[:])
	}
	requests, err := source.LightLoad(r.schedule, l.Requests, salt, nonce)
	for i := range requests {
		if api == endpoint.OpenAIResponses {
			requests[i].MaxTokens = leastResponse
		}
	}
	return requests, err
}
