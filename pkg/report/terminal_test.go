package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
)

func screenOf(t *testing.T, a *analyze.Analysis, width int, color bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := Terminal(&b, a, width, color); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// runs are the shapes of run that every form of the report is held against.
func runs() map[string]*analyze.Analysis {
	closed := synthetic(0.15)
	closed.Summary.Schedule.OpenLoop, closed.Summary.Workload.Asked = false, nil
	closed.Summary.Run.State = "incomplete"
	return map[string]*analyze.Analysis{
		"whole":   synthetic(1),
		"short":   bare(invalid(synthetic(0.1)), "never-answered"),
		"closed":  closed,
		"mixed":   mixed(lastTwo(synthetic(0.5))),
		"nothing": {Summary: &analyze.Summary{}},
	}
}

func TestTerminalGolden(t *testing.T) {
	for name, a := range runs() {
		for _, w := range []int{80, 120} {
			golden(t, fmt.Sprintf("terminal-%s-%d.txt", name, w), []byte(screenOf(t, a, w, false)))
		}
	}
	golden(t, "terminal-whole-color.txt", []byte(screenOf(t, synthetic(1), 80, true)))
}

func TestTerminalKeepsItsWidth(t *testing.T) {
	long := synthetic(0.1)
	long.Summary.Approaches[0].Name = "a-very-long-name-of-an-approach-that-nobody-should-choose-but-somebody-will"
	long.Summary.Approaches[1].Name = "日本語の名前の長いアプローチ"
	long.Summary.Approaches[2].SLO[0].Why = strings.Repeat("x", 300)
	for i := range 5 {
		bare(long, fmt.Sprintf("more-%d", i))
	}
	for name, a := range map[string]*analyze.Analysis{"whole": synthetic(1), "long": long} {
		for _, w := range []int{40, 60, 80, 100, 200} {
			for i, line := range strings.Split(screenOf(t, a, w, false), "\n") {
				if got := width(line); got > w {
					t.Errorf("%s: line %d is %d columns wide, asked for %d: %q", name, i+1, got, w, line)
				}
			}
		}
	}
}

func TestTerminalColorOnlyWhenAsked(t *testing.T) {
	without, with := screenOf(t, synthetic(1), 80, false), screenOf(t, synthetic(1), 80, true)
	if strings.Contains(without, "\x1b") {
		t.Error("escape sequences without being asked for colour")
	}
	if !strings.Contains(with, "\x1b[31m") {
		t.Error("no colour where it was asked for")
	}
}

func TestTerminalDefusesForeignText(t *testing.T) {
	a := synthetic(0.1)
	a.Summary.Approaches[0].Errors[endpoint.HTTPStatus] = 1
	a.Summary.Approaches[0].ErrorExamples = map[endpoint.Class]string{endpoint.HTTPStatus: "\x1b]0;owned\x07\x1b[2J\u202eabc\r\nnext\x9b31m"}
	a.Summary.Approaches[1].Name = "evil\x1b[31m"
	a.Summary.Validity.Reasons[0].Text = "\x1b[2Jgone"
	for i, r := range screenOf(t, a, 80, false) {
		if r == '\x1b' || r == '\a' || r == '\r' || r == '\u202e' || r == '\u009b' {
			t.Fatalf("the screen holds %U at %d", r, i)
		}
	}
}

func TestTerminalSaysWhatMustBeKnown(t *testing.T) {
	closed := runs()["closed"]
	for _, want := range []string{"SIMULATED", "INCOMPLETE", "CLOSED LOOP"} {
		if got := screenOf(t, closed, 80, false); !strings.Contains(got, want) {
			t.Errorf("the screen does not say %s", want)
		}
	}
	if got := screenOf(t, runs()["short"], 80, false); !strings.Contains(got, "INTERRUPTED") || !strings.Contains(got, "INVALID") || !strings.Contains(got, tooSmall) {
		t.Error("the screen of a short, invalid, interrupted run does not say so")
	}
	real := synthetic(0.1)
	for i := range real.Summary.Approaches {
		real.Summary.Approaches[i].Simulated = false
	}
	if got := screenOf(t, real, 80, false); strings.Contains(got, "SIMULATED") {
		t.Error("a run of real endpoints is called simulated")
	}
}

func TestTerminalErrors(t *testing.T) {
	if err := Terminal(&bytes.Buffer{}, nil, 80, false); err == nil {
		t.Error("no error for no analysis")
	}
	if err := Terminal(failingWriter{}, synthetic(0.1), 80, false); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

var errDisk = errors.New("disk full")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errDisk }

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want []string
	}{
		{"", 10, nil},
		{"one two three", 7, []string{"one two", "three"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"a abcdefgh b", 4, []string{"a", "abcd", "efgh", "b"}},
		{"日本語", 2, []string{"日", "本", "語"}},
		{"日本", 1, []string{"日", "本"}}, // wider than the line: still one at a time
	} {
		got := wrap(c.in, c.n)
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
