package oracle

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/report/export"
)

// TestHGRMBesideHdrHistogram: HdrHistogram for Go, of the same geometry over the same values, prints the percentile curve that we
// export: the lines and the figures below them.
func TestHGRMBesideHdrHistogram(t *testing.T) {
	rec, err := exportedRun()
	if err != nil {
		t.Fatal(err)
	}
	paths, _, err := export.WriteFiles(t.TempDir(), export.HGRM, rec, false)
	if err != nil {
		t.Fatal(err)
	}
	ours := ""
	for _, p := range paths {
		if filepath.Base(p) == "plain.e2e.hgrm" {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			ours = string(text)
		}
	}
	h := hdrhistogram.New(int64(measure.HistLowest), int64(measure.HistHighest), measure.HistDigits)
	failed := 0
	for s, err := range rec.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if s.Approach != "plain" || string(s.Phase) != "measure" {
			continue
		}
		d, ok := s.Done.Sub(s.Scheduled).Get()
		if s.Class != "ok" || !ok {
			failed++
			continue
		}
		if err := h.RecordValue(int64(d)); err != nil {
			t.Fatal(err)
		}
	}
	if failed > 0 {
		t.Skipf("%d requests failed on a busy machine: our curve ends before 100%%, HdrHistogram's does not know of them", failed)
	}
	var b bytes.Buffer
	if _, err := h.PercentilesPrint(&b, 5, 1e6); err != nil {
		t.Fatal(err)
	}
	mine, theirs := curveOf(t, ours), curveOf(t, b.String())
	if len(mine) < 20 {
		t.Fatalf("%d lines:\n%s", len(mine), ours)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= b*math.Pow10(-measure.HistDigits)+0.0005 } // the width of a bucket
	if len(mine) != len(theirs) {
		t.Errorf("%d lines, HdrHistogram has %d", len(mine), len(theirs))
	}
	for i := range min(len(mine), len(theirs)) {
		m, h := mine[i], theirs[i]
		if math.Abs(m.share-h.share) > 1e-6 || m.count != h.count || !near(m.value, h.value) {
			t.Errorf("line %d: ours %+v, HdrHistogram's %+v", i, m, h)
		}
	}
}

// point is a line of a percentile curve.
type point struct {
	value, share float64
	count        int64
}

// curveOf reads the lines of HdrHistogram's percentile output.
func curveOf(t *testing.T, text string) (curve []point) {
	t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(line, "#") {
			continue
		}
		v, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			continue // the names of the columns
		}
		share, err1 := strconv.ParseFloat(f[1], 64)
		n, err2 := strconv.ParseInt(f[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		curve = append(curve, point{v, share, n})
	}
	return curve
}
