package workload

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/infbench/infbench/internal/stat"
)

// DropNoText is the reason for which a document is left out.
const DropNoText = "empty document"

// documents are the texts of files that prompts begin with.
type documents struct {
	texts []string // of each group
	facts DatasetFacts
}

// readDocuments reads the files that the scenario names, cuts them, and puts the pieces together for each group. Which piece
// is how popular is decided by the seed, and not by the names of the files.
func readDocuments(sc *Scenario) (*documents, error) {
	const field = "prompts.shared.documents"
	c := sc.Prompts.Shared
	files, err := dataFiles(c.Documents.Path, sc.Dir, documentEndings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	d := &documents{facts: DatasetFacts{Path: c.Documents.Path, Format: "documents", Files: len(files), Dropped: map[string]int{}}}
	var sums digests
	var pieces []string
	for _, name := range files {
		text, err := readDocument(name, &sums)
		if err != nil {
			return nil, err
		}
		d.facts.Rows++
		if blank(text) {
			d.facts.Dropped[DropNoText]++
			continue
		}
		d.facts.Used++
		pieces = append(pieces, cutWords(text, c.Documents.Chunk)...)
	}
	d.facts.SHA256 = sums.sum()
	groups, per := c.Groups, max(c.Documents.PerPrompt, 1)
	if groups == 0 {
		groups = len(pieces)
	}
	switch {
	case len(pieces) == 0:
		return nil, fmt.Errorf("%s: all %d files of %s are empty", field, len(files), d.facts.Path)
	case groups > len(pieces):
		return nil, fmt.Errorf("prompts.shared.groups is %d, and %s has %d pieces of text: use fewer groups, or a smaller documents.chunk", groups, d.facts.Path, len(pieces))
	case per > len(pieces):
		return nil, fmt.Errorf("%s.per_prompt is %d, and %s has %d pieces of text: use fewer, or a smaller chunk", field, per, d.facts.Path, len(pieces))
	}
	order := stat.Keyed(sc.Seed, "documents", 0).Perm(len(pieces))
	for g := range groups {
		d.texts = append(d.texts, passages(sc.Seed, pieces, order, g, per))
	}
	return d, nil
}

// length is the text of a group in tokens, with the nonce where there is one: in words where there is no tokenizer.
func (d *documents) length(g int, unique bool, tokens *tokenizer) (n int, err error) {
	if tokens == nil {
		n = countWords(d.texts[g])
	} else if n, err = tokens.count("\n" + d.texts[g]); err != nil {
		return 0, err
	}
	if unique {
		n += NonceWords
	}
	return n, nil
}

// readDocument reads a whole file of text.
func readDocument(name string, sums *digests) (string, error) {
	f, err := openData(name)
	if err != nil {
		return "", fileError("prompts.shared.documents", err)
	}
	defer f.close()
	text, err := io.ReadAll(io.LimitReader(f.text, maxRow+1))
	switch {
	case err != nil:
		return "", f.readError(err)
	case len(text) > maxRow:
		return "", fmt.Errorf("%s is longer than %d MiB: divide the document", name, maxRow>>20)
	case !utf8.Valid(text):
		return "", fmt.Errorf("%s is not in UTF-8: convert the file", name)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), sums.add(f)
}

// passages is the text of a group: a piece of its own, so that no two groups begin alike, and behind it others that the
// seed chooses for the group, as a search gives the same passages to the same question.
func passages(seed uint64, pieces []string, order []int, g, per int) string {
	if per == 1 {
		return pieces[order[g]]
	}
	parts := []string{pieces[order[g]]}
	taken := map[int]bool{g: true}
	for r := stat.Keyed(seed, "document pieces", uint64(g)); len(parts) < per; {
		if at := r.IntN(len(order)); !taken[at] {
			taken[at] = true
			parts = append(parts, pieces[order[at]])
		}
	}
	return strings.Join(parts, "\n\n")
}

// cutWords cuts a text into pieces of n words, the last of them shorter, with all that stands between words left as it is;
// 0 leaves it whole.
func cutWords(text string, n int) []string {
	text = strings.TrimSpace(text)
	if n == 0 {
		return []string{text}
	}
	var pieces []string
	from, words, within := 0, 0, false
	for i, r := range text {
		space := unicode.IsSpace(r)
		if !space && !within {
			if words == n {
				pieces = append(pieces, strings.TrimSpace(text[from:i]))
				from, words = i, 0
			}
			words++
		}
		within = !space
	}
	return append(pieces, text[from:])
}
