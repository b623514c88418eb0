package gguf

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The special tokens, by their names in Llama 3.
const (
	beginOfText = "<|begin_of_text|>"
	endOfText   = "<|end_of_text|>"
	headerStart = "<|start_header_id|>"
	headerEnd   = "<|end_header_id|>"
	endOfTurn   = "<|eot_id|>"
)

// vocabulary is a byte-level BPE vocabulary: the 256 bytes, what the merges make of them, and the special tokens.
type vocabulary struct {
	tokens   []string // in the letters that stand for bytes
	merges   []string // "left right", the first to be done first
	ordinary int      // this many tokens come before the special ones
	ids      map[string]int
}

// newVocabulary makes every word one token where a blank stands before it.
//
// A word grows from its blank by one merge a byte: blank + a, blank-a + b, blank-ab + l and so on. Every such merge has the
// blank on its left, so that in one word never more than one of them is possible, and each leads to the next: whatever
// their order, they end in the whole word. Words share their beginnings.
func newVocabulary(words []string) (*vocabulary, error) {
	v := &vocabulary{ids: map[string]int{}}
	for b := range 256 {
		v.add(byteLetter(byte(b)))
	}
	for i, word := range words {
		if err := checkWord(word); err != nil {
			return nil, fmt.Errorf("gguf: word %d: %w", i+1, err)
		}
		v.grow(" " + word)
	}
	// What else the chat template writes. These come last, where they cannot break up a word that follows a blank.
	for _, text := range []string{"\n\n", "system", "user", "assistant"} {
		v.grow(text)
	}
	v.ordinary = len(v.tokens)
	for _, name := range []string{beginOfText, endOfText, headerStart, headerEnd, endOfTurn} {
		v.add(name)
	}
	for len(v.tokens)%32 != 0 { // matrices of round sizes take the fast ways
		v.add(fmt.Sprintf("<|reserved_%d|>", len(v.tokens)))
	}
	return v, nil
}

// checkWord: the tokenizer cuts a text before each run of letters, together with the blank before it, and merges only
// inside of such a piece. A word with anything else in it would be more than one.
func checkWord(word string) error {
	if word == "" || !utf8.ValidString(word) || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return fmt.Errorf("%q is not made of letters alone", word)
	}
	return nil
}

func (v *vocabulary) id(token string) int { return v.ids[token] }

func (v *vocabulary) add(token string) {
	v.ids[token] = len(v.tokens)
	v.tokens = append(v.tokens, token)
}

// grow adds the merges that turn a text into one token, byte by byte from the left.
func (v *vocabulary) grow(text string) {
	left := byteLetter(text[0])
	for i := 1; i < len(text); i++ {
		right := byteLetter(text[i])
		if _, known := v.ids[left+right]; !known {
			v.add(left + right)
			v.merges = append(v.merges, left+" "+right)
		}
		left += right
	}
}

// types are the token types of the file format: 1 is ordinary text, 3 is a control token, which is never shown.
func (v *vocabulary) types() []int32 {
	types := make([]int32, len(v.tokens))
	for i := range types {
		types[i] = 1
		if i >= v.ordinary {
			types[i] = 3
		}
	}
	return types
}

// byteLetter is the letter that stands for a byte in tokens and merges, as GPT-2 has it: a printable byte stands for itself
// in Latin-1, the other 68 take the letters from U+0100 on, in their order.
func byteLetter(b byte) string {
	if printable(b) {
		return string(rune(b))
	}
	n := rune(0x100)
	for c := range b {
		if !printable(c) {
			n++
		}
	}
	return string(n)
}

func printable(b byte) bool {
	return '!' <= b && b <= '~' || 0xa1 <= b && b != 0xad
}
