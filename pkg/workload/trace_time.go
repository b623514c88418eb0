package workload

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The units of a trace's times. A number counts from any origin, such as the Unix epoch: only differences are used.
var timeUnits = map[string]time.Duration{"s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond}

// latest bounds times, so that their differences do not overflow: the year 2200, counted from 1970.
const latest = 230 * 365 * 24 * time.Hour

// traceClock reads the times of one file.
type traceClock struct {
	column string // what errors call it
	unit   string // of timeUnits, or rfc3339
	zoned  *bool  // whether times of day carry a zone, as the first row says
}

// read gives a time as the duration since its origin.
func (c *traceClock) read(text string) (time.Duration, error) {
	unit, isNumber := timeUnits[c.unit]
	if !isNumber {
		return c.date(text)
	}
	at, err := decimal(text, unit)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is %q, want a number of %s; correct or remove the row", c.column, clip(text), c.unit)
	case at < 0:
		return 0, fmt.Errorf("%s is %s, before the trace's time 0: add the same number to all times", c.column, clip(text))
	case at > latest:
		return 0, fmt.Errorf("%s is %s %s, more than 230 years: correct the row, or the unit", c.column, clip(text), c.unit)
	}
	return at, nil
}

// date reads a time with or without a zone, in the forms of RFC 3339 and of both Azure releases. Without a zone it counts
// as UTC.
func (c *traceClock) date(text string) (time.Duration, error) {
	form := strings.Replace(text, "T", " ", 1)
	layout := "2006-01-02 15:04:05"
	zoned := strings.ContainsAny(form[min(len(layout), len(form)):], "Z+-")
	if zoned {
		layout += "Z07:00"
	}
	at, err := time.Parse(layout, form)
	if err != nil || at.Year() < 1970 || at.Year() >= 2200 {
		return 0, fmt.Errorf("%s is %q, want a time such as 2023-11-16 18:15:46.6805900 or 2024-05-10 00:00:00.009930+00:00", c.column, clip(text))
	}
	if c.zoned == nil {
		c.zoned = &zoned
	}
	if *c.zoned != zoned {
		return 0, fmt.Errorf("time %s: either all times of a trace carry a zone or none does", clip(text))
	}
	return time.Duration(at.UnixNano()), nil
}

// decimal reads a number of units, exactly as long as it has no exponent. What is below a nanosecond is cut off. Beyond
// what a Duration holds it is the largest.
func decimal(text string, unit time.Duration) (time.Duration, error) {
	if !isNumber(text) {
		return 0, errors.New("not a number")
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.ContainsAny(text, "eE") || len(whole) > 17 {
		v, err := strconv.ParseFloat(text, 64)
		if v *= float64(unit); err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(v) {
			return 0, errors.New("not a number")
		}
		const limit = 9.2e18 // less than what a Duration holds
		return time.Duration(min(max(v, -limit), limit)), nil
	}
	negative := strings.HasPrefix(whole, "-")
	n, _ := strconv.ParseInt(strings.TrimLeft(whole, "+-")+"0", 10, 64) // "" is 0; 18 digits fit
	n /= 10
	if n > int64(math.MaxInt64/unit)-1 {
		return math.MaxInt64, nil
	}
	at := time.Duration(n) * unit
	for _, d := range fraction {
		unit /= 10
		at += time.Duration(d-'0') * unit
	}
	if negative {
		at = -at
	}
	return at, nil
}
