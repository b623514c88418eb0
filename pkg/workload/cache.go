package workload

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/internal/stat"
)

// What prompts.cache may be. The empty string is cacheUnique.
const (
	cacheUnique  = "unique"  // a nonce per request; a shared text has one of its run, approach and block
	cacheCold    = "cold"    // what requests of a block have in common they share, behind a nonce of run, approach and block
	cacheWarm    = "warm"    // as cold, and the warm-up sends each shared text once
	cacheAllowed = "allowed" // no nonces: another block, another run may have left anything in a cache
)

// Nonces reports whether prompts begin with nonces at all.
func (p *Prompts) Nonces() bool { return p.Cache != cacheAllowed }

// Warm reports whether the warm-up sends each shared text once.
func (p *Prompts) Warm() bool { return p.Shared != nil && (p.Shared.Warm || p.Cache == cacheWarm) }

// Shares reports whether the requests of a block may begin alike, as far as they have anything in common.
func (p *Prompts) Shares() bool {
	return p.Shared != nil || p.Common()
}

// Common reports whether prompts share whatever they have in common, and not just what prompts.shared puts before them.
func (p *Prompts) Common() bool { return p.Cache != "" && p.Cache != cacheUnique }

// SpentRemedy is what to do where the rows of a dataset come again and a prefix cache may know them. With cache: unique
// that is so behind shared texts alone, where no nonce of its own stands before a row.
func (p *Prompts) SpentRemedy() string {
	if p.Common() {
		return "give more rows, or write cache: unique"
	}
	return "give more rows"
}

// Predictable reports whether the prompts tell what a prefix cache can do for them: the rows of a dataset, and a system
// message that all requests have, may share what nobody has counted, unless a nonce of each request stands before them.
func (p *Prompts) Predictable() bool {
	documents := p.Shared != nil && p.Shared.Documents != nil
	return !p.Common() || p.Dataset == nil && p.System == "" && (!documents || p.Nonces())
}

// SetRun makes the nonces of prompts those of one run. A nonce that the seed alone decides would be the same in the next
// run of the scenario: on a server that stayed up since, that run would find its prompts in the prefix cache. Lengths and
// everything behind a nonce stay as they are. The same run nonce gives the same prompts again; all shards of one run need
// the same. Without one, nonces are those of the seed. Call it before the first Request.
func (s *Source) SetRun(nonce string) {
	s.run = nonce
	for _, c := range s.Classes() {
		c.SetRun(nonce)
	}
}

// stream names the random numbers of a kind of nonce.
func (s *Source) stream(kind string, n Nonce) string {
	name := fmt.Sprintf("%s %s %d", kind, n.Approach, n.Block)
	if s.run != "" {
		name += " of run " + s.run
	}
	return name
}

// lead is the nonce that a prompt without a shared text begins with: one of the block where the prompt has something in
// common with others that it may share, one of its own otherwise. It is empty where prompts have none.
func (s *Source) lead(index int, n Nonce) string {
	p := &s.prompts
	if !p.Nonces() {
		return ""
	}
	kind := "nonce"
	if p.Common() && (s.rows != nil || p.System != "" || s.blocks(index) != nil) {
		kind, index = "block nonce", 0
	}
	var b strings.Builder
	s.tokenizer.appendTokens(&b, stat.Keyed(s.seed, s.stream(kind, n), uint64(index)), NonceWords)
	return b.String()
}

// Rows is how many rows the dataset of the prompts has; 0 without one. Request i asks row i mod Rows of their order.
func (s *Source) Rows() int { return len(s.rows) }
