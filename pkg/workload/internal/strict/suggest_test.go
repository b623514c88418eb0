package strict

import (
	"strings"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	fields := []string{"name", "warmup", "measure", "max_tokens", "max_tokens_field", "url", "key_env"}
	for _, c := range []struct{ got, want string }{
		{"warmpu", "did you mean `warmup`?"},
		{"Warm-Up", "did you mean `warmup`?"},
		{"maxTokens", "did you mean `max_tokens`?"},
		{"base_url", "did you mean `url`?"},
		{"uri", "did you mean `url`?"},
		{"tokens_field", "did you mean `max_tokens_field`?"},
		{"keyenv", "did you mean `key_env`?"},
		{"tokens", "they are " + strings.Join(fields, ", ")}, // a part of two
		{"xyz", "they are " + strings.Join(fields, ", ")},
		{"", "they are " + strings.Join(fields, ", ")},
		{strings.Repeat("warmup", 20), "they are " + strings.Join(fields, ", ")},
	} {
		if got := DidYouMean(c.got, fields, "they are"); got != c.want {
			t.Errorf("%q: %s, want %s", c.got, got, c.want)
		}
	}
	if got := DidYouMean("x", nil, "they are"); got != "there are none" {
		t.Errorf("of none: %s", got)
	}
}

// TestDistance: against the definition, a search through all ways of editing.
func TestDistance(t *testing.T) {
	words := []string{"", "a", "b", "ab", "ba", "abc", "acb", "bac", "cab", "abcd", "abdc", "badc", "aabb", "bbaa", "öa", "aö"}
	for _, a := range words {
		for _, b := range words {
			if got, want := distance(a, b), editsBetween([]rune(a), []rune(b)); got != want {
				t.Errorf("%q to %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if got := distance("a", strings.Repeat("x", 65)); got != 65 {
		t.Errorf("a long word: %d", got)
	}
}

// editsBetween counts the fewest edits by trying each of them on the last letters.
func editsBetween(a, b []rune) int {
	m, n := len(a), len(b)
	if m == 0 || n == 0 {
		return m + n
	}
	changed := 1
	if a[m-1] == b[n-1] {
		changed = 0
	}
	least := min(editsBetween(a[:m-1], b)+1, editsBetween(a, b[:n-1])+1, editsBetween(a[:m-1], b[:n-1])+changed)
	if m > 1 && n > 1 && a[m-1] == b[n-2] && a[m-2] == b[n-1] {
		least = min(least, editsBetween(a[:m-2], b[:n-2])+1)
	}
	return least
}
