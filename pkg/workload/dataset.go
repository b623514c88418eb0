package workload

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The reasons for which a row of a dataset is left out.
const (
	DropNoUser      = "no user message"
	DropAssistant   = "begins with the assistant"
	DropEmptyPrompt = "empty prompt"
	DropNotText     = "not text alone"
	DropRole        = "unknown role"
	DropNoAnswer    = "no recorded answer"
	DropLong        = "longer than max_input"
	DropLimit       = "after the limit"
)

// DatasetFacts say what became of the files of a dataset. Rows = Used + the sum of Dropped, always.
type DatasetFacts struct {
	Path   string `json:"path"`   // as the scenario names it
	Format string `json:"format"` // such as "sharegpt" or "messages, parquet"
	Files  int    `json:"files"`
	// SHA256 is in hex: of the file as it lies on the disk; of several, of the lines "digest  name" of them in the order of
	// their names, as sha256sum prints them.
	SHA256  string         `json:"sha256"`
	Rows    int            `json:"rows"` // read; empty lines are none
	Used    int            `json:"used"`
	Dropped map[string]int `json:"dropped,omitempty"` // by reason: the Drop constants
}

// dataset is what was read.
type dataset struct {
	rows  []datasetRow
	facts DatasetFacts
}

// readDataset reads the files that the scenario names, which it holds in memory without what is not sent. An error names
// file and line, or row.
func readDataset(d *Dataset, dir string) (*dataset, error) {
	files, err := dataFiles(d.Path, dir, datasetEndings)
	if err != nil {
		return nil, fileError("prompts.dataset", err)
	}
	all := &dataset{facts: DatasetFacts{Path: d.Path, Files: len(files), Dropped: map[string]int{}}}
	var formats []string
	var sums digests
	for _, name := range files {
		f, err := openData(name)
		if err != nil {
			return nil, fileError("prompts.dataset", err)
		}
		format, err := all.read(f, d)
		if err == nil {
			err = sums.add(f)
		}
		f.close()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(formats, format) {
			formats = append(formats, format)
		}
	}
	all.facts.Format, all.facts.SHA256, all.facts.Used = strings.Join(formats, "; "), sums.sum(), len(all.rows)
	return all, all.check()
}

// read takes the rows of one file, and names its format.
func (s *dataset) read(f *dataFile, d *Dataset) (string, error) {
	rows, format, err := f.open(d)
	if err != nil {
		return "", err
	}
	defer rows.close()
	b := rowBuilder{dataset: d, first: cmp.Or(d.Turns, format.turns) == "first", single: format.name == "prompts"}
	var raw rawRow
	for {
		raw.reset()
		err := rows.next(&raw)
		if errors.Is(err, io.EOF) {
			return format.String(), nil
		}
		if err != nil {
			return "", err
		}
		s.facts.Rows++
		row, drop, err := b.build(&raw)
		if err != nil {
			return "", fmt.Errorf("%s: %w", rows.place(), err)
		}
		if drop == "" && d.Limit > 0 && len(s.rows) >= d.Limit {
			drop = DropLimit
		}
		if drop != "" {
			s.facts.Dropped[drop]++
			continue
		}
		s.rows = append(s.rows, row)
	}
}

// check reports a dataset that gives nothing.
func (s *dataset) check() error {
	if s.facts.Rows == 0 {
		return fmt.Errorf("%s: the dataset has no rows", s.facts.Path)
	}
	if len(s.rows) > 0 {
		return nil
	}
	var why []string
	for _, reason := range slices.Sorted(maps.Keys(s.facts.Dropped)) {
		why = append(why, fmt.Sprintf("%d %s", s.facts.Dropped[reason], reason))
	}
	return fmt.Errorf("%s: none of its %d rows can be used (%s): look at a row, and at prompts.dataset", s.facts.Path, s.facts.Rows, strings.Join(why, ", "))
}
