package workload

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// RateCurve is a rate over time that a file holds: a CSV with the columns time in seconds and requests per second, with or
// without a header. A rate holds until the time of the next line, the last one for as long as the one before. The part
// [From, From+For) of it is fitted into the measure phase, stretched or compressed. Where the scenario has a base rate, that
// is its mean; else the rates are taken as they stand.
type RateCurve struct {
	Path string `yaml:"path" json:"path" jsonschema:"required,minLength=1,example=day.csv"`
	// From skips the first part of the curve, in the curve's own time.
	From Duration `yaml:"from,omitempty" json:"from,omitempty"`
	// For is how much of the curve is taken, in its own time. Default: to its end.
	For Duration `yaml:"for,omitempty" json:"for,omitempty" jsonschema:"exclusiveMinimum=0,example=24h"`
}

// String says in words what the shape is.
func (c *RateCurve) String() string {
	text := "curve " + c.Path
	if c.For > 0 {
		text += fmt.Sprintf(", %v", c.For.D())
	}
	if c.From > 0 {
		text += fmt.Sprintf(" from %v", c.From.D())
	}
	return text
}

// maxCurve bounds how many rates a curve has.
const maxCurve = 1_000_000

// rateWindow is a rate that holds over a stretch of a curve, in seconds from the first line's time.
type rateWindow struct{ from, to, rate float64 }

// readRateCurve reads a whole curve. An error names file and line.
func readRateCurve(r io.Reader, name string) ([]rateWindow, error) {
	text, done, err := decompress(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer done()
	lines := newLineReader(text, name)
	var windows []rateWindow
	var first, last float64
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		at, rate, err := rateLine(string(line))
		switch {
		case err != nil && lines.line == 1 && len(windows) == 0 && !startsWithDigit(string(line)):
			continue // the header
		case err != nil:
			return nil, lines.mistake("%w", err)
		case len(windows) == 0:
			first = at
		case at <= last:
			return nil, lines.mistake("time %g is not after that of the line before, %g: sort the lines by time", at, last)
		case len(windows) == maxCurve:
			return nil, lines.mistake("more than %d rates: join neighbouring ones", maxCurve)
		}
		if n := len(windows); n > 0 {
			windows[n-1].to = at - first
		}
		windows = append(windows, rateWindow{from: at - first, rate: rate})
		last = at
	}
	n := len(windows)
	if n < 2 {
		return nil, fmt.Errorf("%s has %d rates: a curve has two lines or more, such as 0,12.5 and 600,14", name, n)
	}
	windows[n-1].to = windows[n-1].from + (windows[n-2].to - windows[n-2].from)
	return windows, nil
}

func startsWithDigit(s string) bool {
	s = strings.TrimLeft(s, " \"+-.")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// rateLine reads seconds and a rate.
func rateLine(line string) (at, rate float64, err error) {
	first, second, ok := strings.Cut(line, ",")
	if !ok || strings.Contains(second, ",") {
		return 0, 0, fmt.Errorf("%q is not a time and a rate, such as 600,14.5: correct or remove the line", clip(line))
	}
	number := func(what, text string, most float64) (v float64, err error) {
		text = strings.Trim(text, ` "`)
		if v, err = strconv.ParseFloat(text, 64); err != nil || !(v >= 0 && v <= most) {
			return 0, fmt.Errorf("the %s is %q, want 0 to %g: correct or remove the line", what, clip(text), most)
		}
		return v, nil
	}
	if at, err = number("time", first, maxCurveTime); err != nil {
		return 0, 0, err
	}
	rate, err = number("rate", second, maxCurveRate)
	return at, rate, err
}

const (
	maxCurveTime = 1e10 // s: a time stamp of seconds since 1970 is below
	maxCurveRate = 1e6  // 1/s
)

// steps are the rates of the part of a curve that the scenario names, fitted into the measure phase. With a base rate, that
// is their mean.
func (c *RateCurve) steps(dir string, measure time.Duration, rate float64) ([]Step, error) {
	path := c.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	windows, err := readRateCurve(f, c.Path)
	if err != nil {
		return nil, err
	}
	end := windows[len(windows)-1].to
	from, to := seconds(c.From.D()), end
	if c.For > 0 {
		to = from + seconds(c.For.D())
	}
	if c.From < 0 || from >= end || to > end*(1+1e-12) {
		return nil, fmt.Errorf("%s lasts %v: from %v for %v lies outside of it", c.Path, nanoseconds(end), c.From.D(), c.For.D())
	}
	return fitWindows(windows, from, to, measure, rate), nil
}

// fitWindows gives the windows between from and to as steps that fill the measure phase. What rounds to no time is left out.
func fitWindows(windows []rateWindow, from, to float64, measure time.Duration, rate float64) []Step {
	scale := 1.0
	if rate > 0 {
		sum := 0.0
		for _, w := range windows {
			sum += float64(w.rate * max(0, min(w.to, to)-max(w.from, from)))
		}
		if sum > 0 {
			scale = rate * (to - from) / sum
		}
	}
	place := func(t float64) time.Duration {
		return time.Duration(math.Floor(float64((t-from)/(to-from)*float64(measure)) + 0.5))
	}
	var steps []Step
	for _, w := range windows {
		if length := place(min(w.to, to)) - place(max(w.from, from)); length > 0 {
			steps = append(steps, Step{For: Duration(length), Rate: Rate(float64(w.rate * scale))})
		}
	}
	return steps
}
