package measure

import (
	"encoding/binary"
	"iter"
	"math"
	"time"
)

// gap is the time between two successive content-bearing reads, the number of tokens the later one held, and how long
// after its arrival it was read.
type gap struct {
	ns     int64
	tokens int32
	lateUs int32
}

// gapList keeps the gaps of one request to its end: only then is it known whether they count (the request succeeded) and
// how many tokens a chunk held. The first keptGaps are kept as they are, in some 7 bytes each. Later ones go into histograms,
// so that no answer is too long for the memory.
type gapList struct {
	first, block *gapBlock // of those kept
	n            int
	last         gap // the newest one: tokens can still join it
	any          bool
	tail         *gapHists // of what came after the kept ones
}

const keptGaps = 1 << 16

// gapBlock is a piece of the list. Pieces leave no garbage behind as they become more, which a slice does, and the
// memory of thousands of long streams is little else.
type gapBlock struct {
	next  *gapBlock
	used  int
	bytes [496]byte // ns, tokens, lateUs of one gap after the other, as varints
}

// maxGapBytes is the most that one gap takes.
const maxGapBytes = binary.MaxVarintLen64 + 2*binary.MaxVarintLen32

// gapHists hold gaps whose tokens are counted as one per chunk where the wire did not say more.
type gapHists struct{ chunk, itl, late Hist }

// add appends a gap.
func (l *gapList) add(g gap) {
	switch {
	case !l.any:
		l.any = true
	case l.n < keptGaps:
		l.n++
		l.keep(l.last)
	default:
		l.record(l.last)
	}
	l.last = g
}

func (l *gapList) keep(g gap) {
	b := l.block
	if b == nil || b.used > len(b.bytes)-maxGapBytes {
		b = &gapBlock{}
		if l.block == nil {
			l.first = b
		} else {
			l.block.next = b
		}
		l.block = b
	}
	b.used += binary.PutVarint(b.bytes[b.used:], g.ns)
	b.used += binary.PutUvarint(b.bytes[b.used:], uint64(g.tokens))
	b.used += binary.PutUvarint(b.bytes[b.used:], uint64(g.lateUs))
}

// join adds tokens to the newest gap, if there is one.
func (l *gapList) join(tokens int32) { l.last.tokens += tokens }

func (l *gapList) record(g gap) {
	if l.tail == nil {
		l.tail = &gapHists{}
	}
	l.tail.chunk.Record(time.Duration(g.ns))
	l.tail.late.Record(g.late())
	l.tail.itl.RecordN(time.Duration(g.ns/int64(g.tokens)), int64(g.tokens))
}

func (g gap) late() time.Duration { return time.Duration(g.lateUs) * time.Microsecond }

// all yields the gaps that are kept as they are, and the newest.
func (l *gapList) all() iter.Seq[gap] {
	return func(yield func(gap) bool) {
		for block := l.first; block != nil; block = block.next {
			for b := block.bytes[:block.used]; len(b) > 0; {
				ns, n := binary.Varint(b)
				tokens, m := binary.Uvarint(b[n:])
				late, o := binary.Uvarint(b[n+m:])
				b = b[n+m+o:]
				if !yield(gap{ns, int32(tokens), int32(late)}) {
					return
				}
			}
		}
		if l.any {
			yield(l.last)
		}
	}
}

// addTo records every gap: the chunk gaps, the ITL with spread tokens in every chunk of unknown size, and, unless late is
// nil, how late they were read. Of the gaps in histograms the ITL is exact to their resolution.
func (l *gapList) addTo(chunk, itl, late *Hist, spread float64) error {
	split := splitter{itl: itl, spread: max(1, spread)}
	for g := range l.all() {
		chunk.Record(time.Duration(g.ns))
		split.record(float64(g.ns), float64(g.tokens), 1)
		if late != nil {
			late.Record(g.late())
		}
	}
	if l.tail == nil {
		return nil
	}
	if late != nil {
		if err := late.Merge(&l.tail.late); err != nil {
			return err
		}
	}
	if err := chunk.Merge(&l.tail.chunk); err != nil {
		return err
	}
	if split.spread == 1 {
		return itl.Merge(&l.tail.itl)
	}
	for _, b := range l.tail.itl.Buckets() {
		split.record(float64(b.Value), 1, b.Count)
	}
	t := l.tail.itl.Totals()
	split.record(float64(t.Max), 1, t.Overflow)
	return nil
}

// splitter divides gaps among the tokens that came in them. A chunk of 1.4 tokens counts once or twice, so that all of
// them count 1.4 times on average.
type splitter struct {
	itl      *Hist
	spread   float64
	tokens   float64
	recorded int64
}

// record adds n gaps of the same length, with the same number of tokens as far as the wire tells.
func (s *splitter) record(ns, tokens float64, n int64) {
	per := tokens * s.spread
	s.tokens += per * float64(n)
	count := int64(math.Round(s.tokens)) - s.recorded
	s.itl.RecordN(time.Duration(ns/per), count)
	s.recorded += count
}
