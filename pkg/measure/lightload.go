package measure

import (
	"context"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
)

// LightLoadRecord is the phase before a block's time 0 in which requests were sent one at a time. Their rows are in the request log,
// in the phase LightLoad; they are in no other figure of the record, and not among the block's attempts.
type LightLoadRecord struct {
	// Started is the wall clock of the phase's time 0, from which the stamps of its rows count.
	Started time.Time `json:"started"`
	// Asked requests were to be sent, Requests were, OK of them with success.
	Asked    int           `json:"asked"`
	Requests int           `json:"requests"`
	OK       int           `json:"ok"`
	Took     time.Duration `json:"took_ns"`
}

// giveUpAfter is how many first requests of a light-load phase must all fail for the rest not to be sent.
const giveUpAfter = 4

// lightLoad sends the light-load requests of a block, each after the answer of the one before. Nil where there are none.
func (r *Runner) lightLoad(ctx context.Context, b *Block) (*LightLoadRecord, []*Sample) {
	if len(b.LightLoad) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-r.Stop:
			cancel()
		case <-over:
		}
	}()
	rec := &LightLoadRecord{Started: time.Now(), Asked: len(b.LightLoad)}
	var rows []*Sample
	for i := range b.LightLoad {
		if ctx.Err() != nil || rec.OK == 0 && len(rows) == giveUpAfter {
			break
		}
		req := &b.LightLoad[i]
		now := At(time.Since(rec.Started))
		s := &Sample{Index: req.Index, Approach: b.Approach, Block: b.Index, Phase: LightLoad, Scheduled: now, Dispatched: now,
			AskedInput: req.InputTokens, AskedOutput: req.MaxTokens}
		observer := recorder{sample: s, offset: b.Epoch.Sub(rec.Started), count: &counters{}}
		res := b.Endpoint.Do(ctx, req, &observer)
		if res.Class == endpoint.Cancelled {
			break // the run was stopped: nothing was found out
		}
		observer.finish(&res)
		if !s.Done.Known() {
			s.Done = At(time.Since(rec.Started))
		}
		if s.OK() {
			rec.OK++
		}
		rows = append(rows, s)
	}
	rec.Requests, rec.Took = len(rows), time.Since(rec.Started)
	return rec, rows
}

// writeAll appends finished rows to the request log.
func (w *Writer) writeAll(rows []*Sample) error {
	for _, s := range rows {
		if err := w.rows.write(s); err != nil {
			return err
		}
	}
	return w.rows.flush()
}
