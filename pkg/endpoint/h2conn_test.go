package endpoint

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

// h2Frame is a frame of HTTP/2 by the letter of RFC 9113, section 4.1.
func h2Frame(kind, flags byte, stream uint32, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = append(b, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(b, payload...)
}

func padded(data string, pad int) string {
	return string(rune(pad)) + data + strings.Repeat("\x00", pad)
}

// However the frames are cut, each byte of a body is its stream's and nothing else is.
func TestFramesOfHTTP2(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		wire := []byte(h2Preface)
		want := map[uint32]int{}
		for range 1 + rng.IntN(20) {
			stream := uint32(rng.IntN(4))
			data := strings.Repeat("x", rng.IntN(2)*rng.IntN(50))
			switch rng.IntN(4) {
			case 0:
				wire = append(wire, h2Frame(frameData, byte(rng.IntN(2)), stream|1<<31, data)...) // with the reserved bit
				want[stream] += len(data)
			case 1:
				wire = append(wire, h2Frame(frameData, flagPadded, stream, padded(data, rng.IntN(100)))...)
				want[stream] += len(data)
			default:
				wire = append(wire, h2Frame(byte(1+rng.IntN(9)), 0xff, stream, data)...)
			}
		}
		got := map[uint32]int{}
		f := h2Frames{skip: len(h2Preface)}
		for rest := wire; len(rest) > 0; {
			n := 1 + rng.IntN(min(len(rest), 1+rng.IntN(60)))
			f.feed(rest[:n], func(f *h2Frames, data int) { got[f.stream] += data })
			rest = rest[n:]
		}
		for stream := range uint32(4) {
			if got[stream] != want[stream] {
				t.Fatalf("stream %d: %d bytes, want %d: %q", stream, got[stream], want[stream], wire)
			}
		}
	}
}

// h2Server speaks just enough of HTTP/2 to answer each request with the same frames. It returns how many it was sent.
func h2Server(t *testing.T, answer func(stream uint32) []byte) (url string, requests *atomic.Int32) {
	requests = new(atomic.Int32)
	return rawServer(t, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len(h2Preface))); err != nil {
			return
		}
		c.Write(h2Frame(4, 0, 0, "")) // SETTINGS
		for {
			var head [9]byte
			if _, err := io.ReadFull(c, head[:]); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[:4])>>8)); err != nil {
				return
			}
			if head[3] == frameHeaders {
				requests.Add(1)
			}
			if head[3] <= frameHeaders && head[4]&flagEndStream != 0 {
				if b := answer(binary.BigEndian.Uint32(head[5:])); b != nil {
					c.Write(b)
				} else {
					return
				}
			}
		}
	}), requests
}

// okHead is :status 200 and content-type: text/event-stream in HPACK (RFC 7541, appendix A: 8 and 31 of the static table).
const okHead = "\x88\x0f\x10\x11text/event-stream"

// What a server can do to a stream, and that nothing is sent twice.
func TestEndsOfAStream(t *testing.T) {
	const headersEnd = 0x4
	ok := func(id uint32) []byte { return h2Frame(frameHeaders, headersEnd, id, okHead) }
	for _, tt := range []struct {
		name   string
		answer func(id uint32) []byte
		class  Class
		words  string
		text   string
	}{
		{"padded", func(id uint32) []byte {
			return bytes.Join([][]byte{ok(id), h2Frame(frameData, flagPadded, id, padded(content("a"), 7)), h2Frame(frameData, flagPadded|flagEndStream, id, padded(finishEvent+doneEvent, 99))}, nil)
		}, OK, "", "a"},
		{"refused", func(id uint32) []byte { return h2Frame(3, 0, id, "\x00\x00\x00\x07") }, Truncated, "answer came: stream error: stream ID 1; REFUSED_STREAM; received from peer", ""},
		{"reset in the middle", func(id uint32) []byte {
			return bytes.Join([][]byte{ok(id), h2Frame(frameData, 0, id, content("a")), h2Frame(3, 0, id, "\x00\x00\x00\x02")}, nil)
		}, Truncated, "INTERNAL_ERROR", "a"},
		{"going away before this stream", func(id uint32) []byte {
			return h2Frame(7, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00")
		}, Truncated, "answer came: http2: Transport received Server's graceful shutdown GOAWAY", ""},
		{"going away after it", func(id uint32) []byte {
			return bytes.Join([][]byte{h2Frame(7, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00"), ok(id), h2Frame(frameData, flagEndStream, id, content("a")+finishEvent+doneEvent)}, nil)
		}, OK, "", "a"},
		{"gone", func(uint32) []byte { return nil }, Truncated, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, requests := h2Server(t, tt.answer)
			e := onLoopback(t, url, func(c *Config) { c.Approach.Connections = workload.Connections{Protocol: h2c} })
			r := e.Do(t.Context(), &testRequest, &events{})
			if r.Class != tt.class || !strings.Contains(r.Error, tt.words) || r.Text != tt.text || requests.Load() != 1 {
				t.Errorf("%s %q, text %q, %d requests", r.Class, r.Error, r.Text, requests.Load())
			}
			if r = e.Do(t.Context(), &testRequest, &events{}); r.Class != tt.class { // on a connection that is good for it
				t.Errorf("again: %s %q", r.Class, r.Error)
			}
			e.Close()
		})
	}
}

// A server that does not speak HTTP/2 is a failure, never another protocol than was asked for.
func TestNoHTTP2There(t *testing.T) {
	l := startLoopback(t, nil, true, false)
	l.approach.Connections.Protocol = h2
	if r := l.open(t, "ok", nil).Do(t.Context(), &testRequest, &events{}); r.Class != TLSFailed {
		t.Errorf("h2: %+v", r)
	}
	l = startLoopback(t, nil, false, false)
	l.approach.Connections.Protocol = h2c
	r := l.open(t, "ok", nil).Do(t.Context(), &testRequest, &events{})
	if r.Class != Truncated && (r.Class != Malformed || r.Error != errForeign.Error()) { // it may hang up before its words are read
		t.Errorf("h2c: %+v", r)
	}
}

// Many streams share one connection, and each has its own answer.
func TestStreamsShareAConnection(t *testing.T) {
	for _, way := range []string{"h2", "h2c"} {
		l := ways[way](t)
		e := l.open(t, "ok", nil)
		if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != OK || !r.NewConnection {
			t.Fatalf("%s: %+v", way, r)
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				obs := &events{}
				r := e.Do(t.Context(), &testRequest, obs)
				if sent, ok := obs.first(Sent); r.Class != OK || r.Text != "ab" || r.NewConnection || r.Stamps != StampsClock || !ok || sent.At == 0 {
					t.Errorf("%s: %+v", way, r)
				}
			})
		}
		all.Wait()
	}
	l := ways["h2"](t)
	e := l.open(t, "ok", func(c *Config) { c.Approach.Connections.Reuse = "never" })
	for range 3 {
		if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != OK || !r.NewConnection {
			t.Errorf("reuse: never: %+v", r)
		}
	}
}

// inMemoryH2 opens an endpoint on an HTTP/2 server of the standard library in memory, and runs one request, so that the
// connection is there.
func inMemoryH2(t *testing.T, a workload.Approach, answer func(w http.ResponseWriter, question string)) (e Endpoint, start time.Duration, stop func()) {
	t.Helper()
	l := memnet.Listen()
	s := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		answer(w, string(b))
		io.WriteString(w, doneEvent)
	})}
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	a.URL, a.Connections.Protocol = "http://mem/v1", h2c
	epoch := time.Now()
	e, err := Open(Config{Approach: a, Epoch: epoch, Dial: l.Dial})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != OK {
		t.Fatalf("%+v", r)
	}
	return e, time.Since(epoch), func() {
		e.Close()
		s.Close()
		l.Close()
		synctest.Wait()
	}
}

// say writes pieces of text with pauses before them.
func say(w http.ResponseWriter, n int, pause time.Duration) {
	for range n {
		time.Sleep(pause)
		io.WriteString(w, content("x"))
		w.(http.Flusher).Flush()
	}
}

func asking(what string) *workload.Request {
	return &workload.Request{Messages: []workload.Message{{Role: "user", Content: what}}}
}

// An event has the time and the number of the read that brought it, though its stream is read late and other streams'
// bytes came meanwhile on the same connection.
func TestStreamsKeepTheirStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, start, stop := inMemoryH2(t, workload.Approach{}, func(w http.ResponseWriter, question string) {
			if strings.Contains(question, "other") {
				time.Sleep(35 * time.Millisecond)
			}
			say(w, 3, 10*time.Millisecond)
		})
		slow, quick := &sleeper{pause: 100 * time.Millisecond}, &events{}
		var both sync.WaitGroup
		both.Go(func() { e.Do(t.Context(), &testRequest, slow) })
		both.Go(func() { e.Do(t.Context(), asking("other"), quick) })
		both.Wait()
		answers := func(all []Event) (ms []time.Duration, reads []uint32) {
			for _, ev := range all {
				if ev.Kind == Answer {
					ms, reads = append(ms, (ev.At-start)/time.Millisecond), append(reads, ev.Read)
				}
			}
			return ms, reads
		}
		ms, reads := answers(slow.all)
		more, others := answers(quick.all)
		if !slices.Equal(ms, []time.Duration{10, 20, 30}) || !slices.Equal(more, []time.Duration{45, 55, 65}) {
			t.Errorf("at %v and %v ms", ms, more)
		}
		seen := map[uint32]bool{}
		for _, n := range append(reads, others...) {
			seen[n] = true
		}
		if len(seen) != 6 {
			t.Errorf("reads %v and %v", reads, others)
		}
		for _, all := range [][]Event{slow.all, quick.all} {
			if ev := all[1]; ev.Kind != Sent || ev.At != start {
				t.Errorf("%+v, want it sent at %s", ev, start)
			}
		}
		stop()
	})
}

// A stream that says nothing is idle, whatever others say on its connection.
func TestStreamsAreIdleApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := workload.Approach{Timeouts: workload.Timeouts{Idle: workload.Duration(50 * time.Millisecond)}}
		e, _, stop := inMemoryH2(t, a, func(w http.ResponseWriter, question string) {
			say(w, 1, 10*time.Millisecond)
			if strings.Contains(question, "quiet") {
				time.Sleep(time.Second)
			} else if strings.Contains(question, "other") {
				say(w, 20, 10*time.Millisecond)
			}
		})
		var both sync.WaitGroup
		both.Go(func() {
			began := time.Now()
			if r := e.Do(t.Context(), asking("quiet"), &events{}); r.Class != TimeoutIdle || time.Since(began) != 60*time.Millisecond {
				t.Errorf("%s %q after %s", r.Class, r.Error, time.Since(began))
			}
		})
		both.Go(func() {
			if r := e.Do(t.Context(), asking("other"), &events{}); r.Class != OK || r.NewConnection {
				t.Errorf("%+v", r)
			}
		})
		both.Wait()
		time.Sleep(time.Second) // for the server's part
		stop()
	})
}
