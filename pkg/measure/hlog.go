package measure

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/infbench/infbench/pkg/workload"
)

// Tag names one histogram series of the interval log: approach/block/metric, or approach/block/metric/class for one traffic
// class of a mix. It holds no comma, space or newline, as the format demands.
type Tag struct {
	Approach string
	Block    int
	Metric   workload.Metric
	Class    string
}

// String is the tag as it stands in the log.
func (t Tag) String() string {
	s := t.Approach + "/" + strconv.Itoa(t.Block) + "/" + string(t.Metric)
	if t.Class != "" {
		s += "/" + t.Class
	}
	return s
}

// ParseTag reads what String wrote.
func ParseTag(s string) (Tag, error) {
	rest, metric, ok1 := cutLast(s, "/")
	approach, block, ok2 := cutLast(rest, "/")
	class := ""
	if _, err := strconv.Atoi(block); err != nil && ok2 { // no metric is a number
		class, metric = metric, block
		approach, block, ok2 = cutLast(approach, "/")
	}
	n, err := strconv.Atoi(block)
	if !ok1 || !ok2 || err != nil || n < 0 || strings.HasSuffix(s, "/") {
		return Tag{}, fmt.Errorf("histogram tag %q is not approach/block/metric or approach/block/metric/class", s)
	}
	return Tag{Approach: approach, Block: n, Metric: workload.Metric(metric), Class: class}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// histLog appends interval histograms in the HdrHistogram log format 1.3, values in nanoseconds, readable by the
// standard tools.
type histLog struct {
	f *os.File
	b *bufio.Writer
	w *hdr.HistogramLogWriter
}

func newHistLog(path string, start time.Time) (*histLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the histogram log: %w", err)
	}
	b := bufio.NewWriter(f)
	w := hdr.NewHistogramLogWriter(b)
	err = errors.Join(
		w.OutputComment("[infbench: one tag per approach/block/metric, of a mix also approach/block/metric/class, values in nanoseconds, measure phase only]"),
		w.OutputLogFormatVersion(), w.OutputStartTime(start.UnixMilli()), w.OutputLegend(), b.Flush())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write the histogram log: %w", err)
	}
	return &histLog{f: f, b: b, w: w}, nil
}

// write appends the non-empty histograms of one interval, each under the tag with its metric, stamped with the wall clock as the format wants.
func (l *histLog) write(tag Tag, from, to time.Time, t *Tally) error {
	for _, m := range append(workload.Metrics(), workload.ReadLag) {
		h, ok := t.hists[m]
		if !ok || h.Count() == h.exact.Overflow {
			continue
		}
		tag.Metric = m
		h.h.SetTag(tag.String())
		h.h.SetStartTimeMs(from.UnixMilli())
		h.h.SetEndTimeMs(to.UnixMilli())
		if err := l.w.OutputIntervalHistogram(h.h); err != nil {
			return fmt.Errorf("write the histogram log: %w", err)
		}
	}
	return l.b.Flush()
}

func (l *histLog) close() error { return errors.Join(l.b.Flush(), l.f.Sync(), l.f.Close()) }

// readHistLog merges the intervals of every tag. A torn last line (the writer died) is left out; the exact totals are
// then only as good as the buckets.
func readHistLog(path string) (map[Tag]*Hist, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the histogram log: %w", err)
	}
	defer f.Close()
	whole, err := wholeLines(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	out := map[Tag]*Hist{}
	r := hdr.NewHistogramLogReader(whole)
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if h == nil {
			return out, nil
		}
		tag, err := ParseTag(h.Tag())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if out[tag] == nil {
			out[tag] = &Hist{}
		}
		if err := out[tag].Merge(fromBuckets(h)); err != nil {
			return nil, fmt.Errorf("read %s: tag %s: %w", path, tag, err)
		}
	}
}

// wholeLines cuts a file at its last newline.
func wholeLines(f *os.File) (io.Reader, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 1)
	for ; end > 0; end-- {
		if _, err := f.ReadAt(b, end-1); err != nil {
			return nil, err
		}
		if b[0] == '\n' {
			break
		}
	}
	return io.NewSectionReader(f, 0, end), nil
}

// fromBuckets rebuilds the exact side from the buckets as well as they tell: it is the best there is where the final
// totals were never written.
func fromBuckets(h *hdr.Histogram) *Hist {
	out := &Hist{h: h}
	out.exact = Totals{Count: h.TotalCount(), Min: h.Min(), Max: h.Max()}
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			mid := uint64(b.From) + uint64(b.To-b.From)/2
			out.addSum(0, mid*uint64(b.Count))
		}
	}
	return out
}

// setTotals replaces the exact side by totals from the manifest.
func (h *Hist) setTotals(t Totals) {
	h.exact = t
	h.sumHi, h.sumLo = 0, uint64(t.Sum)
	if t.Sum >= 1<<63 {
		h.sumHi, h.sumLo = uint64(t.Sum/(1<<64)), 0
	}
}
