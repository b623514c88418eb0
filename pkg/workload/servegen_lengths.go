package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// clientLength draws the lengths of a ServeGen client from distributions that change with the time. It holds those of
// one time only, since a client's file can be large.
type clientLength struct {
	name    string
	dec     *json.Decoder
	close   func()
	current lengthWindow // in force
	next    lengthWindow // in force from its offset on
	more    bool         // whether there is a next one
}

type lengthWindow struct {
	from          time.Duration
	input, output lengthLaw
}

// empty says that nothing was sent in the window, or that the file leaves it out.
func (w *lengthWindow) empty() bool { return len(w.input.values) == 0 || len(w.output.values) == 0 }

// openLengths opens a client's lengths. A client without the file has none: the result is nil.
func openLengths(path string) (*clientLength, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, done, err := decompress(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	l, err := newClientLength(text, filepath.Base(path))
	if err != nil {
		f.Close()
		return nil, err
	}
	l.close = func() { done(); f.Close() }
	return l, nil
}

// newClientLength reads up to the first distributions.
func newClientLength(r io.Reader, name string) (*clientLength, error) {
	l := &clientLength{name: name, dec: json.NewDecoder(r), close: func() {}}
	if t, err := l.dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%s: want a JSON object of windows, such as {\"0\": {\"input_tokens\": \"{374: 1.0}\", \"output_tokens\": \"{8: 1.0}\"}}", name)
	}
	l.next.from = -1
	l.more = true
	for l.more && l.current.empty() {
		if err := l.step(); err != nil {
			return nil, err
		}
	}
	if l.current.empty() {
		return nil, fmt.Errorf("%s holds no lengths: remove it, or fetch it again", name)
	}
	return l, nil
}

// step puts the next distributions in force, unless they are empty, and reads those after them.
func (l *clientLength) step() error {
	if !l.next.empty() {
		l.current = l.next
	}
	if !l.dec.More() {
		l.more = false
		if _, err := l.dec.Token(); err != nil {
			return l.broken(err)
		}
		return nil
	}
	key, err := l.dec.Token()
	if err != nil {
		return l.broken(err)
	}
	var text struct {
		Input  string `json:"input_tokens"`
		Output string `json:"output_tokens"`
	}
	if err := l.dec.Decode(&text); err != nil {
		return l.broken(err)
	}
	clock := traceClock{column: "the window", unit: "s"}
	from, err := clock.read(fmt.Sprint(key))
	if err == nil && from <= l.next.from {
		err = errors.New("it is not after the window before: sort the windows by time")
	}
	w := lengthWindow{from: from}
	if err == nil {
		w.input, err = parseLaw(text.Input)
	}
	if err == nil {
		w.output, err = parseLaw(text.Output)
	}
	if err != nil {
		return fmt.Errorf("%s: window %s: %w", l.name, clip(fmt.Sprint(key)), err)
	}
	l.next = w
	return nil
}

func (l *clientLength) broken(err error) error {
	return fmt.Errorf("%s: after byte %d: %w: complete the file, or fetch it again", l.name, l.dec.InputOffset(), err)
}

// draw takes lengths from the distributions in force at a time, which must not be before that of the call before.
// Where they are empty, those before them stay in force.
func (l *clientLength) draw(at time.Duration, r *stat.Rand) (input, output int, err error) {
	for l.more && l.next.from <= at {
		if err := l.step(); err != nil {
			return 0, 0, err
		}
	}
	return l.current.input.draw(r), l.current.output.draw(r), nil
}

// lengthLaw is a distribution of token counts.
type lengthLaw struct {
	values []int
	upTo   []float64 // the sum of the weights up to each value
}

func (l *lengthLaw) draw(r *stat.Rand) int {
	u := float64(r.Float64() * l.upTo[len(l.upTo)-1])
	return l.values[min(sort.SearchFloat64s(l.upTo, u), len(l.values)-1)]
}

// parseLaw reads a Python dict literal of lengths and their probabilities: {374: 0.25, 375: 0.75}.
func parseLaw(text string) (lengthLaw, error) {
	const form = "want lengths and probabilities such as {374: 0.25, 375: 0.75}"
	var l lengthLaw
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed {
		return l, fmt.Errorf("%q: %s", clip(text), form)
	}
	if inner = strings.TrimSpace(inner); inner == "" {
		return l, nil
	}
	var sum float64
	for entry := range strings.SplitSeq(inner, ",") {
		if strings.TrimSpace(entry) == "" {
			continue // after the last comma
		}
		length, weight, ok := strings.Cut(entry, ":")
		if !ok {
			return l, fmt.Errorf("%q: %s", clip(entry), form)
		}
		n, err := tokens(strings.TrimSpace(length))
		if err != nil {
			return l, fmt.Errorf("a length %w", err)
		}
		p, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		if err != nil || !(p >= 0 && p <= 1.01) {
			return l, fmt.Errorf("the probability of %d tokens is %q, want 0 to 1: correct it", n, clip(strings.TrimSpace(weight)))
		}
		sum += p
		l.values, l.upTo = append(l.values, n), append(l.upTo, sum)
	}
	if !(sum > 0.99 && sum < 1.01) {
		return l, fmt.Errorf("the probabilities sum to %.4g, want 1: the window is not whole", sum)
	}
	return l, nil
}
