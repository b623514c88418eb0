package workload

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxRow bounds a row of a dataset, so that a file that is none cannot fill the memory.
const maxRow = 64 << 20

// Which files of a folder are taken, compressed or not.
var (
	datasetEndings  = []string{".json", ".jsonl", ".ndjson", ".parquet", ".csv", ".txt"}
	documentEndings = []string{".txt", ".md"}
)

// dataFiles lists what a path names, in the order of the names: a file, a pattern, or the files of a folder, without its
// subfolders.
func dataFiles(path, dir string, endings []string) ([]string, error) {
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(dir, full)
	}
	switch {
	case isFolder(full):
		entries, err := os.ReadDir(full)
		if err != nil {
			return nil, err
		}
		var files []string
		for _, e := range entries {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && slices.Contains(endings, ending(e.Name())) {
				files = append(files, filepath.Join(full, e.Name()))
			}
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("the folder %s has no file that ends in %s (or that and .gz or .zst): name the files with a pattern, such as %s",
				path, strings.Join(endings, ", "), filepath.Join(path, "*"))
		}
		return files, nil
	case isPattern(full):
		found, err := filepath.Glob(full)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		hidden := strings.HasPrefix(filepath.Base(full), ".") // which a shell finds only where they are asked for
		found = slices.DeleteFunc(found, func(name string) bool {
			return isFolder(name) || strings.HasPrefix(filepath.Base(name), ".") && !hidden
		})
		if len(found) == 0 {
			return nil, fmt.Errorf("no file is like %s: correct the pattern", path)
		}
		return found, nil
	}
	return []string{full}, nil
}

// ending is what a file name ends in, in small letters, without what it is packed with.
func ending(name string) string {
	name = strings.ToLower(name)
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	return filepath.Ext(name)
}

// dataFile is a file of rows, being read.
type dataFile struct {
	name  string
	in    io.ReaderAt // the file itself, for formats that are not read from front to end
	size  int64
	raw   *hashReader
	text  *bufio.Reader // unpacked
	done  func()
	close func()
}

// openData opens a file.
func openData(name string) (*dataFile, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	f, err := newDataFile(name, file, info.Size())
	if err != nil {
		file.Close()
		return nil, err
	}
	f.close = func() { f.done(); file.Close() }
	return f, nil
}

// newDataFile reads a file from what holds its bytes.
func newDataFile(name string, in io.ReaderAt, size int64) (*dataFile, error) {
	f := &dataFile{name: name, in: in, size: size, raw: hashing(io.NewSectionReader(in, 0, size))}
	text, done, err := decompress(f.raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f.text, f.done, f.close = bufio.NewReaderSize(text, 64<<10), done, done
	return f, nil
}

// dataRows are the rows of a file, one after the other.
type dataRows interface {
	// next fills in the next row, or gives io.EOF. Other errors name the file and the place.
	next(row *rawRow) error
	// place is where the last row stands, for errors: name:line, or name and the row's number.
	place() string
	close()
}

// open tells by the file's first bytes, its name and its first row how to read it.
func (f *dataFile) open(d *Dataset) (dataRows, *dataFormat, error) {
	head, err := f.text.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, f.readError(err)
	}
	if len(head) == 0 {
		return nil, nil, fmt.Errorf("%s is empty", f.name)
	}
	end, named := ending(f.name), d.Format != "" && d.Format != "csv" && d.Format != "text"
	switch start := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n"); {
	case bytes.HasPrefix(head, parquetMagic):
		return openParquet(f, d)
	case d.Format == "text" || end == ".txt" && !named && d.Columns == nil:
		return &textRows{newDataLines(f)}, &dataFormat{name: "text"}, nil
	case d.Format == "csv" || end == ".csv":
		return openCSV(f, d)
	case bytes.HasPrefix(start, []byte("[")):
		return openJSON(newJSONList(f), d)
	}
	return openJSON(&jsonLines{newDataLines(f)}, d)
}

// skipMark passes over a byte order mark. One that cannot be read is reported by whoever reads on.
func (f *dataFile) skipMark() {
	const mark = "\ufeff"
	if b, _ := f.text.Peek(len(mark)); string(b) == mark {
		_, _ = f.text.Discard(len(mark))
	}
}

func (f *dataFile) readError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is cut off: its compressed data end early; fetch the file again", f.name)
	}
	return fmt.Errorf("read %s: %w", f.name, err)
}

func newDataLines(f *dataFile) *lineReader {
	lines := newLineReader(f.text, f.name)
	lines.limit, lines.what = maxRow, "a dataset"
	return lines
}

// rowLimiter bounds what is read for one row: whoever reads on calls again at its end.
type rowLimiter struct {
	r    io.Reader
	left int
}

var errLongRow = fmt.Errorf("it is longer than %d MiB, or its end is missing", maxRow>>20)

func (r *rowLimiter) again() { r.left = maxRow }

func (r *rowLimiter) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

// digests are those of several files.
type digests struct {
	lines []string
	one   string
}

func (d *digests) add(f *dataFile) error {
	sum, err := f.raw.sum()
	if err != nil {
		return fmt.Errorf("read %s: %w", f.name, err)
	}
	d.one = sum
	d.lines = append(d.lines, sum+"  "+filepath.Base(f.name)+"\n")
	return nil
}

// sum identifies the files, as DatasetFacts.SHA256 says.
func (d *digests) sum() string {
	if len(d.lines) == 1 {
		return d.one
	}
	slices.SortFunc(d.lines, func(a, b string) int { return cmp.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	h := sha256.Sum256([]byte(strings.Join(d.lines, "")))
	return hex.EncodeToString(h[:])
}
