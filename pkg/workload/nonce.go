package workload

import "fmt"

// SetRun makes the nonces of prompts those of one run. A nonce that the seed alone decides would be the same in the next
// run of the scenario: on a server that stayed up since, that run would find its prompts in the prefix cache. Lengths and
// everything behind a nonce stay as they are. The same run nonce gives the same prompts again; all shards of one run need
// the same. Without one, nonces are those of the seed. Call it before the first Request.
func (s *Source) SetRun(nonce string) { s.run = nonce }

// stream names the random numbers of a kind of nonce.
func (s *Source) stream(kind string, n Nonce) string {
	name := fmt.Sprintf("%s %s %d", kind, n.Approach, n.Block)
	if s.run != "" {
		name += " of run " + s.run
	}
	return name
}

// Nonces reports whether prompts begin with nonces at all.
func (p *Prompts) Nonces() bool { return p.Cache != "allowed" }
