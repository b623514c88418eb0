package workload

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/internal/stat"
)

// blocks are the prefix blocks of request index, where its trace records them and prompts may share text at all: a prompt
// that starts with a nonce of its own shares nothing.
func (s *Source) blocks(index int) []uint64 {
	if s.trace == nil || !s.prompts.Shares() {
		return nil
	}
	return s.trace[index].Blocks
}

// blockText is n tokens, block by block: the words of a block depend on its id alone, so that requests with the same
// leading ids begin with the same text. A superposed copy of the trace has blocks of its own. The lead, if there is one,
// stands in the place of the first words. A correction gives every block its share, at the same places in all prompts.
func (s *Source) blockText(index, n int, blocks []uint64, lead string) string {
	var b strings.Builder
	b.Grow(n * 8)
	lead, leading := firstWords(lead, n)
	b.WriteString(lead)
	stream := fmt.Sprintf("block %d", s.trace[index].Copy)
	built := leading
	for i, id := range blocks {
		end := max(built, min(n, s.correction.share((i+1)*s.blockTokens)))
		s.tokenizer.appendTokens(&b, stat.Keyed(s.seed, stream, id), end-built)
		built = end
	}
	s.tokenizer.appendTokens(&b, stat.Keyed(s.seed, "text", uint64(index)), n-built) // a tail without an id is the request's own
	return b.String()
}

// firstWords is a text of at most n words, and how many it has.
func firstWords(text string, n int) (string, int) {
	words := strings.Fields(text)
	words = words[:min(len(words), n)]
	return strings.Join(words, " "), len(words)
}
