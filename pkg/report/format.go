package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// absent stands for a value that is not there. Missing is never 0.
const absent = "—"

// Seconds writes a time with three significant digits in the unit that fits: 12.3 µs, 999 ms, 1.00 s. It shows whole
// nanoseconds at best, as stamps are. What is not a number is absent.
func Seconds(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return absent
	}
	switch a := math.Abs(v); {
	case a < 0.5e-9:
		return "0 s"
	case a < 0.9995e-6:
		return strconv.FormatFloat(v*1e6, 'f', 3, 64) + " µs"
	}
	for _, u := range []struct {
		unit  string
		scale float64
	}{{" µs", 1e6}, {" ms", 1e3}} {
		s := digits3(v * u.scale)
		if f, _ := strconv.ParseFloat(s, 64); math.Abs(f) < 1000 { // 999.6 µs rounds to 1000: the next unit's 1.00
			return s + u.unit
		}
	}
	return digits3(v) + " s"
}

// digits3 writes v with three significant digits and no exponent.
func digits3(v float64) string {
	if v == 0 {
		return "0"
	}
	for range 2 { // rounding may carry into a new digit, once
		e := int(math.Floor(math.Log10(math.Abs(v))))
		step := math.Pow10(e - 2)
		if e > 2 {
			v = math.Round(v/step) * step
		}
		s := strconv.FormatFloat(v, 'f', max(2-e, 0), 64)
		f, _ := strconv.ParseFloat(s, 64)
		if int(math.Floor(math.Log10(math.Abs(f)))) == e {
			return s
		}
		v = f
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// number writes a plain figure with three significant digits, thousands set apart.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return absent
	}
	return thousands(digits3(v))
}

// perSecond writes a rate.
func perSecond(v float64) string {
	s := number(v)
	if s == absent {
		return s
	}
	return s + "/s"
}

// count writes a whole number, thousands set apart.
func count(n int64) string { return thousands(strconv.FormatInt(n, 10)) }

// thousands puts commas into a number of five digits or more.
func thousands(s string) string {
	sign, rest := "", s
	if strings.HasPrefix(s, "-") {
		sign, rest = "-", s[1:]
	}
	whole, frac, dot := strings.Cut(rest, ".")
	if len(whole) < 5 {
		return s
	}
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if dot {
		b.WriteByte('.')
	}
	return sign + b.String() + frac
}

// percent writes a share of 0 to 1. It says 0% and 100% only where that is exactly so.
func percent(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return absent
	case v == 0:
		return "0%"
	case v == 1:
		return "100%"
	}
	for decimals := 1; decimals <= 4; decimals++ {
		s := strconv.FormatFloat(v*100, 'f', decimals, 64)
		if f, _ := strconv.ParseFloat(s, 64); f != 0 && f != 100 {
			return s + "%"
		}
	}
	if v > 0 && v < 0.5 {
		return "<0.0001%"
	}
	if v > 0 && v < 1 {
		return ">99.9999%"
	}
	return strconv.FormatFloat(v*100, 'f', 1, 64) + "%"
}

// mebibytes writes a size in MiB.
func mebibytes(n int64) string { return number(float64(n)/(1<<20)) + " MiB" }

// span writes a configured duration, as a scenario would.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// optional applies write to a value that may be missing.
func optional(v *float64, write func(float64) string) string {
	if v == nil {
		return absent
	}
	return write(*v)
}
