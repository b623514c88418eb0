package workload

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time with a unit in the file: 300ms, 30s, 2m, 1h30m. It is never negative there.
type Duration time.Duration

// D converts to the standard type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Rate is requests per second; in the file it carries its unit: 4/s, 240/min, 1000/h.
type Rate float64

// unitError is what is wrong with a text that stands for a value, and what to write instead.
type unitError struct{ problem, remedy string }

func (e *unitError) Error() string  { return e.problem + ": " + e.remedy }
func (e *unitError) Remedy() string { return e.remedy }

// Problem is the error without the remedy.
func (e *unitError) Problem() string { return e.problem }

const durationRemedy = "durations carry a unit: 30s, 500ms, 2m, 1h30m"

// String is the shortest text that UnmarshalText reads as the same duration: 1h30m, 500ms, 1.5s.
func (d Duration) String() string {
	text := strings.Replace(time.Duration(d).String(), "µ", "u", 1)
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText gives String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 30s, 500ms or 1h30m. A number without a unit and a negative duration are errors.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	v, err := time.ParseDuration(s)
	switch {
	case err != nil && isNumber(s), err == nil && isNumber(s): // ParseDuration takes a bare 0
		return &unitError{clip(s) + " has no unit", fmt.Sprintf("durations carry a unit: write %[1]ss, %[1]sms or %[1]sm", clip(s))}
	case err != nil:
		return &unitError{fmt.Sprintf("%q is not a duration", clip(s)), durationAdvice(s)}
	case strings.HasPrefix(s, "-"):
		return &unitError{clip(s) + " is negative", "give a duration of 0s or more"}
	}
	*d = Duration(v)
	return nil
}

// durationAdvice finds the unit that was meant, if the text is one number and a word.
func durationAdvice(s string) string {
	number, unit := splitUnit(s)
	if number == "" {
		return durationRemedy
	}
	switch strings.ToLower(unit) {
	case "ms", "s", "m", "h", "us", "ns": // right but for a space or a capital
		return fmt.Sprintf("did you mean `%s%s`?", number, strings.ToLower(unit))
	case "sec", "secs", "second", "seconds":
		return fmt.Sprintf("did you mean `%ss`?", number)
	case "min", "mins", "minute", "minutes":
		return fmt.Sprintf("did you mean `%sm`?", number)
	case "hr", "hrs", "hour", "hours":
		return fmt.Sprintf("did you mean `%sh`?", number)
	case "msec", "millis", "millisecond", "milliseconds":
		return fmt.Sprintf("did you mean `%sms`?", number)
	case "d", "day", "days":
		if n, err := strconv.ParseFloat(number, 64); err == nil && n < 1e6 {
			return fmt.Sprintf("the longest unit is h: write %sh", formatFloat(24*n))
		}
	case "/s", "/min", "/h":
		return "this is a rate; " + durationRemedy
	}
	return durationRemedy
}

// perSecond is how many seconds each unit of a rate is.
var perSecond = []struct {
	unit    string
	seconds float64
}{{"s", 1}, {"min", 60}, {"h", 3600}}

// space is what may stand around the parts of a value. It is spelt out, because Go, Go's regular expressions and those of
// JSON Schema each call something else white.
const space = " \t"

func trim(s string) string { return strings.Trim(s, space) }

const rateRemedy = "rates carry a unit: 4/s, 240/min, 1000/h"

// String is a text that UnmarshalText reads as the same rate, in the unit that needs the fewest digits.
func (r Rate) String() string {
	best, unit := formatFloat(float64(r)), "s"
	for _, u := range perSecond[1:] {
		n := float64(r) * u.seconds
		if text := formatFloat(n); n/u.seconds == float64(r) && digits(text) < digits(best) {
			best, unit = text, u.unit
		}
	}
	return best + "/" + unit
}

// digits counts the digits of a decimal, without leading zeros.
func digits(s string) int { return len(strings.ReplaceAll(strings.TrimLeft(s, "0."), ".", "")) }

// MarshalText gives String.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads 4/s, 240/min or 1000/h. A number without a unit and a negative rate are errors.
func (r *Rate) UnmarshalText(text []byte) error {
	s := string(text)
	number, unit, found := strings.Cut(s, "/")
	number, unit = trim(number), trim(unit)
	if !found {
		if isNumber(s) {
			return &unitError{clip(s) + " has no unit", fmt.Sprintf("rates carry a unit: write %[1]s/s, %[1]s/min or %[1]s/h", clip(s))}
		}
		return &unitError{fmt.Sprintf("%q is not a rate", clip(s)), rateRemedy}
	}
	if !isNumber(number) {
		return &unitError{fmt.Sprintf("%q is not a rate", clip(s)), rateRemedy}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(v, 0) {
		return &unitError{fmt.Sprintf("%q is too large a number", clip(s)), rateRemedy}
	}
	for _, u := range perSecond {
		if u.unit != unit {
			continue
		}
		if math.Signbit(v) {
			return &unitError{clip(s) + " is negative", "give a rate of 0/s or more"}
		}
		*r = Rate(v / u.seconds)
		return nil
	}
	meant := map[string]string{"sec": "s", "second": "s", "m": "min", "minute": "min", "hr": "h", "hour": "h", "S": "s"}
	if u, ok := meant[unit]; ok {
		return &unitError{fmt.Sprintf("%q has an unknown unit", clip(s)), fmt.Sprintf("did you mean `%s/%s`?", number, u)}
	}
	return &unitError{fmt.Sprintf("%q has an unknown unit", clip(s)), rateRemedy}
}

// isNumber reports whether s is a decimal number and nothing else.
func isNumber(s string) bool {
	digits := false
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits = true
		case c == '-' || c == '+':
			if i > 0 && s[i-1] != 'e' && s[i-1] != 'E' {
				return false
			}
		case c == 'e' || c == 'E':
			if !digits {
				return false
			}
		case c != '.':
			return false
		}
	}
	if !digits {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// splitUnit cuts "30 sec" into a number and what follows it; number is empty where there is none.
func splitUnit(s string) (number, unit string) {
	s = trim(s)
	i := strings.IndexFunc(s, func(c rune) bool { return (c < '0' || c > '9') && c != '.' })
	if i <= 0 {
		return "", s
	}
	if number = s[:i]; !isNumber(number) {
		return "", s
	}
	return number, trim(s[i:])
}

// formatFloat is the shortest decimal that reads as the same number, without an exponent where that is readable.
func formatFloat(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e15) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
