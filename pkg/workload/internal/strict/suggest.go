package strict

import (
	"fmt"
	"strings"
)

// DidYouMean suggests the name that was meant: "did you mean `warmup`?". Where none is near enough it lists them all
// after the intro: "the fields are a, b and c".
func DidYouMean(got string, names []string, intro string) string {
	if name, ok := nearest(got, names); ok {
		return fmt.Sprintf("did you mean `%s`?", name)
	}
	if len(names) == 0 {
		return "there are none"
	}
	return intro + " " + strings.Join(names, ", ")
}

// nearest is the name that a typing mistake turned into got: one change for a short word, a third of its letters for a
// long one; or the only name that got is a part of, or that is a part of got: base_url for url.
func nearest(got string, names []string) (string, bool) {
	got = fold(got)
	if got == "" || len(got) > 64 {
		return "", false
	}
	best, least := "", max(1, len(got)/3)+1
	for _, name := range names {
		if d := distance(got, fold(name)); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best, true
	}
	var partly []string
	for _, name := range names {
		f := fold(name)
		if min(len(got), len(f)) >= 3 && (strings.Contains(f, got) || strings.HasSuffix(got, f)) {
			partly = append(partly, name)
		}
	}
	if len(partly) == 1 {
		return partly[0], true
	}
	return "", false
}

// fold makes max-tokens, maxTokens and max_tokens alike.
func fold(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == ' ' {
			return -1
		}
		return c
	}, strings.ToLower(s))
}

// distance is how many letters must be changed, added, removed or swapped with their neighbour to make a into b
// (optimal string alignment, Boytsov 2011).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(y) > 64 {
		return len(y)
	}
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
