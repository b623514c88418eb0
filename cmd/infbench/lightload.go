package main

import (
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
		salt = randomHex(8)
	}
	requests, err := source.LightLoad(r.schedule, l.Requests, salt, nonce)
	for i := range requests {
		if api == endpoint.OpenAIResponses {
			requests[i].MaxTokens = leastResponse
		}
	}
	return requests, err
}
