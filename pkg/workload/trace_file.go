package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// TraceFile is a recorded trace being read, row by row: its memory does not grow with the rows, but for what links the
// turns of conversations. Close it after use.
type TraceFile struct {
	name   string
	format *traceFormat
	rows   rowSource
	bounds *span // what the file itself says it covers; nil: from the first row to the last
	sum    func() (string, error)
	close  []func()
}

// span is a stretch of a trace's time.
type span struct{ from, to time.Duration }

// OpenTrace opens the trace that the options name; a relative path starts at dir. Files may be compressed with gzip or
// zstd. A ServeGen trace is generated from its clients with this seed; it may be a folder or a pattern.
func OpenTrace(t *Trace, dir string, seed uint64) (*TraceFile, error) {
	path := t.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if t.Format == servegen || isFolder(path) || isPattern(path) {
		return openServeGen(t, path, seed)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := newTraceFile(file, t)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.close = append(f.close, func() { file.Close() })
	if f.format.name == servegen {
		f.Close()
		return openServeGen(t, path, seed)
	}
	return f, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isPattern reports whether a path is one for filepath.Glob and not the name of a file.
func isPattern(path string) bool {
	_, err := os.Stat(path)
	return err != nil && strings.ContainsAny(filepath.Base(path), "*?[")
}

// newTraceFile reads a trace from a file of one row per line.
func newTraceFile(r io.Reader, t *Trace) (*TraceFile, error) {
	raw := hashing(r)
	text, done, err := decompress(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.Path, err)
	}
	lines := newLineReader(text, t.Path)
	first, err := lines.peek()
	if err != nil {
		done()
		return nil, err
	}
	if kind := binaryKind(first); kind != "" {
		done()
		return nil, fmt.Errorf("%s:1: this is %s, and a trace is text, plain or packed with gzip or zstd: unpack or convert it", t.Path, kind)
	}
	f := &TraceFile{name: t.Path, sum: raw.sum, close: []func(){done}}
	if f.format, err = formatOf(t, t.Path, string(first)); err == nil && f.format.name != servegen {
		f.rows, err = newRowReader(lines, f.format)
	}
	if err != nil {
		done()
		return nil, err
	}
	return f, nil
}

// Name is the path as it was given.
func (f *TraceFile) Name() string { return f.name }

// Format is one of TraceFormats.
func (f *TraceFile) Format() string { return f.format.name }

// BlockTokens is how many tokens a block of TraceRow.Blocks stands for; 0 where the format has no blocks.
func (f *TraceFile) BlockTokens() int { return f.format.block }

// HasSessions reports whether the format can say to which conversation a row belongs.
func (f *TraceFile) HasSessions() bool {
	return f.format.columns[sessionCell].name != "" || f.format.columns[chatCell].name != ""
}

// Next returns the next row in the order of time, or io.EOF. Errors name file and line, and what to do.
func (f *TraceFile) Next() (TraceRow, error) { return f.rows.next() }

// SHA256 identifies the whole file as it lies on the disk, in hex; it reads what is left of it.
func (f *TraceFile) SHA256() (string, error) { return f.sum() }

// Close lets the file go.
func (f *TraceFile) Close() {
	for _, c := range f.close {
		c()
	}
	f.close = nil
}

// hashReader passes a file on and digests it on the way.
type hashReader struct {
	r io.Reader
	h hash.Hash
}

func hashing(r io.Reader) *hashReader { return &hashReader{r: r, h: sha256.New()} }

func (h *hashReader) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.h.Write(p[:n])
	return n, err
}

// sum is the digest of the whole file, in hex.
func (h *hashReader) sum() (string, error) {
	if _, err := io.Copy(io.Discard, h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.h.Sum(nil)), nil
}
