package measure

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/klauspost/compress/zstd"
)

// rowWriter appends samples to requests.jsonl.zst. Flush makes everything written so far readable, whatever happens to
// the process afterwards.
type rowWriter struct {
	f   *os.File
	z   *zstd.Encoder
	enc *json.Encoder
	n   int
}

func newRowWriter(path string) (*rowWriter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the request log: %w", err)
	}
	z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open the request log: %w", err)
	}
	return &rowWriter{f: f, z: z, enc: json.NewEncoder(z)}, nil
}

func (w *rowWriter) write(s *Sample) error {
	w.n++
	return w.enc.Encode(s)
}

func (w *rowWriter) flush() error {
	if w.n == 0 {
		return nil
	}
	w.n = 0
	return w.z.Flush()
}

func (w *rowWriter) close() error {
	return errors.Join(w.z.Close(), w.f.Sync(), w.f.Close())
}

// ErrTorn is yielded after the last whole row of a request log that ends in the middle: its writer died. What came
// before is good.
var ErrTorn = errors.New("the request log ends in the middle of a row: its writer died; what came before is kept")

// readRows yields the rows of a request log in the order in which the requests ended. The last pair may be an error:
// ErrTorn or a read error.
func readRows(path string) iter.Seq2[*Sample, error] {
	return func(yield func(*Sample, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("open the request log: %w", err))
			return
		}
		defer f.Close()
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if err != nil {
			yield(nil, fmt.Errorf("read %s: %w", path, err))
			return
		}
		defer z.Close()
		yieldRows(bufio.NewReaderSize(z, 64<<10), path, yield)
	}
}

func yieldRows(r *bufio.Reader, path string, yield func(*Sample, error) bool) {
	for line := 1; ; line++ {
		b, err := r.ReadBytes('\n')
		if err != nil {
			if len(b) > 0 || !errors.Is(err, io.EOF) {
				yield(nil, tornOr(err, path))
			}
			return
		}
		s := &Sample{}
		if err := json.Unmarshal(b, s); err != nil {
			yield(nil, fmt.Errorf("%s row %d: %w", path, line, err))
			return
		}
		if !yield(s, nil) {
			return
		}
	}
}

func tornOr(err error, path string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTorn
	}
	return fmt.Errorf("read %s: %w", path, err)
}
