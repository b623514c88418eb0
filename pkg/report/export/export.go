// Package export writes what a run directory holds in the formats of other tools: one row per request for notebooks and
// databases, one line per block for benchstat, the percentile curves for HdrHistogram's plotters, and the summary for Prometheus.
//
// It reads the directory alone and never touches the network. A value that is missing is left out or empty, never 0.
package export

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/infbench/infbench/pkg/measure"
)

// Format names one output.
type Format string

// The formats. All but HGRM are one file.
const (
	Benchfmt    Format = "benchfmt"    // one line per block, as Go benchmarks print them: benchstat reads it
	CSV         Format = "csv"         // one row per request
	Parquet     Format = "parquet"     // one row per request
	HGRM        Format = "hgrm"        // HdrHistogram's percentile output, a file for each approach and metric
	OpenMetrics Format = "openmetrics" // the summary as gauges
)

// Formats lists every format in the order in which help shows them.
func Formats() []Format { return []Format{Benchfmt, CSV, Parquet, HGRM, OpenMetrics} }

// ParseFormat reads a format's name.
func ParseFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if name == string(f) {
			return f, nil
		}
		names = append(names, string(f))
	}
	list := strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	if name == "" {
		return "", fmt.Errorf("no format is given: write --format %s", list)
	}
	return "", fmt.Errorf("there is no format %q: write --format %s", name, list)
}

// Binary tells whether the output is not for a terminal.
func (f Format) Binary() bool { return f == Parquet }

// Files tells whether the output is several files (WriteFiles) and not one (Write).
func (f Format) Files() bool { return f == HGRM }

// ErrEmpty says that a run directory has nothing that the format could hold.
var ErrEmpty = errors.New("nothing to export")

// Write writes a record in a format of one file. The notes say what a reader of the output must know of the run, one a line:
// that it was interrupted, that its end is lost, that blocks were left out.
//
// A record without a request is ErrEmpty; so is one without a whole block where the format has one line per block. Memory does
// not grow with the number of rows.
func Write(w io.Writer, format Format, rec *measure.Record) (notes []string, err error) {
	if rec.Manifest.Scenario == nil {
		return nil, fmt.Errorf("%s: the manifest holds no scenario", rec.Dir)
	}
	notes = stateNotes(rec.Manifest)
	var more []string
	switch format {
	case Benchfmt:
		more, err = writeBenchfmt(w, rec)
	case CSV:
		more, err = writeRows(rec, newCSVTable(w))
	case Parquet:
		more, err = writeRows(rec, newParquetTable(w, rec.Manifest))
	case OpenMetrics:
		err = writeOpenMetrics(w, rec)
	default:
		err = fmt.Errorf("export: %q is no format of one file", format)
	}
	return append(notes, more...), err
}

// stateNotes say what the manifest tells against the run.
func stateNotes(m *measure.Manifest) (notes []string) {
	switch m.State {
	case measure.Complete:
	case measure.Running:
		notes = append(notes, "the run is not over, or its process died: what was written so far is exported")
	default:
		text := "the run is " + m.State
		if m.Problem != "" {
			text += " (" + m.Problem + ")"
		}
		notes = append(notes, text+": what it measured until then is exported")
	}
	if m.Verdict != "" && m.Verdict != "valid" {
		notes = append(notes, "the run is "+m.Verdict+": infbench report "+m.ID+" says why")
	}
	return notes
}

// table takes the rows of a run one by one. It is used by one goroutine.
type table interface {
	write(s *measure.Sample) error
	// close ends the output, not the writer below it.
	close() error
}

// writeRows writes every request, warm-up included. A torn end is noted.
func writeRows(rec *measure.Record, t table) (notes []string, err error) {
	n := 0
	for s, err := range rec.Rows() {
		if errors.Is(err, measure.ErrTorn) {
			notes = append(notes, fmt.Sprintf("%v (%d rows)", err, n))
			break
		}
		if err == nil {
			err = t.write(s)
		}
		if err != nil {
			return notes, err
		}
		n++
	}
	if n == 0 {
		return notes, fmt.Errorf("%s: %w: no request was recorded", rec.Dir, ErrEmpty)
	}
	return notes, t.close()
}
