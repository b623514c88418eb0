package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// pieces is a source that gives one piece per read and counts its reads; a read's stamp is its number in ms.
type pieces struct {
	left [][]byte
	upTo []int64 // how far the stream was after each read
	n    int64
	err  error // at the end; nil: io.EOF
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; len(p.left[0]) == 0 {
		p.left = p.left[1:]
	}
	p.n += int64(n)
	p.upTo = append(p.upTo, p.n)
	return n, nil
}

func (p *pieces) readOf(offset int64) (time.Duration, uint32) {
	for i, upTo := range p.upTo {
		if offset < upTo {
			return time.Duration(i+1) * time.Millisecond, uint32(i + 1)
		}
	}
	return 0, 0
}

// got is a frame without its stamps.
type got struct{ kind, event, data string }

func readAll(src stampedSource, size int) (frames []got, torn bool, err error) {
	r := newSSEReader(src, make([]byte, size))
	var f frame
	for {
		if err := r.next(&f); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return frames, r.torn, err
		}
		kind := "data"
		if f.comment {
			kind = "comment"
		}
		frames = append(frames, got{kind, string(f.event), string(f.data)})
	}
}

func TestSSEGrammar(t *testing.T) {
	d := func(s string) got { return got{"data", "", s} }
	tests := []struct {
		name, in string
		want     []got
		torn     bool
	}{
		{"LF", "data: a\n\ndata: b\n\n", []got{d("a"), d("b")}, false},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []got{d("a"), d("b")}, false},
		{"CR", "data: a\r\rdata: b\r\r", []got{d("a"), d("b")}, false},
		{"mixed line ends", "data: a\r\n\ndata: b\n\rdata: c\r\r\n", []got{d("a"), d("b"), d("c")}, false},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", []got{d("a")}, false},
		{"a mark later is data", "data: \xef\xbb\xbf\n\n", []got{d("\xef\xbb\xbf")}, false},
		{"no space after the colon", "data:a\n\n", []got{d("a")}, false},
		{"only one space is dropped", "data:  a\n\n", []got{d(" a")}, false},
		{"colon in the value", "data: a:b: c\n\n", []got{d("a:b: c")}, false},
		{"several data lines", "data: a\ndata: b\ndata: c\n\n", []got{d("a\nb\nc")}, false},
		{"empty data lines", "data\ndata:\n\n", []got{d("\n")}, false},
		{"empty data is an event", "data:\n\n", []got{d("")}, false},
		{"an event without data is none", "event: ping\n\ndata: a\n\n", []got{d("a")}, false},
		{"event type", "event: x\ndata: a\n\ndata: b\n\n", []got{{"data", "x", "a"}, d("b")}, false},
		{"the last type wins", "event: x\nevent: y\ndata: a\n\n", []got{{"data", "y", "a"}}, false},
		{"comments", ": ping\n\n:\ndata: a\n: in between\ndata: b\n\n", []got{{"comment", "", " ping"}, {"comment", "", ""}, {"comment", "", " in between"}, d("a\nb")}, false},
		{"id, retry and unknown fields", "id: 7\nretry: 10\nfoo: bar\nfoo\ndata: a\n\n", []got{d("a")}, false},
		{"an error as a field (older llama.cpp)", "error: {\"code\":500}\n\n", []got{{"data", "error", `{"code":500}`}}, false},
		{"blank lines between", "\n\n\ndata: a\n\n\n\n", []got{d("a")}, false},
		{"cut after data", "data: a\n\ndata: b\n", []got{d("a")}, true},
		{"cut inside a line", "data: a\n\nda", []got{d("a")}, true},
		{"cut after CR", "data: a\r", nil, true},
		{"empty stream", "", nil, false},
		{"only a piece of a mark", "\xef\xbb", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, src := range []struct {
				how string
				io.Reader
			}{{"at once", strings.NewReader(tt.in)}, {"byte by byte", iotest.OneByteReader(strings.NewReader(tt.in))},
				{"error with the last bytes", iotest.DataErrReader(strings.NewReader(tt.in))}} {
				frames, torn, err := readAll(unstamped{src}, 1)
				if fmt.Sprint(frames) != fmt.Sprint(tt.want) || torn != tt.torn || err != nil {
					t.Errorf("%s: %q torn %v err %v, want %q torn %v", src.how, frames, torn, err, tt.want, tt.torn)
				}
			}
		})
	}
}

type unstamped struct{ io.Reader }

func (unstamped) readOf(int64) (time.Duration, uint32) { return 0, 0 }

// However the bytes are cut into reads, the events are the same; the naive reader below is another reading of the
// standard.
func TestSSEAnySplit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	words := []string{"data: ", "data:", "event: x", "error:y", "id: 1", ":", " hello", "\n", "\r", "\r\n", "\n\n", "\xef\xbb\xbf", "data", "é", "a:b"}
	for range 3000 {
		var in []byte
		for range rng.IntN(12) {
			in = append(in, words[rng.IntN(len(words))]...)
		}
		checkSplit(t, in, rng)
	}
}

func checkSplit(t *testing.T, in []byte, rng *rand.Rand) {
	t.Helper()
	want, wantTorn := naiveSSE(in)
	var cut [][]byte
	for rest := in; len(rest) > 0; {
		n := 1 + rng.IntN(len(rest))
		cut = append(cut, bytes.Clone(rest[:n]))
		rest = rest[n:]
	}
	frames, torn, err := readAll(&pieces{left: cut}, 1+rng.IntN(40))
	if err != nil || fmt.Sprint(frames) != fmt.Sprint(want) || torn != wantTorn {
		t.Fatalf("%q in %d pieces:\n got %q torn %v err %v\nwant %q torn %v", in, len(cut), frames, torn, err, want, wantTorn)
	}
}

// naiveSSE reads the whole stream the way that the standard's text is written.
func naiveSSE(in []byte) (out []got, torn bool) {
	s := strings.TrimPrefix(string(in), "\xef\xbb\xbf")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(s, "\n")
	rest := lines[len(lines)-1]
	var event string
	var data []string
	for _, line := range lines[:len(lines)-1] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if data != nil {
				out = append(out, got{"data", event, strings.Join(data, "\n")})
			}
			event, data = "", nil
		case name == "":
			out = append(out, got{"comment", "", line[1:]})
		case name == "data":
			data = append(data, value)
		case name == "event":
			event = value
		case name == "error":
			event, data = "error", append(data, value)
		}
	}
	return out, rest != "" || data != nil
}

func FuzzSSE(f *testing.F) {
	for _, s := range []string{"data: a\n\n", "\xef\xbb\xbfdata: a\r\rdata", ": c\r\n\r\nevent:x\ndata\n\n"} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		checkSplit(t, in, rand.New(rand.NewPCG(seed, 0)))
	})
}

// An event's stamp is that of the read that ended it, and events of one read share its number.
func TestSSEStamps(t *testing.T) {
	src := &pieces{left: [][]byte{[]byte("data: a\n\ndata: b\n\nda"), []byte("ta: c\n"), []byte("\n"), []byte("data: d\n\n")}}
	r := newSSEReader(src, make([]byte, 64))
	var f frame
	for _, want := range []struct {
		data string
		read uint32
	}{{"a", 1}, {"b", 1}, {"c", 3}, {"d", 4}} {
		if err := r.next(&f); err != nil {
			t.Fatal(err)
		}
		if string(f.data) != want.data || f.read != want.read || f.at != time.Duration(want.read)*time.Millisecond {
			t.Errorf("%q at %s in read %d, want %q in read %d", f.data, f.at, f.read, want.data, want.read)
		}
	}
}

func TestSSELargeEvents(t *testing.T) {
	big := strings.Repeat("x", 5<<20)
	for _, piece := range []int{1 << 10, 1 << 20} {
		in := []byte("data: " + big + "\n\ndata: after\n\n")
		var cut [][]byte
		for ; len(in) > piece; in = in[piece:] {
			cut = append(cut, in[:piece])
		}
		frames, _, err := readAll(&pieces{left: append(cut, in)}, 32)
		if err != nil || len(frames) != 2 || frames[0].data != big || frames[1].data != "after" {
			t.Fatalf("pieces of %d: %d frames, %v", piece, len(frames), err)
		}
	}
	endless := io.MultiReader(strings.NewReader("data: "), zeros{})
	if _, _, err := readAll(unstamped{endless}, 32); !errors.Is(err, errTooLarge) {
		t.Errorf("an endless line: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestSSEReadErrorIsKept(t *testing.T) {
	boom := errors.New("boom")
	frames, torn, err := readAll(&pieces{left: [][]byte{[]byte("data: a\n\ndata: b")}, err: boom}, 32)
	if !errors.Is(err, boom) || !torn || len(frames) != 1 {
		t.Errorf("%q torn %v err %v", frames, torn, err)
	}
}

// repeated gives the same events again and again, one read each.
type repeated struct {
	event []byte
	at    int
	reads uint32
}

func (r *repeated) Read(b []byte) (int, error) {
	n := copy(b, r.event[r.at:])
	r.at = (r.at + n) % len(r.event)
	r.reads++
	return n, nil
}

func (r *repeated) readOf(int64) (time.Duration, uint32) {
	return time.Duration(r.reads), r.reads
}

const sampleEvent = `data: {"id":"chatcmpl-PwXlCMNvmbk7qE5yBQc6kYqN8fSirRX4","object":"chat.completion.chunk","created":1795433010,"model":"small","choices":[{"index":0,"delta":{"content":" follow"},"finish_reason":null}],"usage":null}` + "\n\n"

func TestHotPathDoesNotAllocate(t *testing.T) {
	r := newSSEReader(&repeated{event: []byte(sampleEvent)}, make([]byte, 4096))
	var f frame
	var c chatChunk
	allocs := testing.AllocsPerRun(1000, func() {
		if err := r.next(&f); err != nil || !parseChatChunk(f.data, &c) || c.kind != Answer {
			t.Fatal(err, c)
		}
	})
	if allocs != 0 {
		t.Errorf("%g allocations per event", allocs)
	}
}

func BenchmarkSSENext(b *testing.B) {
	r := newSSEReader(&repeated{event: []byte(sampleEvent)}, make([]byte, 32<<10))
	var f frame
	b.ReportAllocs()
	b.SetBytes(int64(len(sampleEvent)))
	for b.Loop() {
		if err := r.next(&f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSSENextAndClassify(b *testing.B) {
	r := newSSEReader(&repeated{event: []byte(sampleEvent)}, make([]byte, 32<<10))
	var f frame
	var c chatChunk
	b.ReportAllocs()
	for b.Loop() {
		if err := r.next(&f); err != nil || !parseChatChunk(f.data, &c) {
			b.Fatal(err)
		}
	}
}
