package analyze

import (
	"errors"
	"fmt"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// BlockSummary is one block over its measure phase: the unit of inference. Its figures are those of ApproachSummary, over
// the rows and histograms of this block alone.
type BlockSummary struct {
	// Record is the block's entry in the manifest, of which the first three fields are a copy.
	Record   *measure.BlockRecord
	Index    int
	Approach string
	State    string // as in the manifest: running where the process died

	Seconds       float64 // of measure phase; 0 where the block was stopped before it
	Attempts      int
	OK            int
	Errors        map[endpoint.Class]int
	OfferedRate   float64 // 1/s; 0 where Seconds is
	DeliveredRate float64
	Metrics       map[workload.Metric]*Quantiles
	Labels        map[workload.Metric]string // derived, reported
	Tokens        Tokens
	Goodput       *Goodput       // nil without request limits
	Classes       []ClassSummary // of a mix, in the scenario's order

	failed []*BlockSummary // blocks of the same round that failed before this one went through: an Arm's
}

// ErrorRate is the share of attempts that failed, and false where there was no attempt.
func (b *BlockSummary) ErrorRate() (float64, bool) {
	if b.Attempts == 0 {
		return 0, false
	}
	return 1 - float64(b.OK)/float64(b.Attempts), true
}

// Blocks summarises every block of a record by itself, in the order of the manifest.
//
// A record whose writer died is summarised as far as it goes. A block that ended has as many rows as the manifest says: a
// record that lacks some, or has others, is an error, since figures over a part of the requests compare with nothing.
func Blocks(rec *measure.Record) ([]BlockSummary, error) {
	if rec.Manifest.Scenario == nil {
		return nil, fmt.Errorf("%s: the manifest holds no scenario", rec.Dir)
	}
	r, err := newBlockReader(rec)
	if err != nil {
		return nil, err
	}
	if err := eachRow(rec, r.add); err != nil {
		return nil, err
	}
	for _, b := range r.blocks {
		if err := b.end(rec); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

// blockReader sorts rows into the folds of their blocks.
type blockReader struct {
	rec    *measure.Record
	out    []BlockSummary
	blocks []*blockFold
	byIdx  map[int]*blockFold
}

// blockFold is a block whose rows are being read. Its histograms, some megabytes, are there from its first row to its last.
type blockFold struct {
	out  *BlockSummary
	fold *fold
	rows int
	last float64 // the latest scheduled time, seconds
	done bool
}

func newBlockReader(rec *measure.Record) (*blockReader, error) {
	m := rec.Manifest
	r := &blockReader{rec: rec, out: make([]BlockSummary, len(m.Blocks)), byIdx: map[int]*blockFold{}}
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if r.byIdx[b.Index] != nil {
			return nil, fmt.Errorf("%s: the manifest has two blocks of index %d", rec.Dir, b.Index)
		}
		r.out[i] = BlockSummary{Record: b, Index: b.Index, Approach: b.Approach, State: b.State}
		f := &blockFold{out: &r.out[i]}
		r.blocks, r.byIdx[b.Index] = append(r.blocks, f), f
	}
	return r, nil
}

// add folds a row. The last row that the manifest promises of a block ends it.
func (r *blockReader) add(s *measure.Sample) error {
	b := r.byIdx[s.Block]
	switch {
	case b == nil:
		return fmt.Errorf("%s: a row names block %d, which the manifest does not have", r.rec.Dir, s.Block)
	case b.out.Approach != s.Approach:
		return fmt.Errorf("%s: a row of block %d names approach %q, the manifest %q", r.rec.Dir, s.Block, s.Approach, b.out.Approach)
	case b.done:
		return fmt.Errorf("%s: block %d (%s) has more than the %d rows that the manifest says: the record was changed", r.rec.Dir, s.Block, s.Approach, b.rows)
	}
	if err := b.begin(r.rec); err != nil {
		return err
	}
	b.rows++
	if d, ok := s.Scheduled.Get(); ok {
		b.last = max(b.last, d.Seconds())
	}
	if err := b.fold.addRow(s); err != nil {
		return fmt.Errorf("%s: %w", r.rec.Dir, err)
	}
	if b.ended() && b.rows == b.out.Record.Attempts {
		return b.end(r.rec)
	}
	return nil
}

// ended tells whether the manifest has the block's end, and so the number of its rows.
func (b *blockFold) ended() bool { return b.out.State != measure.Running }

func (b *blockFold) begin(rec *measure.Record) error {
	if b.fold != nil {
		return nil
	}
	b.fold = foldFor(b.out.Approach, rec.Manifest.Scenario)
	return b.fold.join(rec, b.out.Record)
}

// end fills in the summary and lets the histograms go.
func (b *blockFold) end(rec *measure.Record) error {
	if b.done {
		return nil
	}
	if want := b.out.Record.Attempts; b.ended() && b.rows != want {
		return fmt.Errorf("%s: block %d (%s) has %d rows, the manifest says %d: the record is cut short or was changed", rec.Dir, b.out.Index, b.out.Approach, b.rows, want)
	}
	if err := b.begin(rec); err != nil {
		return err
	}
	sc := rec.Manifest.Scenario
	b.fold.lasted(sc.Phases, b.out.Record, b.last)
	a, err := b.fold.summary(workload.SLO{}, rec.Manifest.NoiseFloor)
	classes, cerr := b.fold.classSummaries(sc, rec.Manifest.NoiseFloor)
	if err := errors.Join(err, cerr); err != nil {
		return fmt.Errorf("%s: block %d (%s): %w", rec.Dir, b.out.Index, b.out.Approach, err)
	}
	o := b.out
	o.Seconds, o.Attempts, o.OK, o.Errors = b.fold.span, a.Attempts, a.OK, a.Errors
	o.OfferedRate, o.DeliveredRate = a.OfferedRate, a.DeliveredRate
	o.Metrics, o.Labels, o.Tokens, o.Goodput, o.Classes = a.Metrics, a.Labels, a.Tokens, a.Goodput, classes
	b.fold, b.done = nil, true
	return nil
}
