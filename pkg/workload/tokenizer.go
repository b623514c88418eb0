package workload

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

// tokenizer counts text in the tokens of a published encoding (tiktoken). It is safe for concurrent use.
type tokenizer struct {
	codec *codec.Codec
	// whole are the words of Words that are one token, with a blank before them and without; and how many there are.
	whole []bool
	words int
}

// tokenizers are the encodings by their names in a scenario. Each is a table of 50,000 to 200,000 tokens: it is made when
// it is first asked for.
var tokenizers = map[string]func() (*tokenizer, error){
	"o200k_base":  sync.OnceValues(func() (*tokenizer, error) { return newTokenizer(codec.NewO200kBase()) }),
	"cl100k_base": sync.OnceValues(func() (*tokenizer, error) { return newTokenizer(codec.NewCl100kBase()) }),
	"p50k_base":   sync.OnceValues(func() (*tokenizer, error) { return newTokenizer(codec.NewP50kBase()) }),
	"r50k_base":   sync.OnceValues(func() (*tokenizer, error) { return newTokenizer(codec.NewR50kBase()) }),
}

// tokenizerOf gives a scenario's tokenizer; nil where a word is taken for a token.
func tokenizerOf(name string) (*tokenizer, error) {
	if name == "" || name == "words" {
		return nil, nil
	}
	made := tokenizers[name]
	if made == nil {
		return nil, fmt.Errorf("prompts.tokenizer: %q is not known: there are words, o200k_base, cl100k_base, p50k_base and r50k_base", name)
	}
	return made()
}

// newTokenizer finds the words that are whole tokens. These encodings cut a text into pieces before they look at its
// tokens, and no token spans two: a run of letters is a piece, with the blank before it if there is one. So a text of such
// words with one blank between any two has as many tokens as words, wherever it is cut and whatever it is put behind.
func newTokenizer(c *codec.Codec) (*tokenizer, error) {
	t := &tokenizer{codec: c, whole: make([]bool, len(Words()))}
	for i, w := range Words() {
		first, err := t.count(w)
		if err != nil {
			return nil, err
		}
		later, err := t.count(" " + w)
		if err != nil {
			return nil, err
		}
		if t.whole[i] = first == 1 && later == 1; t.whole[i] {
			t.words++
		}
	}
	if t.words < len(Words())/4 { // a nonce must stay a nonce
		return nil, fmt.Errorf("prompts.tokenizer: only %d words are one token of %s", t.words, c.GetName())
	}
	return t, nil
}

// longestRun is how many bytes without a blank are encoded at once: the time for one piece of a text grows with the square
// of its length. A longer run is cut, which may add a token to some thousands.
const longestRun = 8192

// count is how many tokens a text has. What looks like a special token in it is text like any other.
func (t *tokenizer) count(text string) (int, error) {
	sum := 0
	for len(text) > 0 {
		part := text[:cut(text)]
		text = text[len(part):]
		n, err := t.codec.Count(part)
		if err != nil {
			return 0, fmt.Errorf("prompts.tokenizer: count the tokens of a text in %s: %w", t.codec.GetName(), err)
		}
		sum += n
	}
	return sum, nil
}

// cut is how much of a text is encoded at once: all of it, or up to where a run without a blank has become too long.
func cut(text string) int {
	run := 0
	for i := range len(text) {
		if c := text[i]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			run = 0
		} else if run++; run > longestRun && utf8.RuneStart(c) {
			return i
		}
	}
	return len(text)
}

// countAll is how many tokens messages have, each for itself.
func (t *tokenizer) countAll(messages []Message) (int, error) {
	sum := 0
	for _, m := range messages {
		n, err := t.count(m.Content)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// countAll is how many tokens messages have by the scenario's own count: in words where it has no tokenizer.
func (s *Source) countAll(messages []Message) (int, error) {
	if s.tokenizer != nil {
		return s.tokenizer.countAll(messages)
	}
	sum := 0
	for _, m := range messages {
		sum += len(strings.Fields(m.Content))
	}
	return sum, nil
}
