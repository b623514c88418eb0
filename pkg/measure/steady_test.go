package measure

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// feed tells a recorder of n events, 20 ms or so apart, as an endpoint would.
func feed(r *recorder, from, n int) {
	for i := from; i < from+n; i++ {
		at := time.Duration(i)*20*time.Millisecond + time.Duration(i%1000)*time.Microsecond
		r.Observe(endpoint.Event{Kind: endpoint.Answer, At: at, Read: uint32(i), Late: 30 * time.Microsecond})
	}
}

func usageOf(n int) *endpoint.Result {
	return &endpoint.Result{Class: endpoint.OK, Stamps: endpoint.StampsKernel, Usage: endpoint.Usage{Output: &n}}
}

// live is the number of bytes that something refers to.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// manyEvents is the length of the long runs.
func manyEvents() int {
	if testing.Short() || raceDetector {
		return 1_000_000
	}
	return 10_000_000
}

func testCollector(t testing.TB) *collector {
	t.Helper()
	w, err := Create(filepath.Join(t.TempDir(), "run"), &Manifest{Started: time.Now(), Scenario: &workload.Scenario{Name: "t"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.closeFiles(); err != nil {
			t.Error(err)
		}
	})
	return newCollector(w, &Block{Approach: "a"}, time.Now(), nil, func(Live) {})
}

// The memory of a run does not grow with what it measures: recorder, collector and the files of the record hold the same after
// ten times as many events.
func TestMemoryIsConstantInTheNumberOfEvents(t *testing.T) {
	const perRequest = 1000
	c := testCollector(t)
	done := 0
	upTo := func(events int) int64 {
		for ; done*perRequest < events; done++ {
			s := &Sample{Index: done, Phase: Measure, Scheduled: At(0)}
			r := recorder{sample: s, count: c.count}
			r.Observe(endpoint.Event{Kind: endpoint.Sent})
			feed(&r, 1, perRequest)
			r.finish(usageOf(perRequest))
			c.add(s)
			if done%100 == 99 {
				c.flush()
			}
		}
		if c.err != nil {
			t.Fatal(c.err)
		}
		return live()
	}
	few := upTo(manyEvents() / 10)
	many := upTo(manyEvents())
	t.Logf("%d bytes live after %d events, %d after %d", few, manyEvents()/10, many, manyEvents())
	if many-few > 64<<10 {
		t.Errorf("%d bytes more after ten times as many events", many-few)
	}
	if got := c.total.Hist(workload.ChunkGap).Count(); got != int64(done*(perRequest-1)) {
		t.Errorf("%d gaps recorded", got)
	}
}

// Nor does the memory of one stream grow without bound, however long its answer is.
func TestMemoryOfOneStreamIsBounded(t *testing.T) {
	s := &Sample{}
	r := recorder{sample: s, count: &counters{}}
	before := live()
	feed(&r, 1, manyEvents()/10)
	few := live()
	feed(&r, 1+manyEvents()/10, manyEvents()*9/10)
	many := live()
	t.Logf("%d bytes after %d events, %d after %d", few-before, manyEvents()/10, many-before, manyEvents())
	if few-before > 2<<20 || many-few > 64<<10 {
		t.Errorf("a stream holds %d bytes after %d events, %d after %d", few-before, manyEvents()/10, many-before, manyEvents())
	}
	r.finish(usageOf(manyEvents()))
	var tally Tally
	if err := tally.Add(s); err != nil {
		t.Fatal(err)
	}
	for _, m := range []workload.Metric{workload.ChunkGap, workload.ITL, workload.ReadLag} {
		if n := tally.Hist(m).Count(); n < int64(manyEvents())-1 {
			t.Errorf("%s: %d values of %d events", m, n, manyEvents())
		}
	}
}

// canned answers every request on a loopback connection with the same stream of n events, which costs nothing to make.
func canned(t testing.TB, n int) (url string) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	chunk := func(data string) { fmt.Fprintf(&b, "%x\r\ndata: %s\n\n\r\n", len(data)+8, data) }
	for range n {
		chunk(`{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}`)
	}
	chunk(fmt.Sprintf(`{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":%d,"total_tokens":%d}}`, n, n+1))
	chunk("[DONE]")
	b.WriteString("0\r\n\r\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if _, err = io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					if _, err = c.Write(b.Bytes()); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/v1"
}

// whole makes one request the whole way: over a socket, through the parser and the recorder, into the collector.
func whole(t testing.TB, e endpoint.Endpoint, c *collector, epoch time.Time) {
	t.Helper()
	s := &Sample{Phase: Measure, Scheduled: At(time.Since(epoch))}
	r := recorder{sample: s, count: c.count}
	res := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: "hello"}}}, &r)
	r.finish(&res)
	if c.add(s); !s.OK() || c.err != nil {
		t.Fatal(s.Error, c.err)
	}
}

func opened(t testing.TB, url string, epoch time.Time) endpoint.Endpoint {
	t.Helper()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url, Model: "m"}, Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// What a request allocates does not depend on how many events it has, but for the list of its gaps: from the socket to the
// histogram nothing is allocated for an event.
func TestNoAllocationPerEventOnTheWholeWay(t *testing.T) {
	c := testCollector(t)
	epoch := time.Now()
	allocs := func(events int) float64 {
		e := opened(t, canned(t, events), epoch)
		whole(t, e, c, epoch) // connects, and fills the pools
		return testing.AllocsPerRun(20, func() { whole(t, e, c, epoch) })
	}
	const few, many = 100, 2100
	a, b := allocs(few), allocs(many)
	t.Logf("%g allocations with %d events, %g with %d", a, few, b, many)
	if per := (b - a) / (many - few); per > 0.02 {
		t.Errorf("%g allocations per event", per)
	}
}
