package scripted

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Served is what happened to one request, by the wall clock in nanoseconds since 1970.
type Served struct {
	Index    int
	Received int64 // when the kernel received the request's last byte
	// Writes are when each event with text was handed to the kernel.
	Writes []int64
	// Due are when they should have been.
	Due []int64
}

// maxStamps bounds what a log may claim to hold of one request.
const maxStamps = 1 << 24

// WriteLog writes a log: of each request its index, the number of its events, when it was received, and the pairs of
// stamps, all little-endian 64-bit integers.
func WriteLog(w io.Writer, log []Served) error {
	b := bufio.NewWriterSize(w, 64<<10)
	put := func(v int64) {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], uint64(v))
		b.Write(word[:]) //nolint:errcheck // stays until Flush
	}
	for i := range log {
		s := &log[i]
		put(int64(s.Index))
		put(int64(len(s.Writes)))
		put(s.Received)
		for k := range s.Writes {
			put(s.Due[k])
			put(s.Writes[k])
		}
	}
	return b.Flush()
}

// ReadLog reads what WriteLog wrote.
func ReadLog(r io.Reader) ([]Served, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	var log []Served
	for {
		var head [3]int64
		if err := binary.Read(in, binary.LittleEndian, head[:]); errors.Is(err, io.EOF) {
			return log, nil
		} else if err != nil {
			return nil, fmt.Errorf("the server's log: %w", err)
		}
		n := head[1]
		if n < 0 || n > maxStamps {
			return nil, fmt.Errorf("the server's log: request %d claims %d events", head[0], n)
		}
		pairs := make([]int64, 2*n)
		if err := binary.Read(in, binary.LittleEndian, pairs); err != nil {
			return nil, fmt.Errorf("the server's log: request %d: %w", head[0], err)
		}
		s := Served{Index: int(head[0]), Received: head[2], Writes: make([]int64, n), Due: make([]int64, n)}
		for k := range s.Writes {
			s.Due[k], s.Writes[k] = pairs[2*k], pairs[2*k+1]
		}
		log = append(log, s)
	}
}
