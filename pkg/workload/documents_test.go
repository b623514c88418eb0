package workload

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// documentsIn writes files into a folder.
func documentsIn(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "docs", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// library is a folder of three documents, of 5, 4 and 2 words, beside files that are none.
func library(t *testing.T) string {
	return documentsIn(t, map[string]string{"a.txt": "\ufeffOne two\n\nthree  four five.\n", "b.md": "# Six seven\neight", "c.txt.gz": packed(t, "nine ten")["gzip"],
		"empty.txt": " \n", "notes.rst": "none", ".hidden.txt": "none"})
}

func TestDocuments(t *testing.T) {
	dir := library(t)
	texts := func(d Documents, groups int) map[string]int {
		sc := &Scenario{Seed: 3, Dir: dir, Prompts: Prompts{Shared: &Shared{Groups: groups, Documents: &d}}}
		got, err := readDocuments(sc)
		if err != nil {
			t.Fatal(err)
		}
		f := got.facts
		if f.Rows != 4 || f.Used != 3 || f.Dropped[DropNoText] != 1 || f.Files != 4 || f.Format != "documents" || len(f.SHA256) != 64 {
			t.Errorf("%+v", f)
		}
		again, err := readDocuments(sc)
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("read again: %v, %+v", err, again)
		}
		all := map[string]int{}
		for _, text := range got.texts {
			all[text]++
		}
		return all
	}
	if got, want := texts(Documents{Path: "docs"}, 0), map[string]int{"One two\n\nthree  four five.": 1, "# Six seven\neight": 1, "nine ten": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("whole: %v", got)
	}
	if got, want := texts(Documents{Path: "docs", Chunk: 3}, 0), map[string]int{"One two\n\nthree": 1, "four five.": 1, "# Six seven": 1, "eight": 1, "nine ten": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("in pieces: %v", got)
	}
	if got := texts(Documents{Path: "docs", Chunk: 3}, 2); len(got) != 2 {
		t.Errorf("two of them: %v", got)
	}
	begins := map[string]bool{}
	for text := range texts(Documents{Path: "docs", PerPrompt: 3}, 0) {
		for _, piece := range []string{"One two\n\nthree  four five.", "# Six seven\neight", "nine ten"} {
			if strings.Count(text, piece) != 1 {
				t.Errorf("%q holds %q %d times", text, piece, strings.Count(text, piece))
			}
		}
		begins[text[:4]] = true
	}
	if len(begins) != 3 {
		t.Errorf("groups begin with %v", begins)
	}
}

// TestDocumentPrompts: requests about a document begin with the same text, which is counted to the word, and what a prefix cache
// finds of it is what the prompts themselves say.
func TestDocumentPrompts(t *testing.T) {
	for _, cache := range []string{"unique", "allowed"} {
		s := parse(t, small)
		s.Dir, s.Prompts = library(t), Prompts{Cache: cache, Synthetic: &Synthetic{Input: &Lengths{Fixed: pointer(6)}, Output: &Lengths{Fixed: pointer(3)}},
			Shared: &Shared{Zipf: 1, Documents: &Documents{Path: "docs", Chunk: 3}}}
		src, err := NewSource(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if src.SharedTexts() != 5 || len(src.Datasets()) != 1 || src.Datasets()[0].Path != "docs" {
			t.Errorf("%d texts of %+v", src.SharedTexts(), src.Datasets())
		}
		seen := map[string]bool{}
		for i := range 200 {
			req := src.Request(i, Nonce{"edge", 0})
			shared, own, ok := cutLast(req.Messages[0].Content, "\n\n")
			if !ok || len(strings.Fields(own)) != 6 || len(strings.Fields(shared)) != src.SharedTokens(i) || req.InputTokens != src.SharedTokens(i)+6 {
				t.Fatalf("%s: %d of %d tokens shared: %q", cache, src.SharedTokens(i), req.InputTokens, req.Messages[0].Content)
			}
			if want := src.SharedTokens(i); seen[shared] != (req.Cacheable == want) || !seen[shared] && req.Cacheable != 0 {
				t.Errorf("%s: request %d: %d tokens cacheable of %d, seen before: %v", cache, i, req.Cacheable, want, seen[shared])
			}
			seen[shared] = true
			first, rest, _ := strings.Cut(shared, "\n")
			if cache == "unique" && (len(strings.Fields(first)) != NonceWords || !strings.Contains("One two\n\nthree four five. # Six seven eight nine ten", rest)) {
				t.Errorf("%q", shared)
			}
		}
		if len(seen) != 5 {
			t.Errorf("%s: %d texts", cache, len(seen))
		}
		if other := src.Request(0, Nonce{"edge", 1}); (other.Messages[0].Content == src.Request(0, Nonce{"edge", 0}).Messages[0].Content) != (cache == "allowed") {
			t.Errorf("%s: another block: %q", cache, other.Messages[0].Content)
		}
		if s.Prompts.Predictable() != (cache == "unique") {
			t.Errorf("%s: files may begin alike", cache)
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

func TestDocumentErrors(t *testing.T) {
	dir := documentsIn(t, map[string]string{"a.txt": "a", "b.dat": "b\xff", "e.dat": ""})
	if err := os.Mkdir(filepath.Join(dir, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, "docs", name) }
	for name, c := range map[string]struct {
		shared Shared
		want   string
	}{
		"no folder":        {Shared{Documents: &Documents{Path: "absent"}}, "prompts.shared.documents: open " + filepath.Join(dir, "absent") + ": no such file or directory: correct the path, which is relative to the scenario"},
		"no documents":     {Shared{Documents: &Documents{Path: "none"}}, "prompts.shared.documents: the folder none has no file that ends in .txt, .md (or that and .gz or .zst): name the files with a pattern, such as none/*"},
		"no such file":     {Shared{Documents: &Documents{Path: "docs/*.rst"}}, "prompts.shared.documents: no file is like docs/*.rst: correct the pattern"},
		"a wrong pattern":  {Shared{Documents: &Documents{Path: "docs/[.rst"}}, "prompts.shared.documents: docs/[.rst: syntax error in pattern"},
		"not in UTF-8":     {Shared{Documents: &Documents{Path: "docs/b.dat"}}, at("b.dat") + " is not in UTF-8: convert the file"},
		"nothing in it":    {Shared{Documents: &Documents{Path: "docs/e*"}}, "prompts.shared.documents: all 1 files of docs/e* are empty"},
		"too many groups":  {Shared{Groups: 2, Documents: &Documents{Path: "docs"}}, "prompts.shared.groups is 2, and docs has 1 pieces of text: use fewer groups, or a smaller documents.chunk"},
		"too many a piece": {Shared{Documents: &Documents{Path: "docs", PerPrompt: 2}}, "prompts.shared.documents.per_prompt is 2, and docs has 1 pieces of text: use fewer, or a smaller chunk"},
	} {
		s := parse(t, small)
		s.Dir, s.Prompts.Shared = dir, &c.shared
		if _, err := NewSource(s, nil); err == nil || err.Error() != c.want {
			t.Errorf("%s: got  %v\nwant %s", name, err, c.want)
		}
	}
}

// FuzzCutWords: the pieces hold the words of the text, in their order, and as many each as was asked for.
func FuzzCutWords(f *testing.F) {
	f.Add("one two  three\n\nfour", 2)
	f.Add(" ", 1)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 0 || n > 1000 {
			n = 3
		}
		pieces := cutWords(text, n)
		if got, want := strings.Fields(strings.Join(pieces, " ")), strings.Fields(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q of %q", got, want)
		}
		for i, p := range pieces {
			words := len(strings.Fields(p))
			if n > 0 && (words > n || i < len(pieces)-1 && words != n) || n == 0 && len(pieces) != 1 {
				t.Errorf("piece %d of %d: %q", i, n, pieces)
			}
			if p != strings.TrimSpace(p) || n > 0 && words == 0 && !blank(text) {
				t.Errorf("%q", pieces)
			}
		}
	})
}

// TestSharedBeforeDataset: rows of a dataset stand behind shared texts, and what a prefix cache spares of the prompts that are
// sent, by their own words, is the share that the scenario asks for.
func TestSharedBeforeDataset(t *testing.T) {
	var rows []string
	for i := range 50 {
		rows = append(rows, `{"messages": [{"role": "system", "content": "S."}, {"role": "user", "content": "`+strings.Repeat("own ", i%9+1)+`"}], "max_tokens": 4}`)
	}
	for _, cache := range []string{"unique", "allowed"} {
		prompts := datasetOf(t, rows...)
		prompts.Cache = cache
		prompts.Shared = &Shared{Zipf: 1, Share: 0.3, Documents: &Documents{Path: filepath.Join(library(t), "docs"), PerPrompt: 2}}
		s := parse(t, small)
		s.Prompts, s.Phases, s.Arrivals = prompts, Phases{Measure: Duration(200e9)}, Arrivals{Rate: 20, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Poisson: &PoissonBurst{}}}
		sched, err := NewSchedule(s)
		if err != nil {
			t.Fatal(err)
		}
		src, err := NewSource(s, sched)
		if err != nil {
			t.Fatal(err)
		}
		if len(src.Datasets()) != 2 {
			t.Errorf("%+v", src.Datasets())
		}
		seen, alone := map[string]bool{}, 0
		var spared, all int
		for i := range sched.Times {
			req := src.Request(i, Nonce{"edge", 0})
			words := len(strings.Fields(messageText(req.Messages)))
			if words != req.InputTokens || len(req.Messages) != 2 || req.MaxTokens != 4 || !strings.HasPrefix(req.Messages[1].Content, "own") || !strings.HasSuffix(req.Messages[0].Content, "S.") {
				t.Fatalf("%d words for %d tokens: %q", words, req.InputTokens, req.Messages)
			}
			shared, _, ok := cutLast(req.Messages[0].Content, "\n\n")
			if !ok {
				alone++
			} else if seen[shared] {
				spared += len(strings.Fields(shared))
			}
			seen[shared], all = true, all+words
		}
		if got := float64(spared) / float64(all); got < 0.295 || got > 0.305 || alone == 0 {
			t.Errorf("%s: %.4f of the prompt tokens are spared, want 0.3; %d of %d requests share nothing", cache, got, alone, len(sched.Times))
		}
		if share := src.Asked(sched).CacheableShare; (share != nil) != (cache == "unique") || share != nil && (*share-float64(spared)/float64(all) > 1e-9 || float64(spared)/float64(all)-*share > 1e-9) {
			t.Errorf("%s: the workload says %v, its prompts %.6f", cache, share, float64(spared)/float64(all))
		}
	}
}
