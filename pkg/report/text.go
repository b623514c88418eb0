package report

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// printable strips what could move a cursor, change a colour or reorder text: a terminal obeys what a server wrote
// otherwise. Line breaks become blanks.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case r == utf8.RuneError || r&0xfffe == 0xfffe || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// firstClause is s up to its first colon: a label without its explanation.
func firstClause(s string) string {
	head, _, _ := strings.Cut(s, ":")
	return head
}

// width is how many columns s takes on a terminal.
func width(s string) int { return uniseg.StringWidth(s) }

// shorten cuts s to at most n columns, its end marked.
func shorten(s string, n int) string {
	if width(s) <= n {
		return s
	}
	var b strings.Builder
	used := 0
	g := uniseg.NewGraphemes(s)
	for g.Next() {
		if used += g.Width(); used > n-1 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}

// wrap breaks s at blanks into lines of at most n columns; a longer word is cut.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for width(word) > n {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head, tail := cut(word, n)
			lines, word = append(lines, head), tail
		}
		switch {
		case word == "":
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// cut splits s after at most n columns, but never before the first character.
func cut(s string, n int) (head, tail string) {
	used, at := 0, 0
	g := uniseg.NewGraphemes(s)
	for g.Next() {
		if used += g.Width(); used > n && at > 0 {
			break
		}
		_, at = g.Positions()
	}
	return s[:at], s[at:]
}

func padLeft(s string, n int) string {
	if d := n - width(s); d > 0 {
		return strings.Repeat(" ", d) + s
	}
	return s
}

func padRight(s string, n int) string {
	if d := n - width(s); d > 0 {
		return s + strings.Repeat(" ", d)
	}
	return s
}
