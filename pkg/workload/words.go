package workload

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed words.txt
var wordList string

// Words is the vocabulary of synthetic text: distinct lower-case words of three to eight letters. A word with the blank
// before it is about one token of a byte-level BPE vocabulary, which is what "n tokens of text" means where a
// scenario names no tokenizer; the server's own count stands beside it in the record. The slice is shared: do not change it.
var Words = sync.OnceValue(func() []string { return strings.Fields(wordList) })
