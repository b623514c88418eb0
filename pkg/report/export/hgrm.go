package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/measure"
)

// ticksPerHalf is how many lines there are for every halving of the distance to 100%, as in HdrHistogram's own tools.
const ticksPerHalf = 5

// WriteFiles writes a record in a format of several files into a folder, which it makes where there is none: of HGRM one file
// for each approach and metric, APPROACH.METRIC.hgrm. It returns their paths, and notes as Write does.
//
// A file that exists is an error unless replace is true; then nothing is written at all. Each file appears whole or not at all.
func WriteFiles(dir string, format Format, rec *measure.Record, replace bool) (paths, notes []string, err error) {
	if !format.Files() {
		return nil, nil, fmt.Errorf("export: %q is a format of one file", format)
	}
	all, err := analyze.Distributions(rec)
	if err != nil {
		return nil, nil, err
	}
	notes = stateNotes(rec.Manifest)
	if len(all) == 0 {
		return nil, notes, fmt.Errorf("%s: %w: no request of the measure phase has a latency", rec.Dir, ErrEmpty)
	}
	for i := range all {
		path := filepath.Join(dir, fileName(&all[i]))
		if _, err := os.Lstat(path); err == nil && !replace {
			return nil, notes, &ExistsError{path}
		}
		paths = append(paths, path)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, notes, fmt.Errorf("export: %w", err)
	}
	for i, path := range paths {
		if err := WriteFile(path, replace, func(w io.Writer) error { return writeHGRM(w, &all[i]) }); err != nil {
			return paths[:i], notes, err
		}
	}
	return paths, notes, nil
}

// fileName keeps what a name says where a file system allows it.
func fileName(d *analyze.Distribution) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, d.Approach)
	return clean + "." + string(d.Metric) + ".hgrm"
}

// writeHGRM writes the percentile output of HdrHistogram, values in milliseconds, as its log processor does.
//
// Percentiles are over attempts, as everywhere in infbench: where attempts failed they end before 100%, and a line at the
// end says how many.
func writeHGRM(w io.Writer, d *analyze.Distribution) error {
	const perMilli = 1e6
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	total := d.Hist.Count() + d.Failures
	for _, l := range curve(d) {
		fmt.Fprintf(out, "%12.3f %2.12f %10d", l.ns/perMilli, l.share, l.count)
		if l.share < 1 {
			fmt.Fprintf(out, " %14.2f", 1/(1-l.share))
		}
		fmt.Fprintln(out)
	}
	t := d.Hist.Totals()
	mean, deviation := spread(d.Hist)
	fmt.Fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean/perMilli, deviation/perMilli)
	fmt.Fprintf(out, "#[Max     = %12.3f, Total count    = %12d]\n", float64(t.Max)/perMilli, t.Count)
	buckets, sub := geometry()
	fmt.Fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", buckets, sub)
	if d.Failures > 0 {
		fmt.Fprintf(out, "#[Failed  = %12d, Attempts       = %12d]\n", d.Failures, total)
	}
	return out.Flush()
}

// line is a point of the percentile curve: count values are at most ns, and share of the attempts.
type line struct {
	ns    float64
	share float64
	count int64
}

// curve walks the buckets as HdrHistogram's percentile iterator does: a line for each step, which halves its length whenever
// the distance to 100% has halved, and one for the largest value.
func curve(d *analyze.Distribution) []line {
	var lines []line
	total := float64(d.Hist.Count() + d.Failures)
	next, count := 0.0, int64(0)
	var last float64
	for _, b := range buckets(d.Hist) {
		count += b.Count
		last = float64(b.Value)
		for next <= min(float64(count), total-0.5)/total { // beyond, less than one value lies
			lines = append(lines, line{last, next, count})
			half := math.Exp2(math.Floor(math.Log2(1/(1-next))) + 1)
			next += 1 / (ticksPerHalf * half)
		}
	}
	return append(lines, line{last, float64(count) / total, count})
}

// buckets are those of the histogram, and the largest value for what lies above its range.
func buckets(h *measure.Hist) []measure.Bucket {
	all := h.Buckets()
	if t := h.Totals(); t.Overflow > 0 {
		all = append(all, measure.Bucket{Value: time.Duration(t.Max), Count: t.Overflow})
	}
	return all
}

// spread is the exact mean, and the standard deviation to the resolution of the buckets.
func spread(h *measure.Hist) (mean, deviation float64) {
	t := h.Totals()
	mean = t.Sum / float64(t.Count)
	var squares float64
	for _, b := range buckets(h) {
		squares += float64(b.Count) * (float64(b.Value) - mean) * (float64(b.Value) - mean)
	}
	return mean, math.Sqrt(squares / float64(t.Count))
}

// geometry is that of every histogram of a record, in HdrHistogram's own terms.
func geometry() (buckets, subBuckets int64) {
	subBuckets = 1
	for subBuckets < 2*int64(math.Pow10(measure.HistDigits)) {
		subBuckets *= 2
	}
	reach := subBuckets
	for unit := measure.HistLowest; unit > 1; unit /= 2 {
		reach *= 2
	}
	for buckets = 1; reach <= measure.HistHighest; buckets++ {
		reach *= 2
	}
	return buckets, subBuckets
}
