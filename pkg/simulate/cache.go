package simulate

import (
	"container/list"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// blockTokens is the unit in which prompts are cached, as in vLLM.
const blockTokens = 16

// prefixCache is a least-recently-used set of prompt prefixes, in whole blocks. A block's key depends on all tokens
// before it, so that two prompts share a block only where they agree from the first token on.
type prefixCache struct {
	capacity int // blocks
	order    *list.List
	blocks   map[uint64]*list.Element
}

// newPrefixCache returns nil, a cache that never hits, where tokens is below one block.
func newPrefixCache(tokens int) *prefixCache {
	if tokens < blockTokens {
		return nil
	}
	return &prefixCache{capacity: tokens / blockTokens, order: list.New(), blocks: make(map[uint64]*list.Element)}
}

// cached is how many leading tokens of a prompt need no prefill, and marks them as used. The last token is always
// computed: its output is the first new token.
func (c *prefixCache) cached(blocks []uint64, tokens int) int {
	if c == nil {
		return 0
	}
	n := 0
	for n < len(blocks) && (n+1)*blockTokens < tokens && c.blocks[blocks[n]] != nil {
		n++
	}
	c.touch(blocks[:n])
	return n * blockTokens
}

// add stores a prompt's blocks.
func (c *prefixCache) add(blocks []uint64) {
	if c == nil {
		return
	}
	c.touch(blocks)
	for c.order.Len() > c.capacity {
		oldest := c.order.Back()
		delete(c.blocks, oldest.Value.(uint64))
		c.order.Remove(oldest)
	}
}

// touch makes blocks the most recently used, the first most of all: a prefix must outlive what depends on it.
func (c *prefixCache) touch(blocks []uint64) {
	for i := len(blocks) - 1; i >= 0; i-- {
		if e := c.blocks[blocks[i]]; e != nil {
			c.order.MoveToFront(e)
		} else {
			c.blocks[blocks[i]] = c.order.PushFront(blocks[i])
		}
	}
}

// promptHash counts a prompt's tokens, so many of the template and so many per word, and hashes its whole blocks (64-bit
// FNV-1a, chained). A block that a word fills and the next begins in is known by that word.
type promptHash struct {
	tokens   int
	blocks   []uint64
	hash     uint64
	words    int
	template int
	perWord  float64
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func newPromptHash(sim *workload.Simulation) promptHash {
	p := promptHash{hash: fnvOffset, template: sim.TemplateTokens, perWord: sim.TokensPerWord}
	p.grow()
	return p
}

// grow counts the tokens of the words so far, and closes the blocks that they fill.
func (p *promptHash) grow() {
	p.tokens = p.template + int(float64(p.words)*p.perWord)
	for (len(p.blocks)+1)*blockTokens <= p.tokens {
		p.hash = (p.hash ^ uint64(len(p.blocks))) * fnvPrime // a word may fill several
		p.blocks = append(p.blocks, p.hash)
	}
}

// write takes one message. Its end is a word boundary.
func (p *promptHash) write(text string) {
	for word := range strings.FieldsSeq(text) {
		p.word(word)
	}
}

func (p *promptHash) word(word string) {
	h := p.hash
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * fnvPrime
	}
	p.hash = (h ^ ' ') * fnvPrime
	p.words++
	p.grow()
}

// answered is the blocks of a prompt and the n tokens of its answer: what a conversation's next turn begins with.
func (p promptHash) answered(n int) []uint64 {
	for i := range n {
		p.word(vocabulary[word(i)])
	}
	return p.blocks
}
