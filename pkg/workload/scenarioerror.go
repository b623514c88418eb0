package workload

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// ScenarioError is one mistake in a scenario, with the place where it stands and what to do. No secret is in it.
type ScenarioError struct {
	File string
	// Line and Column are counted from 1; 0 for a mistake in a flag.
	Line, Column int
	// Flag is the flag that brought the mistake in, as it was given; empty for a mistake in the file.
	Flag string
	// Field is the path of the field, such as approaches[1].url; empty where the file is no YAML.
	Field string
	// Problem says what was found, Remedy what to write instead.
	Problem, Remedy string
	// Source is the line of the file.
	Source string
}

// Error is the mistake as compilers show it: the place, the line with a marker, the remedy.
func (e *ScenarioError) Error() string {
	var b strings.Builder
	if e.Flag != "" {
		fmt.Fprintf(&b, "%s: %s: ", e.File, e.Flag)
	} else {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Problem + "\n")
	if e.Flag == "" && e.Source != "" {
		source, before := window(e.Source, e.Column-1)
		margin := fmt.Sprintf("%5d | ", e.Line)
		fmt.Fprintf(&b, "%s%s\n%*s%s^\n", margin, source, len(margin), "| ", strings.Repeat(" ", before))
	}
	b.WriteString("      " + e.Remedy)
	return b.String()
}

// window cuts a long line to what stands around a column, counted from 0, and says how many characters stand before it.
func window(line string, column int) (text string, before int) {
	const width = 110
	runes := []rune(strings.ReplaceAll(strings.TrimRight(line, " \t\r"), "\t", " "))
	column = min(max(column, 0), len(runes))
	if len(runes) <= width {
		return string(runes), column
	}
	from := max(0, min(column-width/2, len(runes)-width))
	text, before = string(runes[from:from+width]), column-from
	if from > 0 {
		text, before = "..."+text, before+3
	}
	if from+width < len(runes) {
		text += "..."
	}
	return text, before
}

// ScenarioErrors are all mistakes in a scenario, by line; those of flags come last. errors.As finds the first.
type ScenarioErrors []*ScenarioError

// Error is every mistake, with an empty line between them.
func (l ScenarioErrors) Error() string {
	var all []string
	for _, e := range l {
		all = append(all, e.Error())
	}
	if len(l) > 1 {
		all = append(all, fmt.Sprintf("%d mistakes in %s", len(l), l[0].File))
	}
	return strings.Join(all, "\n\n")
}

// Unwrap gives the mistakes to errors.As.
func (l ScenarioErrors) Unwrap() []error {
	all := make([]error, len(l))
	for i, e := range l {
		all[i] = e
	}
	return all
}

// scenarioErrors makes the error of a document; nil without mistakes. The secrets that stand in the file by mistake are
// covered, and what looks like one.
func scenarioErrors(doc *strict.Document, name string, secrets []string) error {
	var all ScenarioErrors
	for _, m := range doc.Mistakes() {
		all = append(all, &ScenarioError{File: name, Line: m.Line, Column: m.Column, Field: m.Field, Flag: coverSource(m.Flag, secrets),
			Problem: coverSource(m.Problem, secrets), Remedy: cover(m.Remedy, secrets), Source: coverSource(m.Source, secrets)})
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
