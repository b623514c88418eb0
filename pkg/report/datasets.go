package report

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// datasetFacts say what became of the files that prompts come from, each in a line.
func datasetFacts(datasets []workload.DatasetFacts) []fact {
	var facts []fact
	for _, d := range datasets {
		text := fmt.Sprintf("%s (%s): %s of %s %s used", d.Path, d.Format, count(int64(d.Used)), count(int64(d.Rows)), rowsOf(d))
		if dropped := dropped(d); len(dropped) > 0 {
			text += "; left out: " + strings.Join(dropped, ", ")
		}
		facts = append(facts, fact{"dataset", text + "; SHA-256 " + orAbsent(d.SHA256)})
	}
	return facts
}

// rowsOf is what the rows of a dataset are called.
func rowsOf(d workload.DatasetFacts) string {
	what := "rows"
	if d.Format == "documents" {
		what = "documents"
	}
	if d.Files > 1 && what == "rows" {
		what += fmt.Sprintf(" in %d files", d.Files)
	}
	return what
}

func dropped(d workload.DatasetFacts) []string {
	var all []string
	for _, reason := range sortedKeys(d.Dropped) {
		all = append(all, fmt.Sprintf("%s %s", count(int64(d.Dropped[reason])), reason))
	}
	return all
}

// datasets says on a terminal what prompts come from.
func (p *preview) datasets(all []workload.DatasetFacts) {
	for _, d := range all {
		p.line("%s (%s): %s of %s %s used; SHA-256 %.12s", printable(d.Path), d.Format, count(int64(d.Used)), count(int64(d.Rows)), rowsOf(d), d.SHA256)
		for _, reason := range sortedKeys(d.Dropped) {
			p.line("  dropped: %-26s %s", reason, count(int64(d.Dropped[reason])))
		}
	}
	if len(all) > 0 {
		p.line("")
	}
}
