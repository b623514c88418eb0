package gguf

import (
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promptWords are the words that infbench makes prompts of.
func promptWords(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../pkg/workload/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(text))
	if len(words) != 2048 {
		t.Fatalf("%d words", len(words))
	}
	return words
}

// bpe is byte-pair encoding as GPT-2 has it, over one piece of text: again and again, the merge that stands earliest in
// the list is done everywhere.
type bpe map[[2]string]int

func newBPE(merges []string) bpe {
	ranks := bpe{}
	for i, m := range merges {
		left, right, _ := strings.Cut(m, " ")
		ranks[[2]string{left, right}] = i
	}
	return ranks
}

func (ranks bpe) encode(piece string) []string {
	var symbols []string
	for _, b := range []byte(piece) {
		symbols = append(symbols, byteLetter(b))
	}
	for {
		best, pair := math.MaxInt, [2]string{}
		for i := range len(symbols) - 1 {
			p := [2]string{symbols[i], symbols[i+1]}
			if rank, ok := ranks[p]; ok && rank < best {
				best, pair = rank, p
			}
		}
		if best == math.MaxInt {
			return symbols
		}
		var merged []string
		for i := 0; i < len(symbols); i++ {
			if i+1 < len(symbols) && symbols[i] == pair[0] && symbols[i+1] == pair[1] {
				merged = append(merged, pair[0]+pair[1])
				i++
			} else {
				merged = append(merged, symbols[i])
			}
		}
		symbols = merged
	}
}

// letters writes a text in the letters that stand for its bytes.
func letters(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString(byteLetter(c))
	}
	return b.String()
}

// pieces is the part of the tokenizer "llama-bpe" that words and blanks meet: a run of letters, with what stands before it.
var pieces = regexp.MustCompile(`[^\r\n\p{L}\p{N}]?\p{L}+`)

func TestEveryPromptWordIsOneToken(t *testing.T) {
	words := promptWords(t)
	v, err := newVocabulary(words)
	if err != nil {
		t.Fatal(err)
	}
	ranks := newBPE(v.merges)
	for _, word := range words {
		if got := ranks.encode(" " + word); len(got) != 1 || got[0] != letters(" "+word) {
			t.Errorf("%q is %q", " "+word, got)
		}
		if id, ok := v.ids[letters(" "+word)]; !ok || v.tokens[id] != letters(" "+word) || id >= v.ordinary {
			t.Errorf("%q has no token", " "+word)
		}
	}
	// and so a prompt of n words is n tokens
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var prompt strings.Builder
		n := 1 + rng.IntN(200)
		for range n {
			prompt.WriteString(" " + words[rng.IntN(len(words))])
		}
		cut := pieces.FindAllString(prompt.String(), -1)
		if strings.Join(cut, "") != prompt.String() {
			t.Fatalf("the pieces %q are not the text", cut)
		}
		tokens := 0
		for _, piece := range cut {
			tokens += len(ranks.encode(piece))
		}
		if tokens != n {
			t.Errorf("%d words are %d tokens: %s", n, tokens, prompt.String())
		}
	}
	for _, text := range []string{"\n\n", "system", "user", "assistant"} {
		if got := ranks.encode(text); len(got) != 1 {
			t.Errorf("%q, which the chat template writes, is %q", text, got)
		}
	}
}

// Any text has tokens, whatever it holds, and they are all in the vocabulary.
func TestAnyTextHasTokens(t *testing.T) {
	v, err := newVocabulary(promptWords(t))
	if err != nil {
		t.Fatal(err)
	}
	ranks := newBPE(v.merges)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, text := range []string{"story", " abl", " ablebody", "ünïcode 漢字 🙂", string(every), "  \t\n\n\n"} {
		got := ranks.encode(text)
		if strings.Join(got, "") != letters(text) {
			t.Errorf("%q became %q", text, got)
		}
		for _, token := range got {
			if _, ok := v.ids[token]; !ok {
				t.Errorf("%q holds %q, which is no token", text, token)
			}
		}
	}
}

func TestVocabularyIsSound(t *testing.T) {
	v, err := newVocabulary(promptWords(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(v.tokens); n%32 != 0 || len(v.ids) != n {
		t.Errorf("%d tokens, %d different ones", n, len(v.ids))
	}
	if v.ordinary != 256+len(v.merges) {
		t.Errorf("%d ordinary tokens from 256 bytes and %d merges", v.ordinary, len(v.merges))
	}
	// a merge makes a token out of two that are there before it
	for i, m := range v.merges {
		left, right, _ := strings.Cut(m, " ")
		if made := v.ids[left+right]; made != 256+i || v.ids[left] >= made || v.ids[right] >= made {
			t.Errorf("merge %d, %q, makes token %d", i, m, made)
		}
	}
	types := v.types()
	if slices.Contains(types[:v.ordinary], 3) || slices.Contains(types[v.ordinary:], 1) {
		t.Error("the special tokens' types are not where they are")
	}
}

// The letters for bytes are GPT-2's: the blank is U+0120 and the newline U+010A, as every such vocabulary shows.
func TestByteLetters(t *testing.T) {
	seen := map[string]bool{}
	for b := range 256 {
		seen[byteLetter(byte(b))] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d different letters for 256 bytes", len(seen))
	}
	for b, want := range map[byte]rune{' ': 'Ġ', '\n': 'Ċ', '\t': 'ĉ', '\r': 'č', 0: 'Ā', 0x7f: 'ġ', 0x80: 'Ģ', 0xa0: 'ł', 0xad: 'Ń', 'a': 'a', '!': '!', '~': '~', 0xa1: '¡', 0xff: 'ÿ'} {
		if got := byteLetter(b); got != string(want) {
			t.Errorf("byte %#02x is %q, want %q", b, got, want)
		}
	}
}

func TestWordsThatAreNotWords(t *testing.T) {
	for _, word := range []string{"", "two words", "it's", "x1", "a\n", "\xff"} {
		_, err := newVocabulary([]string{"fine", word})
		if err == nil || !strings.Contains(err.Error(), "word 2") {
			t.Errorf("%q: %v", word, err)
		}
	}
	if _, err := newVocabulary([]string{"größe", "größer", "größe"}); err != nil {
		t.Error(err)
	}
}
