package workload

import (
	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// validateDataset reports what the fields of a dataset say together.
func validateDataset(d *Dataset, p strict.Place) {
	validateLengths(d.Output, p.Field("output"))
	columns := p.Field("columns")
	if !columns.Present() || d.Columns == nil {
		return
	}
	switch {
	case d.Format == "text":
		columns.Mistake("without effect beside format text", "remove it: each line is a prompt; or give another format")
	case d.Format == "csv" && d.Columns.Messages != "":
		columns.Field("messages").Mistake("a CSV file has no lists of messages", "name the column of the prompt, such as `prompt: question`; or use JSONL or parquet")
	case d.Columns.Prompt != "" && d.Columns.Messages != "":
		columns.Field("messages").Mistake("stands beside prompt", "keep exactly one of them: a row sends its prompt, or its messages")
	}
}

// validateSharedTexts reports shared texts that are made of nothing, or of two things.
func validateSharedTexts(c *Shared, p strict.Place) {
	if p.Field("documents").Present() {
		excluded(p, "documents", "remove it: documents have lengths of their own, and documents.chunk cuts them", "tokens")
		return
	}
	sound := p.Sound() // a mistake below it changes that
	for _, f := range []struct{ name, remedy string }{{"groups", "add it, such as `groups: 20`"}, {"tokens", "add `tokens:`"}} {
		if !p.Field(f.name).Present() && sound {
			p.Field(f.name).Mistake("missing", f.remedy+"; or take the texts from files, such as `documents: {path: docs}`")
		}
	}
	validateLengths(c.Tokens, p.Field("tokens"))
}
