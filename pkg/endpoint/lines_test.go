package endpoint

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// readLines reads a stream of lines to its end.
func readLines(src stampedSource, size int) (frames []got, reads []uint32, cut bool, err error) {
	r := newLineReader(src)
	r.memory().buf = make([]byte, size)
	var f frame
	for {
		if err := r.next(&f); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return frames, reads, r.cut(), err
		}
		kind := "event"
		if f.comment {
			kind = "comment"
		}
		frames, reads = append(frames, got{kind, string(f.event), string(f.data)}), append(reads, f.read)
	}
}

func line(data string) got { return got{"event", "", data} }

func TestLines(t *testing.T) {
	empty := got{"comment", "", ""}
	for _, tt := range []struct {
		name, stream string
		want         []got
		cut          bool
	}{
		{"lines", "{\"a\":1}\n{\"a\":2}\n", []got{line(`{"a":1}`), line(`{"a":2}`)}, false},
		{"CRLF", "{\"a\":1}\r\n{\"a\":2}\r\n", []got{line(`{"a":1}`), line(`{"a":2}`)}, false},
		{"a last line without its end", "{\"a\":1}\n{\"a\":2}", []got{line(`{"a":1}`), line(`{"a":2}`)}, false},
		{"a last line that is cut", "{\"a\":1}\n{\"a\":", []got{line(`{"a":1}`)}, true},
		{"a last line cut where its end would stand", "{\"a\":1}\n{\"a\":2", []got{line(`{"a":1}`)}, true},
		{"keep-alives", "\n{\"a\":1}\n\r\n \n{\"a\":2}\n\n", []got{empty, line(`{"a":1}`), empty, empty, line(`{"a":2}`), empty}, false},
		{"blanks around a line", "  {\"a\":1}\t\n", []got{line(`{"a":1}`)}, false},
		{"a line end in a text is an escape", "{\"a\":\"\\n\"}\n", []got{line(`{"a":"\n"}`)}, false},
		{"no JSON", "nonsense\n", []got{line("nonsense")}, false},
		{"nothing", "", nil, false},
	} {
		for _, size := range []int{1, 7, 4096} { // of the reads and of the buffer
			var p pieces
			for b := range slices.Chunk([]byte(tt.stream), size) {
				p.left = append(p.left, b)
			}
			frames, _, cut, err := readLines(&p, size)
			if err != nil || !slices.Equal(frames, tt.want) || cut != tt.cut {
				t.Errorf("%s, %d bytes per read: %q cut %v, want %q cut %v (%v)", tt.name, size, frames, cut, tt.want, tt.cut, err)
			}
		}
	}
}

// A line has the stamp of the read that brought its end, whatever the reads are.
func TestLinesHaveTheirRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var stream strings.Builder
		var ends []int64
		for range 1 + rng.IntN(8) {
			stream.WriteString(`{"a":"` + strings.Repeat("x", rng.IntN(40)) + `"}`)
			ends = append(ends, int64(stream.Len()))
			stream.WriteByte('\n')
		}
		var p pieces
		for left := []byte(stream.String()); len(left) > 0; {
			n := 1 + rng.IntN(min(len(left), 60))
			p.left, left = append(p.left, left[:n]), left[n:]
		}
		frames, reads, cut, err := readLines(&p, 1+rng.IntN(64))
		if err != nil || cut || len(frames) != len(ends) {
			t.Fatalf("%d lines of %d, cut %v (%v)", len(frames), len(ends), cut, err)
		}
		for i, end := range ends {
			if _, want := p.readOf(end); reads[i] != want {
				t.Fatalf("line %d came with read %d, want %d", i, reads[i], want)
			}
		}
	}
}

// A connection that breaks is an error after the lines that were whole, with or without its end.
func TestLinesThenReset(t *testing.T) {
	p := pieces{left: [][]byte{[]byte("{\"a\":1}\n{\"a\":2}")}, err: syscall.ECONNRESET}
	frames, _, _, err := readLines(&p, 64)
	if !errors.Is(err, syscall.ECONNRESET) || !slices.Equal(frames, []got{line(`{"a":1}`), line(`{"a":2}`)}) {
		t.Errorf("%q (%v)", frames, err)
	}
}
