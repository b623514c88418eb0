package endpoint

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

// step is one write of a scripted server: wait, then send these bytes. The last step may end the connection.
type step struct {
	after time.Duration
	bytes string
}

const hangUp = "\x00hang up"

// scriptedServer answers each connection's requests with the same bytes, write by write.
func scriptedServer(t *testing.T, l *memnet.Listener, steps []step, seen func(*http.Request, []byte)) {
	t.Helper()
	over := make(chan struct{}) // a bubble's main goroutine must not leave sleepers behind
	defer close(over)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				body, _ := io.ReadAll(req.Body)
				if seen != nil {
					seen(req, body)
				}
				for _, s := range steps {
					select {
					case <-time.After(s.after):
					case <-over:
						return
					}
					if s.bytes == hangUp {
						return
					}
					if _, err := io.WriteString(c, s.bytes); err != nil {
						return
					}
				}
			}
		}()
	}
}

// events collects what an observer is told.
type events struct{ all []Event }

func (e *events) Observe(ev Event) { e.all = append(e.all, ev) }

func (e *events) first(k Kind) (Event, bool) {
	for _, ev := range e.all {
		if ev.Kind == k {
			return ev, true
		}
	}
	return Event{}, false
}

func (e *events) count(k Kind) (n int) {
	for _, ev := range e.all {
		if ev.Kind == k {
			n++
		}
	}
	return n
}

var testRequest = workload.Request{Messages: []workload.Message{{Role: "user", Content: "say <hi> & \"bye\""}}, MaxTokens: 7}

// call drives one request against a scripted server in virtual time.
func call(t *testing.T, a workload.Approach, steps []step, seen func(*http.Request, []byte)) (Result, *events) {
	t.Helper()
	r, obs := callBy(t, false, a, steps, seen)
	ref, refObs := callBy(t, true, a, steps, nil)
	compare(t, r, ref, obs, refObs)
	return r, obs
}

// callBy is call by one carrier.
func callBy(t *testing.T, reference bool, a workload.Approach, steps []step, seen func(*http.Request, []byte)) (Result, *events) {
	t.Helper()
	l := memnet.Listen()
	go scriptedServer(t, l, steps, seen)
	a.URL, a.Model = "http://mem/v1", "m"
	e, err := Open(Config{Approach: a, Key: "sk-secret", Epoch: time.Now(), KeepText: true, Dial: l.Dial, Reference: reference})
	if err != nil {
		t.Fatal(err)
	}
	obs := &events{}
	r := e.Do(t.Context(), &testRequest, obs)
	e.Close()
	l.Close()
	synctest.Wait()
	return r, obs
}

// compare holds what our own HTTP/1.1 makes of a response against what net/http makes of it: everything but the words
// of a failed transport.
func compare(t *testing.T, r, ref Result, obs, refObs *events) {
	t.Helper()
	if ref.Class == Truncated || ref.Class == Malformed {
		r.Error, ref.Error = "", ""
	}
	if r.Status == 0 && r.Class == Truncated && ref.Class == Malformed {
		ref.Class = Truncated // net/http does not tell a head that is cut off from one that is malformed
	}
	r.Stamps, ref.Stamps = "", ""
	if !reflect.DeepEqual(r, ref) {
		t.Errorf("our own HTTP makes\n%+v of it, net/http\n%+v", r, ref)
	}
	if !slices.Equal(obs.all, refObs.all) {
		t.Errorf("our own HTTP tells\n%+v, net/http\n%+v", obs.all, refObs.all)
	}
}

const sseHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Request-Id: r1\r\n\r\n"

// chunked frames s as one HTTP chunk.
func chunked(s string) string {
	return strings.ToUpper(hex(len(s))) + "\r\n" + s + "\r\n"
}

func hex(n int) string {
	const digits = "0123456789abcdef"
	if n < 16 {
		return digits[n : n+1]
	}
	return hex(n/16) + digits[n%16:n%16+1]
}

const lastChunk = "0\r\n\r\n"

func content(s string) string {
	return `data: {"choices":[{"delta":{"content":"` + s + `"}}]}` + "\n\n"
}

const (
	roleEvent   = `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n"
	finishEvent = `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usageEvent  = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}` + "\n\n"
	doneEvent   = "data: [DONE]\n\n"
)

func TestStreamIsStampedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		var sent map[string]any
		var header http.Header
		r, obs := call(t, workload.Approach{Body: map[string]any{"temperature": 0.5, "stream_options": nil}, Headers: map[string]string{"X-Team": "a"}}, []step{
			{10 * ms, sseHead},
			{20 * ms, chunked(": waiting\n\n")},
			{30 * ms, chunked(roleEvent)},
			{40 * ms, chunked(content("Hel"))},
			{5 * ms, chunked(content("lo")) + chunked(content("!"))},
			{5 * ms, chunked(finishEvent + usageEvent + doneEvent)},
			{10 * ms, lastChunk},
		}, func(req *http.Request, body []byte) {
			header = req.Header
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Error(err)
			}
		})
		if r.Class != OK || r.Text != "Hello!" || r.Finish != "stop" || r.Status != 200 || r.RequestID != "r1" || r.Protocol != "HTTP/1.1" || !r.NewConnection {
			t.Errorf("%+v", r)
		}
		if *r.Usage.Input != 9 || *r.Usage.CachedInput != 4 || *r.Usage.Output != 2 || r.Usage.Reasoning != nil {
			t.Errorf("usage %+v", r.Usage)
		}
		want := []struct {
			kind Kind
			at   time.Duration
		}{{ConnectStart, 0}, {Connected, 0}, {Sent, 0}, {Headers, 10 * ms}, {Comment, 30 * ms}, {Other, 60 * ms}, {Answer, 100 * ms},
			{Answer, 105 * ms}, {Answer, 105 * ms}, {Other, 110 * ms}, {Other, 110 * ms}, {Done, 110 * ms}}
		if len(obs.all) != len(want) {
			t.Fatalf("%d events, want %d: %+v", len(obs.all), len(want), obs.all)
		}
		for i, w := range want {
			if obs.all[i].Kind != w.kind || obs.all[i].At != w.at {
				t.Errorf("event %d: kind %d at %s, want %d at %s", i, obs.all[i].Kind, obs.all[i].At, w.kind, w.at)
			}
		}
		if obs.all[7].Read != obs.all[8].Read || obs.all[6].Read == obs.all[7].Read {
			t.Errorf("reads %d %d %d: events of one read must share its number", obs.all[6].Read, obs.all[7].Read, obs.all[8].Read)
		}
		if header.Get("Authorization") != "Bearer sk-secret" || header.Get("X-Team") != "a" || header.Get("Accept-Encoding") != "identity" {
			t.Errorf("headers %v", header)
		}
		messages, _ := json.Marshal(sent["messages"])
		if sent["model"] != "m" || sent["stream"] != true || sent["max_completion_tokens"] != 7.0 || sent["temperature"] != 0.5 || sent["stream_options"] != nil ||
			string(messages) != `[{"content":"say \u003chi\u003e \u0026 \"bye\"","role":"user"}]` {
			t.Errorf("body %v", sent)
		}
	})
}

// lateWriter comes back from a write long after the other side has read it, as a goroutine does that waits for a core.
type lateWriter struct{ net.Conn }

func (c lateWriter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	time.Sleep(time.Millisecond)
	return n, err
}

// A request was out at the latest when the first byte of its answer came, whenever its writer gets to say so: no service
// time is negative or too short for that.
func TestSentIsNotAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		go scriptedServer(t, l, []step{{0, sseHead[:20]}, {5 * time.Millisecond, sseHead[20:] + chunked(content("a")+doneEvent) + lastChunk}}, nil)
		e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Reference: true, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := l.Dial(ctx, network, addr)
			return lateWriter{c}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
		obs := &events{}
		r := e.Do(t.Context(), &testRequest, obs)
		e.Close()
		l.Close()
		synctest.Wait()
		sent, _ := obs.first(Sent)
		headers, _ := obs.first(Headers)
		if r.Class != OK || sent.At != 0 || headers.At != 0 {
			t.Errorf("%s %s: sent at %s, the answer began at %s, want both at 0", r.Class, r.Error, sent.At, headers.At)
		}
	})
}

func TestOutcomes(t *testing.T) {
	stream := func(parts ...string) []step {
		steps := []step{{0, sseHead}}
		for _, p := range parts {
			steps = append(steps, step{time.Millisecond, p})
		}
		return steps
	}
	plainResponse := func(head, body string) []step {
		return []step{{0, head + "Content-Length: " + decimal(len(body)) + "\r\n\r\n" + body}}
	}
	limited := func(header string) []step {
		return plainResponse("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"+header+"\r\n", `{"error":{"message":"slow down"}}`)
	}
	tests := []struct {
		name       string
		steps      []step
		class      Class
		text       string // in Result.Error
		retryAfter time.Duration
	}{
		{"whole", stream(chunked(content("a")+finishEvent+doneEvent), lastChunk), OK, "", 0},
		{"done and last chunk split", stream(chunked(content("a")), chunked(doneEvent), "0\r\n", "\r\n"), OK, "", 0},
		{"no last chunk after done", stream(chunked(content("a")), chunked(doneEvent), hangUp), OK, "", 0},
		{"the connection stays open after done", append(stream(chunked(content("a")), chunked(doneEvent)), step{time.Hour, lastChunk}), OK, "", 0},
		{"null error", stream(chunked(`data: {"error":null,"choices":[{"delta":{"content":"x"}}]}`+"\n\n"+doneEvent), lastChunk), OK, "", 0},
		{"tool call only", stream(chunked(`data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}}]}}]}`+"\n\n"+doneEvent), lastChunk), OK, "", 0},
		{"clean end without done", stream(chunked(content("a")), lastChunk), Truncated, "without a finish reason", 0},
		{"clean end after finish", stream(chunked(content("a")+finishEvent), lastChunk), Truncated, `finish reason "stop" but without [DONE]`, 0},
		{"cut between events", stream(chunked(content("a")), hangUp), Truncated, "closed in the middle", 0},
		{"cut inside an event", stream(chunked("data: {\"choi"), lastChunk), Truncated, "inside an event", 0},
		{"cut inside a chunk", stream("40\r\ndata: {", hangUp), Truncated, "closed in the middle", 0},
		{"cut before the answer", []step{{0, hangUp}}, Truncated, "closed", 0},
		{"cut inside the header", []step{{0, "HTTP/1.1 200 OK\r\nContent-"}, {0, hangUp}}, Truncated, "inside the head", 0},
		{"no HTTP at all", []step{{0, "SSH-2.0-OpenSSH\r\n\r\n"}}, Malformed, "malformed", 0},
		{"broken chunk header", stream("zz\r\n"), Malformed, "invalid", 0},
		{"error event", stream(chunked(content("a")), chunked(`data: {"error":{"message":"cuda out of memory"}}`+"\n\n")), StreamError, "cuda out of memory", 0},
		{"error, then done", stream(chunked(`data: {"error":{"message":"aborted"}}`+"\n\n"+doneEvent), lastChunk), StreamError, "aborted", 0},
		{"error by event type", stream(chunked("event: error\ndata: {\"message\":\"overloaded\"}\n\n")), StreamError, "overloaded", 0},
		{"event that is no JSON", stream(chunked("data: oops\n\n")), Malformed, "oops", 0},
		{"error as a field of the stream", stream(chunked("error: {\"message\":\"slot lost\"}\n\n")), StreamError, "slot lost", 0},
		{"error by object (older vLLM)", stream(chunked(`data: {"object":"error","message":"too long","code":400}`+"\n\n"+doneEvent), lastChunk), StreamError, "too long", 0},
		{"error beside a choice (OpenRouter)", stream(chunked(content("a")+`data: {"error":{"code":502,"message":"upstream died"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`+"\n\n"), lastChunk), StreamError, "upstream died", 0},
		{"error in x_groq", stream(chunked(content("a")+`data: {"choices":[],"x_groq":{"error":"over capacity"}}`+"\n\n"+doneEvent), lastChunk), StreamError, "over capacity", 0},
		{"finish reason error", stream(chunked(content("a")+strings.ReplaceAll(finishEvent, "stop", "abort")+doneEvent), lastChunk), StreamError, `broke the answer off: finish reason "abort"`, 0},
		{"event that is half a JSON", stream(chunked(`data: {"choices":[{"delta":{"content":"a"`+"\n\n"+doneEvent), lastChunk), Malformed, "no JSON object", 0},
		{"event larger than the limit", stream(chunked("data: "+strings.Repeat("x", maxEvent+1)), lastChunk), Malformed, "16 MiB", 0},
		{"done, but nothing was said", stream(chunked(roleEvent+finishEvent+doneEvent), lastChunk), Empty, "stop", 0},
		{"error body under 200", plainResponse("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", `{"error":{"message":"no such model"}}`), StreamError, "no such model", 0},
		{"stream ignored", plainResponse("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", `{"choices":[{"message":{"content":"x"}}]}`), Malformed, "set stream: false", 0},
		{"HTML under 200", plainResponse("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", `<h1>login</h1>`), Malformed, "text/html", 0},
		{"compressed", stream()[:0:0], "", "", 0},
		{"401", plainResponse("HTTP/1.1 401 Unauthorized\r\n", `{"error":{"message":"bad key sk-secret"}}`), HTTPStatus, "401 Unauthorized: bad key [key]", 0},
		{"500 without a body", plainResponse("HTTP/1.1 500 Internal Server Error\r\n", ""), HTTPStatus, "500 Internal Server Error", 0},
		{"redirect is not followed", plainResponse("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\n", ""), HTTPStatus, "points to http://elsewhere/", 0},
		{"status without a name", plainResponse("HTTP/1.1 529 \r\nRetry-After: 1.5\r\n", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`), HTTPStatus, "529: Overloaded", 1500 * time.Millisecond},
		{"401 with a long text around the key", plainResponse("HTTP/1.1 401 Unauthorized\r\n", strings.Repeat("x", maxMessage-len("401 Unauthorized: sk-s"))+"sk-secret is wrong"), HTTPStatus, "401 Unauthorized: xxx", 0},
		{"error body that ends too soon", []step{{0, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\nout of"}, {0, hangUp}}, HTTPStatus, "out of", 0},
		{"a problem document under 200", plainResponse("HTTP/1.1 200 OK\r\nContent-Type: application/problem+json\r\n", `{"detail":"no quota"}`), StreamError, "no quota", 0},
		{"503 with Retry-After", plainResponse("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n", "busy"), HTTPStatus, "busy", 3 * time.Second},
		{"429 in seconds", limited("Retry-After: 2"), RateLimited, "slow down", 2 * time.Second},
		{"429 in fractions", limited("Retry-After: 0.25"), RateLimited, "slow down", 250 * time.Millisecond},
		{"429 in milliseconds", limited("Retry-After: 9\r\nretry-after-ms: 1500"), RateLimited, "slow down", 1500 * time.Millisecond},
		{"429 as a date", limited("Retry-After: Sat, 01 Jan 2000 00:00:30 GMT"), RateLimited, "slow down", 30 * time.Second}, // the bubble's clock starts at 2000-01-01
		{"429 as a date, the server's clock an hour late", limited("Date: Sat, 01 Jan 2000 01:00:00 GMT\r\nRetry-After: Sat, 01 Jan 2000 01:00:07 GMT"), RateLimited, "slow down", 7 * time.Second},
		{"429 as a date in the past", limited("Retry-After: Fri, 31 Dec 1999 23:59:00 GMT"), RateLimited, "slow down", 0},
		{"429 with nonsense", limited("Retry-After: soon"), RateLimited, "slow down", 0},
		{"429 with a negative wait", limited("Retry-After: -5"), RateLimited, "slow down", 0},
	}
	for _, tt := range tests {
		if tt.name == "compressed" {
			tt.steps = []step{{0, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n"}}
			tt.class, tt.text = Malformed, "compressed (br)"
		}
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, obs := call(t, workload.Approach{}, tt.steps, nil)
				if r.Class != tt.class || !strings.Contains(r.Error, tt.text) || r.RetryAfter != tt.retryAfter {
					t.Errorf("%s %q retry after %s, want %s %q %s", r.Class, r.Error, r.RetryAfter, tt.class, tt.text, tt.retryAfter)
				}
				if (r.Class == OK) != (r.Error == "") {
					t.Errorf("class %s with error %q", r.Class, r.Error)
				}
				if strings.Contains(r.Error, "sk-s") { // not even a part of it
					t.Errorf("the key is in the error: %s", r.Error)
				}
				if _, done := obs.first(Done); r.Class == OK && !done {
					t.Error("a success without a Done event")
				}
			})
		})
	}
}

func decimal(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// One byte per write, with every kind of line end in the headers' way: the same answer, one token per event.
func TestByteByByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := sseHead + chunked("\xef\xbb\xbf"+strings.ReplaceAll(roleEvent+content("é")+content("b")+finishEvent+usageEvent+doneEvent, "\n", "\r\n")) + lastChunk
		var steps []step
		for i := range len(whole) {
			steps = append(steps, step{time.Microsecond, whole[i : i+1]})
		}
		r, obs := call(t, workload.Approach{}, steps, nil)
		if r.Class != OK || r.Text != "éb" || *r.Usage.Output != 2 || obs.count(Answer) != 2 {
			t.Errorf("%+v, %d answer events", r, obs.count(Answer))
		}
	})
}

func TestTimeouts(t *testing.T) {
	d := func(d time.Duration) workload.Duration { return workload.Duration(d) }
	slow := func(gap time.Duration) []step {
		steps := []step{{0, sseHead}, {time.Second, chunked(content("a"))}}
		for range 20 {
			steps = append(steps, step{gap, chunked(content("b"))})
		}
		return steps
	}
	tests := []struct {
		name     string
		timeouts workload.Timeouts
		steps    []step
		class    Class
		after    time.Duration
	}{
		{"no first token", workload.Timeouts{FirstToken: d(3 * time.Second)}, []step{{0, sseHead}, {time.Second, chunked(": ping\n\n")}, {time.Hour, ""}}, TimeoutFirstToken, 3 * time.Second},
		{"keep-alives are no token", workload.Timeouts{FirstToken: d(3 * time.Second), Idle: d(2 * time.Second)}, []step{{0, sseHead}, {time.Second, chunked(": ping\n\n")},
			{time.Second, chunked(": ping\n\n")}, {time.Second / 2, chunked(": ping\n\n")}, {time.Hour, ""}}, TimeoutFirstToken, 3 * time.Second},
		{"no answer at all", workload.Timeouts{FirstToken: d(3 * time.Second)}, []step{{time.Hour, ""}}, TimeoutFirstToken, 3 * time.Second},
		{"silence in the middle", workload.Timeouts{Idle: d(5 * time.Second)}, []step{{0, sseHead}, {time.Second, chunked(content("a"))}, {time.Hour, ""}}, TimeoutIdle, 6 * time.Second},
		{"too long in all", workload.Timeouts{Total: d(10 * time.Second)}, slow(time.Second), TimeoutTotal, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r, _ := callBy(t, false, workload.Approach{Timeouts: tt.timeouts}, tt.steps, nil)
				if r.Class != tt.class || time.Since(start) != tt.after || r.Error == "" {
					t.Errorf("%s %q after %s, want %s after %s", r.Class, r.Error, time.Since(start), tt.class, tt.after)
				}
			})
		})
	}
}

func TestConnectFailures(t *testing.T) {
	failing := func(ip string, err syscall.Errno) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 80}, Err: os.NewSyscallError("connect", err)}
		}
	}
	tests := []struct {
		name  string
		dial  func(context.Context, string, string) (net.Conn, error)
		class Class
		text  string
	}{
		{"refused", func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}, ConnectFailed, "refused"},
		{"no file descriptor is left", failing("10.0.0.1", syscall.EMFILE), ClientLimit, "too many open files"},
		{"no port is left", failing("10.0.0.1", syscall.EADDRNOTAVAIL), ClientLimit, "cannot assign"},
		{"no IPv6 here", failing("::1", syscall.EADDRNOTAVAIL), ConnectFailed, "cannot assign"},
		{"no such host", func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "mem"}
		}, ConnectFailed, "no such host"},
		{"hangs", func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, TimeoutConnect, "connect timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Dial: tt.dial})
				if err != nil {
					t.Fatal(err)
				}
				obs := &events{}
				r := e.Do(t.Context(), &testRequest, obs)
				if r.Class != tt.class || !strings.Contains(r.Error, tt.text) {
					t.Errorf("%s %q, want %s %q", r.Class, r.Error, tt.class, tt.text)
				}
				if _, sent := obs.first(Sent); sent {
					t.Error("sent without a connection")
				}
				synctest.Wait()
			})
		})
	}
}

func TestCancelCauses(t *testing.T) {
	for cause, class := range map[error]Class{ErrUnfinished: Unfinished, ErrCancelled: Cancelled, errors.New("else"): Cancelled} {
		synctest.Test(t, func(t *testing.T) {
			l := memnet.Listen()
			go scriptedServer(t, l, []step{{0, sseHead}, {0, chunked(content("a"))}, {time.Hour, ""}}, nil)
			e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Dial: l.Dial})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(cause) })
			obs := &events{}
			if r := e.Do(ctx, &testRequest, obs); r.Class != class {
				t.Errorf("%v: %s, want %s", cause, r.Class, class)
			}
			if obs.count(Answer) != 1 {
				t.Error("what came before the end is lost")
			}
			e.Close()
			l.Close()
		})
	}
}

func TestConnectionReuse(t *testing.T) {
	for policy, dials := range map[string]int{"": 1, "keep-alive": 1, "never": 3} {
		synctest.Test(t, func(t *testing.T) {
			l := memnet.Listen()
			go scriptedServer(t, l, []step{{time.Millisecond, sseHead + chunked(content("a")+doneEvent) + lastChunk}}, nil)
			n := 0
			dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
				n++
				time.Sleep(5 * time.Millisecond)
				return l.Dial(ctx, network, addr)
			}
			epoch := time.Now()
			e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1", Connections: workload.Connections{Reuse: policy}}, Epoch: epoch, Dial: dial})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				obs := &events{}
				start := time.Since(epoch)
				r := e.Do(t.Context(), &testRequest, obs)
				connect, dialled := obs.first(ConnectStart)
				connected, _ := obs.first(Connected)
				fresh := i == 0 || policy == "never"
				if r.Class != OK || r.NewConnection != fresh || dialled != fresh {
					t.Errorf("policy %q, request %d: %s, new %v, dialled %v", policy, i, r.Class, r.NewConnection, dialled)
				}
				if fresh && (connect.At != start || connected.At != start+5*time.Millisecond) {
					t.Errorf("connect from %s to %s, want 5 ms from %s", connect.At, connected.At, start)
				}
			}
			if n != dials {
				t.Errorf("policy %q: %d dials, want %d", policy, n, dials)
			}
			e.Close()
			l.Close()
			synctest.Wait()
		})
	}
}

func TestWholeAnswer(t *testing.T) {
	no := false
	body := `{"choices":[{"message":{"role":"assistant","content":"Hello there"},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2},"timings":{"prompt_ms":1.5,"predicted_ms":20}}`
	synctest.Test(t, func(t *testing.T) {
		var sent map[string]any
		r, obs := call(t, workload.Approach{Stream: &no, MaxTokensField: "max_tokens"}, []step{
			{time.Second, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + decimal(len(body)) + "\r\n\r\n" + body[:20]},
			{time.Second, body[20:]}}, func(_ *http.Request, b []byte) { json.Unmarshal(b, &sent) })
		if r.Class != OK || r.Text != "Hello there" || r.Finish != "length" || *r.Usage.Output != 2 {
			t.Errorf("%+v", r)
		}
		if *r.Server.Prefill != 1500*time.Microsecond || *r.Server.Decode != 20*time.Millisecond || r.Server.Queue != nil {
			t.Errorf("server timing %+v", r.Server)
		}
		answer, _ := obs.first(Answer)
		headers, _ := obs.first(Headers)
		if headers.At != time.Second || answer.At != 2*time.Second || answer.Tokens != 2 {
			t.Errorf("headers at %s, answer %+v: an answer that is not streamed can be used when it is whole", headers.At, answer)
		}
		if sent["stream"] != false || sent["max_tokens"] != 7.0 || sent["stream_options"] != nil {
			t.Errorf("body %v", sent)
		}
	})
}

func TestServerTimings(t *testing.T) {
	ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
	tests := []struct {
		name, event            string
		source                 string
		queue, prefill, decode time.Duration // -1: missing
	}{
		{"llama.cpp", `{"choices":[],"timings":{"prompt_ms":8.996,"predicted_ms":10.748}}`, "llama.cpp timings", -1, ms(8.996), ms(10.748)},
		{"vLLM", `{"choices":[],"usage":{"completion_tokens":1},"metrics":{"queue_time_ms":12.5,"time_to_first_token_ms":40,"generation_time_ms":300}}`, "vLLM metrics", ms(12.5), ms(40), ms(300)},
		{"Groq", `{"choices":[],"x_groq":{"id":"r","usage":{"queue_time":0.02,"prompt_time":0.003,"completion_time":0.1,"completion_tokens":1}}}`, "Groq usage", ms(20), ms(3), ms(100)},
		{"Groq, as it documents now", `{"choices":[],"usage":{"queue_time":0.02,"prompt_time":0.003,"completion_time":0.1,"completion_tokens":1}}`, "Groq usage", ms(20), ms(3), ms(100)},
		{"Groq, first chunk", `{"choices":[],"x_groq":{"id":"r"}}`, "", -1, -1, -1},
		{"vLLM, null metrics", `{"choices":[],"metrics":null}`, "", -1, -1, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := call(t, workload.Approach{}, []step{{0, sseHead + chunked(content("a")+"data: "+tt.event+"\n\n"+doneEvent) + lastChunk}}, nil)
				if r.Class != OK || r.Server.Source != tt.source {
					t.Errorf("%s %s, source %q", r.Class, r.Error, r.Server.Source)
				}
				for name, c := range map[string]struct {
					got  *time.Duration
					want time.Duration
				}{"queue": {r.Server.Queue, tt.queue}, "prefill": {r.Server.Prefill, tt.prefill}, "decode": {r.Server.Decode, tt.decode}} {
					if c.want < 0 != (c.got == nil) || c.got != nil && *c.got != c.want {
						t.Errorf("%s %v, want %s", name, c.got, c.want)
					}
				}
			})
		})
	}
}

func TestWholeOutcomes(t *testing.T) {
	no := false
	for _, tt := range []struct {
		name, body string
		class      Class
		text       string // in Result.Error
		kind       Kind   // of the one event, where there is one
	}{
		{"answer", `{"choices":[{"message":{"content":"x","reasoning":"hm"}}]}`, OK, "", Answer},
		{"keep-alive lines before it (DeepSeek)", "\n\n" + `{"choices":[{"message":{"content":"x"}}]}`, OK, "", Answer},
		{"reasoning only", `{"choices":[{"message":{"content":null,"reasoning_content":"hm"}}]}`, OK, "", Reasoning},
		{"tool call", `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`, OK, "", Tool},
		{"nothing said", `{"choices":[{"message":{"content":""},"finish_reason":"length"}]}`, Empty, `"length"`, Other},
		{"no choices", `{"choices":[]}`, Empty, "", Other},
		{"error under 200", `{"error":{"message":"no such model"}}`, StreamError, "no such model", 0},
		{"error as a string", `{"error":"queue is full"}`, StreamError, "queue is full", 0},
		{"null error", `{"error":null,"choices":[{"message":{"content":"x"}}]}`, OK, "", Answer},
		{"given up", `{"choices":[{"message":{"content":"x"},"finish_reason":"insufficient_system_resource"}]}`, StreamError, "broke the answer off", Answer},
		{"half a document", `{"choices":[{"message":{"content":"x"`, Malformed, "no JSON", 0},
		{"a stream nobody asked for", content("x") + doneEvent, Malformed, "no JSON: data:", 0},
		{"nothing", "", Malformed, "no JSON", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, obs := call(t, workload.Approach{Stream: &no}, []step{{0, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + decimal(len(tt.body)) + "\r\n\r\n" + tt.body}}, nil)
				if r.Class != tt.class || !strings.Contains(r.Error, tt.text) || (r.Class == OK) != (r.Error == "") {
					t.Errorf("%s %q, want %s %q", r.Class, r.Error, tt.class, tt.text)
				}
				if _, seen := obs.first(tt.kind); tt.kind != 0 && !seen {
					t.Errorf("no event of kind %d: %v", tt.kind, obs.all)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r, obs := call(t, workload.Approach{Stream: &no}, []step{{0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}, {0, hangUp}}, nil)
		if r.Class != Truncated || obs.count(Answer) != 0 {
			t.Errorf("cut: %s %q", r.Class, r.Error)
		}
	})
}

func TestTokensPerEventOfLlamaServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		piece := func(n int) string {
			return `data: {"choices":[{"delta":{"content":"ab"}}],"timings":{"prompt_ms":1,"predicted_n":` + decimal(n) + `}}` + "\n\n"
		}
		_, obs := call(t, workload.Approach{}, []step{{0, sseHead + chunked(piece(1)+piece(4)+piece(5)+doneEvent) + lastChunk}}, nil)
		var tokens []int
		for _, e := range obs.all {
			if e.Kind == Answer {
				tokens = append(tokens, e.Tokens)
			}
		}
		if !slices.Equal(tokens, []int{1, 3, 1}) {
			t.Errorf("tokens %v, want 1 3 1", tokens)
		}
	})
}

// A usage that comes once, with the last piece of the answer, counts all of it and not that piece.
func TestUsageOnTheLastContentIsNotItsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, obs := call(t, workload.Approach{}, []step{{0, sseHead + chunked(content("a")+content("b")+
			`data: {"choices":[{"delta":{"content":"c"},"finish_reason":"stop"}],"usage":{"completion_tokens":3}}`+"\n\n"+doneEvent) + lastChunk}}, nil)
		if r.Class != OK || *r.Usage.Output != 3 || obs.count(Answer) != 3 {
			t.Errorf("%+v", r)
		}
		for _, e := range obs.all {
			if e.Tokens != 0 {
				t.Errorf("event %+v claims tokens that nobody told", e)
			}
		}
	})
}

// Tokens per event, where the wire tells: vLLM's token ids, or a usage that grows.
func TestTokensPerEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, obs := call(t, workload.Approach{}, []step{{0, sseHead + chunked(
			`data: {"choices":[{"delta":{"content":"ab"},"token_ids":[1,2]}]}`+"\n\n"+
				`data: {"choices":[{"delta":{"content":"c"}}],"usage":{"completion_tokens":3}}`+"\n\n"+
				`data: {"choices":[{"delta":{"content":"defg"}}],"usage":{"completion_tokens":7}}`+"\n\n"+doneEvent) + lastChunk}}, nil)
		var tokens []int
		for _, e := range obs.all {
			if e.Kind == Answer {
				tokens = append(tokens, e.Tokens)
			}
		}
		if r.Class != OK || len(tokens) != 3 || tokens[0] != 2 || tokens[1] != 1 || tokens[2] != 4 {
			t.Errorf("%s, tokens %v, want 2 1 4", r.Class, tokens)
		}
	})
}
