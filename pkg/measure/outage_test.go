package measure_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The endpoint misbehaves from 4 s to 6 s of a run of 10 s with an arrival every 100 ms.
const outageFrom, outageTo = 4 * time.Second, 6 * time.Second

// outage is a server on an in-memory network that answers at once, and a way to break it during the outage.
type outage struct {
	zero time.Time // the block's time 0
	l    *memnet.Listener
	// connect and answer replace the good behaviour during the outage where they are set.
	connect func(context.Context) (net.Conn, error)
	answer  func(http.ResponseWriter, *http.Request)
	asked   atomic.Int64 // requests that the server saw
}

func (o *outage) now() bool {
	at := time.Since(o.zero)
	return at >= outageFrom && at < outageTo
}

func (o *outage) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if o.connect != nil && o.now() {
		return o.connect(ctx)
	}
	return o.l.Dial(ctx, network, addr)
}

func (o *outage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	if o.answer != nil && o.now() {
		o.answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n")
}

// hijacked writes bytes of an answer one by one, apart by gap, and then holds the connection until the client leaves.
func hijacked(answer string, gap time.Duration) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		for i := range answer {
			if _, err := io.WriteString(c, answer[i:i+1]); err != nil {
				return
			}
			time.Sleep(gap)
		}
		_, _ = io.Copy(io.Discard, c)
	}
}

// Whatever an endpoint does in the middle of a run, no arrival is held back by it, every arrival has its row, each
// failure has its own class and the length of its own limit, no attempt is made twice, and what comes after is measured
// as if nothing had been.
func TestOutageInTheMiddleOfARun(t *testing.T) {
	timeouts := workload.Timeouts{Connect: workload.Duration(time.Second), FirstToken: workload.Duration(2 * time.Second), Idle: workload.Duration(500 * time.Millisecond)}
	for _, tt := range []struct {
		name   string
		broken *outage
		class  endpoint.Class
		took   time.Duration // from scheduled to done
		seen   bool          // the server saw the request
	}{
		{"nothing listens", &outage{connect: func(context.Context) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("connection refused")}
		}}, endpoint.ConnectFailed, 0, false},
		{"packets vanish", &outage{connect: func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, endpoint.TimeoutConnect, time.Second, false},
		{"connections break", &outage{answer: hijackAndClose}, endpoint.Truncated, 0, true},
		{"it hangs", &outage{answer: hijacked("", 0)}, endpoint.TimeoutIdle, 500 * time.Millisecond, true},
		{"it trickles its header", &outage{answer: hijacked("HTTP/1.1 200 OK\r\nX-A: "+fmt.Sprint(make([]int, 100)), 100*time.Millisecond)}, endpoint.TimeoutFirstToken, 2 * time.Second, true},
		{"it says that it is busy", &outage{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3")
			http.Error(w, "busy", http.StatusTooManyRequests)
		}}, endpoint.RateLimited, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := tt.broken
				o.l = memnet.Listen()
				srv := &http.Server{Handler: o}
				go func() { _ = srv.Serve(o.l) }()
				a := workload.Approach{URL: "http://mem/v1", Model: "m", Timeouts: timeouts, Connections: workload.Connections{Reuse: "never"}}
				epoch := time.Now()
				e, err := endpoint.Open(endpoint.Config{Approach: a, Epoch: epoch, Dial: o.dial})
				if err != nil {
					t.Fatal(err)
				}
				o.zero = time.Now().Add(50 * time.Millisecond) // the runner's lead
				rec, rows := record(t, &measure.Runner{}, measure.Block{Approach: "a", Endpoint: e, Epoch: epoch,
					Phases: workload.Phases{Measure: workload.Duration(10 * time.Second), Drain: workload.Duration(30 * time.Second)},
					Times:  everyTenth(100), Request: promptOf})
				e.Close()
				_ = srv.Close()
				if b := rec.Manifest.Blocks[0]; len(rows) != 100 || b.State != measure.Complete || b.Started.Sub(o.zero) != 0 {
					t.Fatalf("%d rows, block %+v, time 0 off by %s", len(rows), b, b.Started.Sub(o.zero))
				}
				seen := 0
				for _, s := range rows {
					class, took, visible := endpoint.OK, time.Duration(0), true
					if at, _ := s.Scheduled.Get(); at >= outageFrom && at < outageTo {
						class, took, visible = tt.class, tt.took, tt.seen
					}
					if visible {
						seen++
					}
					if s.Class != class || s.Dispatched != s.Scheduled || s.Done.Sub(s.Scheduled) != measure.At(took) || s.Sent.Known() != visible {
						t.Errorf("request at %v: %s (%s), dispatched %v, sent %v, done %v; want %s after %s", s.Scheduled, s.Class, s.Error, s.Dispatched, s.Sent, s.Done, class, took)
					}
				}
				if int(o.asked.Load()) != seen {
					t.Errorf("the server saw %d requests, %d reached it: an attempt was hidden", o.asked.Load(), seen)
				}
			})
		})
	}
}

func hijackAndClose(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

func everyTenth(n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * 100 * time.Millisecond
	}
	return times
}
