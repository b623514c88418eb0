package workload

import (
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// A ServeGen client is two files: its windows and the distributions of its lengths.
const (
	clientWindows = "-trace.csv"
	clientLengths = "-dataset.json"
)

// clientWindow is a stretch in which a client sends at one rate with gaps of one family.
type clientWindow struct {
	from  time.Duration
	rate  float64 // 1/s; 0 for an idle window
	burst Burst
}

// client generates the arrivals of one ServeGen client.
//
// Each window begins anew in equilibrium, like any schedule of this package, so that it holds rate times length arrivals
// in the mean whatever came before it; and it has random numbers of its own, so that a part of the trace is the same
// whether or not the rest is generated.
type client struct {
	name    string
	seed    uint64
	windows []clientWindow
	width   time.Duration
	lengths *clientLength // nil: not recorded

	window int        // the next one to begin
	gaps   gaps       // of the current window; nil before the first
	sum    float64    // operational time in it
	dice   *stat.Rand // of its gaps
	draw   *stat.Rand // of its lengths
	row    TraceRow   // the client's next arrival
	order  int        // among the clients, for arrivals at one time
}

// advance finds the client's next arrival, or gives io.EOF.
func (c *client) advance() error {
	for {
		if c.gaps != nil {
			w := &c.windows[c.window-1]
			if c.row.At = w.from + nanoseconds(linear{start: w.rate}.when(c.sum)); c.row.At < w.from+c.width {
				c.sum += c.gaps.next(c.dice)
				return c.length(w)
			}
			c.gaps = nil
		}
		if c.window == len(c.windows) {
			return io.EOF
		}
		w := &c.windows[c.window]
		c.window++
		if w.rate == 0 {
			continue
		}
		family, err := newGaps(w.burst, w.rate)
		if err != nil {
			return err
		}
		index := uint64(w.from / c.width)
		c.gaps, c.dice, c.draw = family, stat.Keyed(c.seed, "servegen gaps "+c.name, index), stat.Keyed(c.seed, "servegen lengths "+c.name, index)
		c.sum = family.first(c.dice)
	}
}

func (c *client) length(w *clientWindow) (err error) {
	c.row.Input, c.row.Output = unknownTokens, unknownTokens
	if c.lengths != nil {
		c.row.Input, c.row.Output, err = c.lengths.draw(w.from, c.draw)
	}
	return err
}

// clientUnion merges the arrivals of clients by time. It is a heap of those that have one left.
type clientUnion struct {
	clients []*client
	started bool
	rows    int
}

func (u *clientUnion) Len() int { return len(u.clients) }
func (u *clientUnion) Less(i, j int) bool {
	a, b := u.clients[i], u.clients[j]
	return a.row.At < b.row.At || a.row.At == b.row.At && a.order < b.order
}
func (u *clientUnion) Swap(i, j int) { u.clients[i], u.clients[j] = u.clients[j], u.clients[i] }
func (u *clientUnion) Push(x any)    { u.clients = append(u.clients, x.(*client)) }
func (u *clientUnion) Pop() any {
	last := u.clients[len(u.clients)-1]
	u.clients = u.clients[:len(u.clients)-1]
	return last
}

func (u *clientUnion) next() (TraceRow, error) {
	if !u.started {
		u.started = true
		for _, c := range slices.Clone(u.clients) {
			if err := c.advance(); errors.Is(err, io.EOF) {
				u.clients = slices.DeleteFunc(u.clients, func(other *client) bool { return other == c })
			} else if err != nil {
				return TraceRow{}, err
			}
		}
		heap.Init(u)
	}
	if len(u.clients) == 0 {
		return TraceRow{}, io.EOF
	}
	c := u.clients[0]
	u.rows++
	row := c.row
	row.Line = u.rows
	switch err := c.advance(); {
	case errors.Is(err, io.EOF):
		heap.Pop(u)
	case err != nil:
		return TraceRow{}, err
	default:
		heap.Fix(u, 0)
	}
	return row, nil
}

// only leaves out the windows that lie wholly outside of a stretch of the trace's time.
func (u *clientUnion) only(s span) {
	for _, c := range u.clients {
		c.windows = slices.DeleteFunc(c.windows, func(w clientWindow) bool { return w.from >= s.to || w.from+c.width <= s.from })
	}
}

// openServeGen reads the windows of the clients that a path names: a client's file, a folder of them, or a pattern.
func openServeGen(t *Trace, path string, seed uint64) (*TraceFile, error) {
	pattern := path
	if isFolder(path) {
		pattern = filepath.Join(path, "*"+clientWindows)
	}
	files := []string{path}
	if pattern != path || isPattern(path) {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Path, err)
		}
		files = slices.DeleteFunc(found, func(f string) bool { return !strings.HasSuffix(f, clientWindows) })
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no client in %s: a ServeGen client is a file NAME%s, with NAME%s beside it",
			t.Path, clientWindows, clientLengths)
	}
	f := &TraceFile{name: t.Path, format: &traceFormat{name: servegen}, sum: func() (string, error) { return sumOf(files) }}
	union := &clientUnion{}
	for i, file := range files {
		c, err := openClient(file, seed)
		if err != nil {
			f.Close()
			return nil, err
		}
		c.order = i
		if c.lengths != nil {
			f.close = append(f.close, c.lengths.close)
		}
		from, to := c.windows[0].from, c.windows[len(c.windows)-1].from+c.width
		if f.bounds == nil {
			f.bounds = &span{from, to}
		}
		f.bounds = &span{min(f.bounds.from, from), max(f.bounds.to, to)}
		union.clients = append(union.clients, c)
	}
	f.rows = union
	return f, nil
}

// sumOf is the digest of the clients' files one after the other, each with its lengths.
func sumOf(files []string) (string, error) {
	h := sha256.New()
	for _, name := range files {
		for _, name := range []string{name, strings.TrimSuffix(name, clientWindows) + clientLengths} {
			f, err := os.Open(name)
			if errors.Is(err, os.ErrNotExist) {
				continue // a client without lengths
			}
			if err != nil {
				return "", err
			}
			_, err = io.Copy(h, f)
			f.Close()
			if err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func openClient(file string, seed uint64) (*client, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	name := strings.TrimSuffix(filepath.Base(file), clientWindows)
	c := &client{name: name, seed: seed}
	if c.windows, c.width, err = readWindows(f, filepath.Base(file)); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(file, clientWindows) {
		return c, nil
	}
	c.lengths, err = openLengths(strings.TrimSuffix(file, clientWindows) + clientLengths)
	return c, err
}

// isClientLine reports whether the fields are a line of a client's windows.
func isClientLine(fields []string) bool {
	if len(fields) != 6 || !slices.Contains([]string{"", "Gamma", "Weibull"}, fields[3]) {
		return false
	}
	return !slices.ContainsFunc([]string{fields[0], fields[1], fields[2], fields[4], fields[5]}, func(s string) bool { return !isNumber(s) })
}

// readWindows reads a client's windows: offset in s, rate in 1/s, CV, family, and the shape and scale of the fitted law,
// which the CV stands for here. There is no header. Windows are equally long.
func readWindows(r io.Reader, name string) ([]clientWindow, time.Duration, error) {
	text, done, err := decompress(r)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", name, err)
	}
	defer done()
	lines := newLineReader(text, name)
	var windows []clientWindow
	width := 10 * time.Minute // as published; a client of one window does not say
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		w, err := readWindow(string(line))
		if err != nil {
			return nil, 0, lines.mistake("%w", err)
		}
		switch n := len(windows); {
		case n == 0:
		case w.from <= windows[n-1].from:
			return nil, 0, lines.mistake("the window at %v is not after the one before: sort the windows by time", w.from)
		case n == 1:
			width = w.from - windows[0].from
		case w.from-windows[n-1].from != width:
			return nil, 0, lines.mistake("this window begins %v after the one before, others %v: add idle windows", w.from-windows[n-1].from, width)
		}
		windows = append(windows, w)
	}
	if len(windows) == 0 {
		return nil, 0, fmt.Errorf("%s is empty: a ServeGen client has a line for every window, such as 0,1.33,8.6,Weibull,0.375,0.397", name)
	}
	return windows, width, nil
}

func readWindow(line string) (w clientWindow, err error) {
	fields := strings.Split(line, ",")
	if !isClientLine(fields) {
		return w, fmt.Errorf("%q is no window of a ServeGen client, such as 0,1.33,8.6,Weibull,0.375,0.397: correct or remove the line", clip(line))
	}
	clock := traceClock{column: "the offset", unit: "s"}
	if w.from, err = clock.read(fields[0]); err != nil {
		return w, err
	}
	if w.rate, err = strconv.ParseFloat(fields[1], 64); err != nil || !(w.rate >= 0 && w.rate <= 1e6) {
		return w, fmt.Errorf("the rate is %s/s, want 0 to 1000000: correct the line", clip(fields[1]))
	}
	cv, err := strconv.ParseFloat(fields[2], 64)
	if err != nil || w.rate > 0 && !(cv >= 0 && cv <= maxCV) {
		return w, fmt.Errorf("the CV is %s, want 0 to %d: correct the line", clip(fields[2]), maxCV)
	}
	switch {
	case w.rate == 0:
	case cv < minCV:
		w.burst.Constant = &ConstantBurst{}
	case fields[3] == "Weibull":
		w.burst.Weibull = &CVBurst{CV: cv}
	case fields[3] == "Gamma":
		w.burst.Gamma = &CVBurst{CV: cv}
	default:
		return w, errors.New("the window has a rate and no family: write Gamma or Weibull, or make the rate 0")
	}
	return w, nil
}
