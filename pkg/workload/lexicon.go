package workload

import (
	"strings"

	"github.com/infbench/infbench/internal/stat"
)

// appendTokens adds n tokens of random text: words that are one token each, with a blank before each but the first of the
// text. A word of Words that is not one token is passed over; without a tokenizer every word is taken for one.
func (t *tokenizer) appendTokens(b *strings.Builder, r *stat.Rand, n int) {
	if t == nil {
		appendWords(b, r, n)
		return
	}
	words := Words()
	for bits, left := uint64(0), 0; n > 0; left-- {
		if left == 0 { // five words of 11 bits from one draw
			bits, left = r.Uint64(), 5
		}
		i := bits % uint64(len(words))
		bits >>= 11
		if !t.whole[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[i])
		n--
	}
}

// joint is what stands between a shared text and the request's own: an empty line, or, where tokens are counted, no more
// than the blank that the next word brings along.
func (t *tokenizer) joint() string {
	if t == nil {
		return "\n\n"
	}
	return " "
}
