package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// CheckTerminal writes the verdict of a gate for a terminal, with the comparison behind it.
func CheckTerminal(w io.Writer, c *analyze.Check, width int, color bool) error {
	b := bufio.NewWriter(w)
	s := screen{w: b, width: max(width, 60), color: color}
	s.line("")
	s.line(s.style(strings.ToUpper(c.Verdict), toneStyle(c.Verdict)) + "  " + printable(c.Comparison.Candidate) + " against " + printable(c.Comparison.Baseline))
	for _, r := range c.Results {
		s.paragraph(fmt.Sprintf("%s: %s: %s; allowed: %s", strings.ToUpper(r.Verdict), r.Name, orAbsent(r.Why), r.Allowed), 2, 4)
	}
	if note := looksNote(c); note != "" {
		s.paragraph(note, 2, 4)
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return CompareTerminal(w, []*analyze.Comparison{c.Comparison}, width, color)
}

// looksNote says that a check is one of several looks; empty where it is the only one.
func looksNote(c *analyze.Check) string {
	if c.Looks < 2 {
		return ""
	}
	return fmt.Sprintf("One of %d looks, which share the error that the policy allows: the intervals of each are of %.9g%%.", c.Looks, 100*c.Comparison.Confidence)
}

func toneStyle(verdict string) string {
	switch verdict {
	case analyze.Pass:
		return green
	case analyze.Fail:
		return red
	}
	return yellow
}

// CheckMarkdown writes the verdict of a gate as a comment on a pull request has it: the verdict, a line for each gate, and the
// comparison folded away behind it.
func CheckMarkdown(w io.Writer, c *analyze.Check) error {
	b := bufio.NewWriter(w)
	sign := map[string]string{analyze.Pass: "✅", analyze.Fail: "❌"}
	mark := func(verdict string) string {
		if s := sign[verdict]; s != "" {
			return s + " " + verdict
		}
		return "❔ " + verdict
	}
	fmt.Fprintf(b, "### infbench check: %s\n\n%s against %s, %s\n\n", mark(c.Verdict), escapeMarkdown(c.Comparison.Candidate), escapeMarkdown(c.Comparison.Baseline), blocksUsed(c.Comparison))
	fmt.Fprintf(b, "| | verdict | found | allowed |\n|---|---|---|---|\n")
	for _, r := range c.Results {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escapeMarkdown(r.Name), mark(r.Verdict), escapeMarkdown(orAbsent(r.Why)), escapeMarkdown(r.Allowed))
	}
	if note := looksNote(c); note != "" {
		fmt.Fprintf(b, "\n%s\n", note)
	}
	fmt.Fprintf(b, "\n<details><summary>All figures</summary>\n\n")
	if err := b.Flush(); err != nil {
		return err
	}
	if err := CompareMarkdown(w, []*analyze.Comparison{c.Comparison}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n</details>\n")
	return err
}

// blocksUsed are the blocks of both sides; of paired ones, the pairs that the figures are of.
func blocksUsed(c *analyze.Comparison) string {
	used := fmt.Sprintf("blocks: %d of the candidate, %d of the baseline", c.CandidateBlocks, c.BaselineBlocks)
	if c.Paired {
		pairs := 0 // a figure that a block lacks is of none
		for i := range c.Figures {
			pairs = max(pairs, c.Figures[i].Blocks)
		}
		used += fmt.Sprintf("; pairs used: %d", pairs)
	}
	return used
}

// CheckGitHub writes annotations as GitHub's workflow commands: an error for what fails, a warning for what cannot be told, a
// notice for the verdict.
func CheckGitHub(w io.Writer, c *analyze.Check) error {
	b := bufio.NewWriter(w)
	for _, r := range c.Results {
		level := map[string]string{analyze.Fail: "error", analyze.CannotTell: "warning"}[r.Verdict]
		if level != "" {
			fmt.Fprintf(b, "::%s title=%s::%s\n", level, escapeProperty("infbench: "+r.Name), escapeData(fmt.Sprintf("%s: %s; allowed: %s", r.Verdict, r.Why, r.Allowed)))
		}
	}
	fmt.Fprintf(b, "::notice title=infbench check::%s\n", escapeData(fmt.Sprintf("%s: %s against %s", c.Verdict, c.Comparison.Candidate, c.Comparison.Baseline)))
	return b.Flush()
}

// escapeData and escapeProperty are what GitHub's workflow commands ask of a message and of a property.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}

// The elements of JUnit's XML, as far as readers agree on them.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
}

// CheckJUnit writes a test case for each gate. What cannot be told is an error and not skipped: readers take what is skipped
// for a pass.
func CheckJUnit(w io.Writer, c *analyze.Check) error {
	s := junitSuite{Name: "infbench check: " + c.Comparison.Candidate + " against " + c.Comparison.Baseline, Tests: len(c.Results)}
	for _, r := range c.Results {
		one := junitCase{Class: "infbench." + c.Comparison.Candidate, Name: r.Name, Out: r.Why + "; allowed: " + r.Allowed}
		switch r.Verdict {
		case analyze.Fail:
			s.Failures++
			one.Failure = &junitMessage{r.Why + "; allowed: " + r.Allowed, r.Verdict}
		case analyze.CannotTell:
			s.Errors++
			one.Error = &junitMessage{r.Why + "; allowed: " + r.Allowed, r.Verdict}
		}
		s.Cases = append(s.Cases, one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
