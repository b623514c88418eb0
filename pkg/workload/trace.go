package workload

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Why a row of a trace was not used.
const (
	DropBefore   = "before from"    // skipped by the trace's option from
	DropAfter    = "after the end"  // at or after the block's horizon
	DropWindow   = "outside window" // of the trace's option window
	DropThinned  = "thinned"        // left out by the option thin
	DropNoInput  = "no input token" // the recorded request had none: it failed, or was never served
	DropNoOutput = "no output token"
	DropBlocks   = "blocks too few" // its prefix blocks hold fewer tokens than its prompt
)

// maxTokens is the largest token count that a trace may hold: a larger one is an error in the file.
const maxTokens = 100_000_000

// unknownTokens is the length of a row whose trace does not record it.
const unknownTokens = -1

// TraceRow is one recorded request.
type TraceRow struct {
	Line int           // in the file, from 1; of a generated row its number
	At   time.Duration // since an origin of the trace's own: only differences mean something
	// Input and Output are the lengths of prompt and answer in tokens; -1 where the trace does not record them.
	Input, Output int
	// Session is the conversation that the row belongs to; empty where there are none.
	Session string
	// Chat and Parent link the turns of a conversation: a row follows the row whose Chat is its Parent. Parent is empty
	// for a first turn.
	Chat, Parent string
	Turn         int // of the conversation, from 1; 0 where it is not recorded
	// Blocks are the ids of the prompt's blocks of TraceFormat.BlockTokens tokens: rows with the same leading ids begin with
	// the same text. They are valid until the next row is read.
	Blocks []uint64

	short bool // the blocks hold fewer tokens than the prompt
}

// unusable says why a row cannot become a request whatever the options, or nothing.
func (r *TraceRow) unusable() string {
	switch {
	case r.Input == 0:
		return DropNoInput
	case r.Output == 0:
		return DropNoOutput
	case r.short:
		return DropBlocks
	}
	return ""
}

// rowSource gives a trace's rows in the order of time, row by row. Errors name file and line.
type rowSource interface {
	// next returns the next row, or io.EOF.
	next() (TraceRow, error)
}

// rowReader makes rows of the cells of a table.
type rowReader struct {
	table  table
	lines  *lineReader
	format *traceFormat
	clock  traceClock
	last   TraceRow
	blocks []uint64
	roots  map[string]string // the first turn's chat of every chat, where chats link turns
}

// The columns of a row, in the order in which a table gives them.
const (
	timeCell = iota
	inputCell
	outputCell
	sessionCell
	chatCell
	parentCell
	turnCell
	blocksCell
	cellCount
)

func newRowReader(lines *lineReader, f *traceFormat) (*rowReader, error) {
	r := &rowReader{lines: lines, format: f, clock: traceClock{column: f.columns[timeCell].name, unit: f.unit}, roots: map[string]string{}}
	if f.jsonl {
		if first, err := lines.peek(); err != nil || len(first) == 0 {
			return nil, cmp.Or(err, lines.mistakeInFile("is empty: it should have one JSON object on each line"))
		}
		r.table = newJSONTable(lines, f.columns[:])
		return r, nil
	}
	var err error
	r.table, err = newCSVTable(lines, article(f.name), f.columns[:])
	return r, err
}

// article is a format's name in a sentence.
func article(name string) string {
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func (r *rowReader) next() (TraceRow, error) {
	cells, err := r.table.next()
	if err != nil {
		return TraceRow{}, err
	}
	row, err := r.row(cells)
	row.Line = r.lines.line
	if err == nil && r.last.Line > 0 && row.At < r.last.At {
		err = fmt.Errorf("time %s is before that of line %d: sort the rows by time", clip(cells[timeCell]), r.last.Line)
	}
	if err != nil {
		return TraceRow{}, r.lines.mistake("%w", err)
	}
	r.last = row
	return row, nil
}

func (r *rowReader) row(cells []string) (TraceRow, error) {
	row := TraceRow{Session: cells[sessionCell]}
	var err error
	if row.At, err = r.clock.read(cells[timeCell]); err != nil {
		return row, err
	}
	if row.Input, err = r.tokens(cells, inputCell); err != nil {
		return row, err
	}
	if row.Output, err = r.tokens(cells, outputCell); err != nil {
		return row, err
	}
	if turn := cells[turnCell]; turn != "" {
		if row.Turn, err = strconv.Atoi(turn); err != nil || row.Turn < 0 {
			return row, fmt.Errorf("%s is %q, want a whole number", r.format.columns[turnCell].name, clip(turn))
		}
	}
	if column := r.format.columns[blocksCell]; column.name != "" && !(column.optional && cells[blocksCell] == "") {
		if r.blocks, err = blockIDs(cells[blocksCell], r.blocks[:0]); err != nil {
			return row, fmt.Errorf("%s %w", column.name, err)
		}
		row.Blocks = r.blocks
		row.short = r.format.short(len(r.blocks), row.Input)
	}
	r.link(&row, cells)
	return row, nil
}

// tokens reads a length, which is unknown where the format has no such column.
func (r *rowReader) tokens(cells []string, cell int) (int, error) {
	name := r.format.columns[cell].name
	if name == "" {
		return unknownTokens, nil
	}
	n, err := tokens(cells[cell])
	if err != nil {
		return 0, fmt.Errorf("%s %w", name, err)
	}
	return n, nil
}

// link finds the conversation of a row that names the chat before it. A chat whose parent is not in the file counts for
// the parent's conversation all the same.
func (r *rowReader) link(row *TraceRow, cells []string) {
	if r.format.columns[chatCell].name == "" {
		return
	}
	row.Chat = cells[chatCell]
	row.Session = row.Chat
	if parent := cells[parentCell]; parent != "" && parent != "-1" {
		row.Parent, row.Session = parent, parent
		if root, ok := r.roots[parent]; ok {
			row.Session = root
		}
	}
	r.roots[row.Chat] = row.Session
}

// tokens reads a token count.
func tokens(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && n > maxTokens:
		return 0, fmt.Errorf("is %s, more than %d: that is no token count; correct or remove the row", clip(text), maxTokens)
	case err != nil || n < 0:
		return 0, fmt.Errorf("is %q, want a whole number of tokens, 0 or more; correct or remove the row", clip(text))
	}
	return int(n), nil
}

// blockIDs reads [0, 1, 2].
func blockIDs(text string, ids []uint64) ([]uint64, error) {
	inner, ok := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !ok || !closed {
		return ids, fmt.Errorf("is %q, want a list of block ids such as [0, 1, 2]; correct or remove the row", clip(text))
	}
	if strings.TrimSpace(inner) == "" {
		return ids, nil
	}
	for id := range strings.SplitSeq(inner, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64)
		if err != nil {
			return ids, fmt.Errorf("holds %q, want whole numbers, 0 or more; correct or remove the row", clip(strings.TrimSpace(id)))
		}
		ids = append(ids, n)
	}
	return ids, nil
}

// clip keeps an error message readable whatever the file holds.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}
