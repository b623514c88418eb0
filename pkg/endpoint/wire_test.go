package endpoint

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// written is a response as bytes, and for each byte of its body the place on the wire where it stands.
type written struct {
	bytes.Buffer
	at   []int
	body []byte
}

func (w *written) data(s string) {
	for i := range len(s) {
		w.at = append(w.at, w.Len()+i)
	}
	w.WriteString(s)
	w.body = append(w.body, s...)
}

func (w *written) chunk(rng *rand.Rand, s string) {
	fmt.Fprintf(w, []string{"%x\r\n", "%X\r\n", "%06x\r\n", "%x;ext=\"a\"\r\n", "%x \r\n"}[rng.IntN(5)], len(s))
	w.data(s)
	w.WriteString("\r\n")
}

// respond writes one random response: any framing, interim responses before it, extensions and trailers in it.
func respond(rng *rand.Rand) *written {
	w := &written{}
	for range rng.IntN(3) {
		w.WriteString("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
	}
	w.WriteString("HTTP/1.1 200 OK\r\nX-Long: " + string(bytes.Repeat([]byte("long "), rng.IntN(40))) + "\r\n")
	var pieces []string
	for range rng.IntN(6) {
		pieces = append(pieces, string(bytes.Repeat([]byte("d\r\n0\n"), 1+rng.IntN(12))))
	}
	switch rng.IntN(3) {
	case 0:
		w.WriteString([]string{"Transfer-Encoding: chunked\r\n\r\n", "transfer-encoding:chunked\r\nConnection: keep-alive\r\n\r\n"}[rng.IntN(2)])
		for _, p := range pieces {
			w.chunk(rng, p)
		}
		w.WriteString([]string{"0\r\n\r\n", "0;x\r\nTrailer: 3\r\n\r\n"}[rng.IntN(2)])
	case 1:
		n := 0
		for _, p := range pieces {
			n += len(p)
		}
		fmt.Fprintf(w, "Content-Length: %d\r\n\r\n", n)
		for _, p := range pieces {
			w.data(p)
		}
	default:
		w.WriteString("Connection: close\r\n\r\n")
		for _, p := range pieces {
			w.data(p)
		}
	}
	return w
}

// Whatever the framing and however it is cut into network reads, each byte of the body is traced to the read that
// brought it, and our count of the body is net/http's.
func TestEveryBodyByteIsTracedToItsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for range 2000 {
		w := respond(rng)
		c := &wireConn{raw: &stampedConn{}}
		c.begin()
		var upTo []int // on the wire, after each read
		wire := w.Bytes()
		for n := 0; n < len(wire); {
			size := min(1+rng.IntN(1+rng.IntN(60)), len(wire)-n)
			c.took(wire[n:n+size], time.Duration(len(upTo)), uint32(len(upTo)))
			n += size
			upTo = append(upTo, n)
		}
		if int(c.frame.body) != len(w.body) {
			t.Fatalf("%q: counted %d bytes of body, want %d", wire, c.frame.body, len(w.body))
		}
		read := 0
		for offset, at := range w.at {
			for upTo[read] <= at {
				read++
			}
			if rng.IntN(3) == 0 {
				continue // not every byte is asked for
			}
			if _, got := c.readOf(int64(offset)); got != uint32(read) {
				t.Fatalf("%q: byte %d of the body came with read %d, not %d", wire, offset, read, got)
			}
		}
	}
}

func FuzzFraming(f *testing.F) {
	rng := rand.New(rand.NewPCG(4, 5))
	for range 8 {
		f.Add(respond(rng).Bytes(), uint64(7))
	}
	f.Fuzz(func(t *testing.T, wire []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var fr framing
		for rest := wire; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			fr.feed(rest[:n])
			rest = rest[n:]
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), &http.Request{Method: http.MethodPost})
		if err != nil || res.StatusCode < 200 || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified || res.ContentLength >= 0 {
			return // interim responses are the transport's; a counted body may be followed by bytes that are not its own
		}
		body, err := io.ReadAll(res.Body)
		if err == nil && fr.body != int64(len(body)) {
			t.Errorf("%q: counted %d bytes of body, net/http reads %d", wire, fr.body, len(body))
		}
	})
}

// A proxy packs events into one chunk that crosses the network in pieces: each event has the time of its own piece.
func TestEventsOfOneChunkHaveTheirOwnTimes(t *testing.T) {
	chunk := chunked(content("a") + content("b") + content("c") + finishEvent + doneEvent)
	const ms = time.Millisecond
	for cut := 1; cut < len(chunk); cut += 7 {
		synctest.Test(t, func(t *testing.T) {
			r, obs := call(t, workload.Approach{}, []step{{0, sseHead}, {ms, chunk[:cut]}, {10 * ms, chunk[cut:] + lastChunk}}, nil)
			if r.Class != OK || r.Text != "abc" {
				t.Fatalf("%+v", r)
			}
			answers := 0
			for _, e := range obs.all {
				if e.Kind != Answer {
					continue
				}
				answers++
				head := len("123\r\n")
				end := head + answers*len(content("a")) // of the blank line that ends the event
				want := ms
				if cut < end {
					want = 11 * ms
				}
				if e.At != want {
					t.Errorf("cut at %d: answer %d at %s, want %s", cut, answers, e.At, want)
				}
			}
			if answers != 3 {
				t.Errorf("%d answers", answers)
			}
		})
	}
}

func BenchmarkWireConn(b *testing.B) {
	line := []byte(chunked(sampleEvent))
	c := &wireConn{Conn: endless{line: line}, raw: &stampedConn{}}
	c.took([]byte(sseHead), 0, 0)
	p := make([]byte, len(line))
	b.ReportAllocs()
	for b.Loop() {
		c.raw.reads.Add(1)
		if _, err := c.Read(p); err != nil {
			b.Fatal(err)
		}
		c.readOf(c.frame.body - 1)
	}
}

// endless is a connection on which the same bytes come again and again.
type endless struct {
	net.Conn
	line []byte
}

func (e endless) Read(p []byte) (int, error) { return copy(p, e.line), nil }
