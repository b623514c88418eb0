package figure

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Seconds writes a round number of seconds for an axis: 1 µs, 20 ms, 5 s.
func Seconds(v float64) string {
	switch a := math.Abs(v); {
	case v == 0:
		return "0"
	case a < 0.9995e-3:
		return Short(v*1e6) + " µs"
	case a < 0.9995:
		return Short(v*1e3) + " ms"
	default:
		return Short(v) + " s"
	}
}

// Short writes v with at most four significant digits and no exponent.
func Short(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	digits := 3 - int(math.Floor(math.Log10(math.Abs(v))))
	if digits < 0 {
		digits = 0
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// clean replaces what XML forbids and what would move the pen: control characters, lone surrogates and the like.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r&0xfffe == 0xfffe || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '�'
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}
