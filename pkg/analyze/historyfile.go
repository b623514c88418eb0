package analyze

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"
)

// HistoryFile is the name of the series file in a history's folder.
const HistoryFile = "history.jsonl"

// History is what a folder holds of runs that are over.
type History struct {
	Path    string
	Entries []HistoryEntry // by their start
	// Torn are the numbers of lines that end in the middle: their writers died. They are left out.
	Torn []int
	// whole: the file ends with a whole line.
	whole bool
}

// ReadHistory reads the history in a folder. A file that is not there is an error that wraps os.ErrNotExist. A line that is no
// JSON, is of another schema or contradicts another is an error with its number; one that ends in the middle is left out and said.
func ReadHistory(dir string) (*History, error) {
	path := filepath.Join(dir, HistoryFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	h, err := parseHistory(path, b)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func parseHistory(path string, b []byte) (*History, error) {
	h := &History{Path: path, whole: len(b) == 0 || b[len(b)-1] == '\n'}
	lines := map[string]int{}
	number := 0
	for line := range bytes.Lines(b) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		e, torn, err := parseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", path, number, err)
		}
		if torn {
			h.Torn = append(h.Torn, number)
			continue
		}
		id := e.id()
		if first := lines[id]; first > 0 {
			i := slices.IndexFunc(h.Entries, func(x HistoryEntry) bool { return x.id() == id })
			if !reflect.DeepEqual(h.Entries[i], *e) {
				return nil, fmt.Errorf("%s line %d: run %s, approach %s, stands on line %d with other figures: one of them was changed; remove the wrong one", path, number, e.Run, e.Key.Approach, first)
			}
			continue // two writers at once
		}
		lines[id] = number
		h.Entries = append(h.Entries, *e)
	}
	slices.SortStableFunc(h.Entries, func(x, y HistoryEntry) int { return x.Started.Compare(y.Started) })
	return h, nil
}

// id is what an entry is known by: runs of two nights may have one name, for it is that of their folder, and start once.
func (e *HistoryEntry) id() string {
	return e.Run + "\x00" + e.Started.UTC().Format(time.RFC3339Nano) + "\x00" + e.Key.Approach
}

// parseEntry reads a line. torn: it is the beginning of one.
func parseEntry(line []byte) (e *HistoryEntry, torn bool, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	var head struct {
		Schema *string `json:"schema"`
	}
	switch err := d.Decode(&head); {
	case errors.Is(err, io.ErrUnexpectedEOF) && line[0] == '{':
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("it is no entry of a history (%w): %.40q", err, line)
	case len(bytes.TrimSpace(line[d.InputOffset():])) > 0:
		return nil, false, fmt.Errorf("there is something behind its entry: %.40q", line[d.InputOffset():])
	case head.Schema == nil:
		return nil, false, fmt.Errorf("it names no schema: %.40q", line)
	case *head.Schema != HistorySchema:
		return nil, false, fmt.Errorf("it has schema %q, this infbench reads %q: use the version that wrote it, or a new folder", *head.Schema, HistorySchema)
	}
	e = &HistoryEntry{}
	if err := json.Unmarshal(line, e); err != nil {
		return nil, false, fmt.Errorf("it is no entry of a history: %w", err)
	}
	if why := e.check(); why != "" {
		return nil, false, errors.New(why)
	}
	return e, false, nil
}

// AppendHistory adds the entries that a folder's history does not have yet, and says how many these were. It makes the folder
// and the file where they are not there. Each line is one write to the end of the file, so that two writers at once do not
// mix; what was there is never changed. It fails, adding nothing, where the history cannot be read or holds a run's approach with other figures.
func AppendHistory(dir string, entries []HistoryEntry) (added int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("make the history's folder: %w", err)
	}
	h, err := ReadHistory(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		h = &History{whole: true}
	case err != nil:
		return 0, err
	}
	lines, err := h.missing(entries)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	path := filepath.Join(dir, HistoryFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, fmt.Errorf("open the history: %w", err)
	}
	defer func() {
		if cerr := errors.Join(f.Sync(), f.Close()); cerr != nil && err == nil {
			err = fmt.Errorf("write %s: %w", path, cerr)
		}
	}()
	for i, line := range lines {
		if i == 0 && !h.whole {
			line = append([]byte{'\n'}, line...) // the torn line stays one by itself
		}
		if _, err := f.Write(line); err != nil {
			return added, fmt.Errorf("write %s: %w", path, err)
		}
		added++
	}
	return added, nil
}

// missing are the lines of the entries that a history does not have.
func (h *History) missing(entries []HistoryEntry) ([][]byte, error) {
	has := map[string]HistoryEntry{}
	for _, e := range h.Entries {
		has[e.id()] = e
	}
	var lines [][]byte
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode run %s: %w", e.Run, err)
		}
		before, there := has[e.id()]
		if !there {
			has[e.id()] = e
			lines = append(lines, append(line, '\n'))
			continue
		}
		if !sameFigures(before, e) {
			return nil, fmt.Errorf("%s has run %s, approach %s, with other figures: the run or the history was changed since", h.Path, e.Run, e.Key.Approach)
		}
	}
	return lines, nil
}

// sameFigures tells whether two entries of one run say the same. Another version may give a run figures that this one does not
// have, and the last digits of a mean are those of the machine.
func sameFigures(a, b HistoryEntry) bool {
	for _, x := range a.Figures {
		for _, y := range b.Figures {
			if x.Name == y.Name && math.Abs(x.Value-y.Value) > 1e-6*max(x.Value, y.Value) {
				return false
			}
		}
	}
	return a.Key.Workload == b.Key.Workload
}
