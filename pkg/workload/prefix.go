package workload

// cacheablePrefixes is, for each request of a trace that records prefix blocks, how many of its prompt tokens earlier
// requests have brought into a prefix cache that is unlimited and was empty before. Nil where no row has blocks, or where
// prompts do not share them.
func (s *Source) cacheablePrefixes() []int32 {
	if s.trace == nil || !s.prompts.Shares() {
		return nil
	}
	cache := tokenCache{block: s.blockTokens, held: map[uint64]int{}}
	tokens := make([]int32, len(s.trace))
	for i, a := range s.trace {
		n, _ := s.own(i)
		tokens[i] = int32(cache.add(a.Copy, a.Blocks, n))
	}
	if len(cache.held) == 0 {
		return nil
	}
	return tokens
}

// tokenCache holds the text of prompts that are made of blocks. Where trace inspect counts blocks by their ids alone
// (prefixCache), it counts tokens: a block is found only behind the same blocks, and a last block as far as it was filled.
type tokenCache struct {
	block int            // tokens
	held  map[uint64]int // the most tokens of the last block, by the blocks up to it
}

// add looks up a prompt of n tokens, gives how many of them were held, and holds it.
func (c *tokenCache) add(replica int, blocks []uint64, n int) (found int) {
	leading := true
	chain := mix(uint64(replica))
	for _, id := range blocks {
		filled := min(n, c.block)
		if n -= filled; filled == 0 {
			break // cut to the scenario's limit
		}
		chain = mix(chain + id)
		held := c.held[chain]
		if leading {
			found += min(held, filled)
			leading = held >= filled
		}
		c.held[chain] = max(held, filled)
	}
	return found
}

// mix spreads a number over 64 bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
