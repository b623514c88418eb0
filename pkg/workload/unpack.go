package workload

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// The first bytes of compressed files.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// decompress unpacks a file by its first bytes, or passes it on.
func decompress(r io.Reader) (io.Reader, func(), error) {
	src := &failingReader{r: r}
	b := bufio.NewReaderSize(src, 64<<10)
	magic, err := b.Peek(len(zstdMagic))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, nil, err
	case bytes.HasPrefix(magic, gzipMagic):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, src.damaged(err)
		}
		return &unpacker{z, src}, func() {}, nil
	case bytes.Equal(magic, zstdMagic):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return &unpacker{z, src}, z.Close, nil
	}
	return b, func() {}, nil
}

// failingReader remembers how reading a file failed.
type failingReader struct {
	r   io.Reader
	err error
}

func (f *failingReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// damaged is the error of unpacking, unless the file itself could not be read.
func (f *failingReader) damaged(err error) error {
	if f.err != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("its compressed data are damaged (%w): fetch the file again", err)
}

// unpacker says of an error whether the compressed data are at fault.
type unpacker struct {
	io.Reader
	src *failingReader
}

func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil {
		err = u.src.damaged(err)
	}
	return n, err
}

// binaryKind says what a file that is no text looks like by its first line; empty for text.
func binaryKind(first []byte) string {
	for magic, kind := range map[string]string{"BZh": "a bzip2 file", "\xfd7zXZ": "an xz file", "PK\x03\x04": "a zip file", "\x04\"M\x18": "an lz4 file",
		"PAR1": "a Parquet file", "SQLite format 3": "an SQLite file", string(gzipMagic): "a gzip file in another", string(zstdMagic): "a zstd file in another"} {
		if strings.HasPrefix(string(first), magic) {
			return kind
		}
	}
	if bytes.IndexByte(first, 0) >= 0 {
		return "a binary file"
	}
	return ""
}
