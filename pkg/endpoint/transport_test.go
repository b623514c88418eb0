package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// misbehaving is a server whose answer the first part of the path names.
func misbehaving(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	how, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if how == "limited" {
		w.Header().Set("Retry-After", "3")
		http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if how == "gzip" {
		w.Header().Set("Content-Encoding", "gzip")
	}
	io.WriteString(w, roleEvent+content("a"))
	w.(http.Flusher).Flush()
	switch how {
	case "cut": // in HTTP/2, the stream is reset
		panic(http.ErrAbortHandler)
	case "reset":
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := c.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			c.Close()
			return
		}
		panic(http.ErrAbortHandler)
	case "short":
	default:
		io.WriteString(w, content("b")+finishEvent+usageEvent+doneEvent)
	}
}

// loopback is a server, and how an approach gets to it.
type loopback struct {
	url      string
	approach workload.Approach
	roots    *x509.CertPool
	protocol string // of the answers
	stop     func()
}

func (l *loopback) open(t *testing.T, how string, change func(*Config)) Endpoint {
	t.Helper()
	return onLoopback(t, l.url+"/"+how+"/v1", func(c *Config) {
		url := c.Approach.URL
		c.Approach = l.approach
		c.Approach.URL, c.Approach.Model, c.RootCAs = url, "m", l.roots
		if change != nil {
			change(c)
		}
	})
}

// startLoopback starts a server of the standard library on a listener.
func startLoopback(t *testing.T, l net.Listener, secure, http2 bool) *loopback {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(misbehaving))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if l != nil {
		s.Listener.Close()
		s.Listener = l
	}
	out := &loopback{protocol: "HTTP/1.1", stop: s.Close}
	out.approach.Connections.Protocol = http1
	if http2 {
		out.protocol, out.approach.Connections.Protocol = "HTTP/2.0", h2c
	}
	if secure {
		if s.EnableHTTP2 = http2; http2 {
			out.approach.Connections.Protocol = h2
		}
		s.StartTLS()
		out.roots = x509.NewCertPool()
		out.roots.AddCert(s.Certificate())
	} else {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetHTTP1(!http2)
		s.Config.Protocols.SetUnencryptedHTTP2(http2)
		s.Start()
	}
	t.Cleanup(s.Close)
	out.url = s.URL
	return out
}

// proxy is a small HTTP proxy that takes requests and tunnels.
type proxy struct {
	*httptest.Server
	tunnels, requests atomic.Int32
	answer            atomic.Int32  // in place of doing what it is asked for; 0: it does it
	user              atomic.Value  // the Proxy-Authorization that it saw last
	hang              chan struct{} // closed at the end
}

func startProxy(t *testing.T) *proxy { return serveProxy(t, nil) }

func serveProxy(t *testing.T, l net.Listener) *proxy {
	t.Helper()
	p := &proxy{hang: make(chan struct{})}
	p.user.Store("")
	out := &http.Transport{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.user.Store(r.Header.Get("Proxy-Authorization"))
		if code := p.answer.Load(); code > 0 {
			http.Error(w, "the proxy's words", int(code))
			return
		} else if code < 0 {
			<-p.hang
			return
		}
		if r.Method == http.MethodConnect {
			p.tunnels.Add(1)
			tunnel(w, r)
			return
		}
		p.requests.Add(1)
		if !r.URL.IsAbs() {
			t.Errorf("a proxy was asked for %s", r.URL)
		}
		r.RequestURI = ""
		r.Header.Del("Proxy-Authorization")
		resp, err := out.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, v := range resp.Header {
			w.Header()[name] = v
		}
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(flushing{w}, resp.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	if l != nil {
		p.Listener.Close()
		p.Listener = l
	}
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.Start()
	t.Cleanup(func() { close(p.hang); out.CloseIdleConnections(); p.Close() })
	return p
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	defer f.ResponseWriter.(http.Flusher).Flush()
	return f.ResponseWriter.Write(p)
}

// tunnel connects a client with the target that it names. Both directions end together, and a reset is passed on.
func tunnel(w http.ResponseWriter, r *http.Request) {
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
}

func unixListener(t *testing.T) (net.Listener, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "infbench") // t.TempDir can be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// ways are the ways to a target, each with a server of its own.
var ways = map[string]func(t *testing.T) *loopback{
	"HTTP/1.1": func(t *testing.T) *loopback { return startLoopback(t, nil, false, false) },
	"TLS":      func(t *testing.T) *loopback { return startLoopback(t, nil, true, false) },
	"h2":       func(t *testing.T) *loopback { return startLoopback(t, nil, true, true) },
	"h2c":      func(t *testing.T) *loopback { return startLoopback(t, nil, false, true) },
	"unix socket": func(t *testing.T) *loopback {
		return overUnix(t, false, false)
	},
	"unix socket with TLS": func(t *testing.T) *loopback { return overUnix(t, true, false) },
	"unix socket with h2c": func(t *testing.T) *loopback { return overUnix(t, false, true) },
	"proxy":                func(t *testing.T) *loopback { return byProxy(t, false, false) },
	"proxy with TLS":       func(t *testing.T) *loopback { return byProxy(t, true, false) },
	"proxy with h2":        func(t *testing.T) *loopback { return byProxy(t, true, true) },
}

func overUnix(t *testing.T, secure, http2 bool) *loopback {
	l, path := unixListener(t)
	out := startLoopback(t, l, secure, http2)
	out.url = map[bool]string{false: "http://localhost", true: "https://example.com"}[secure]
	out.approach.Connections.UnixSocket = path
	return out
}

func byProxy(t *testing.T, secure, http2 bool) *loopback {
	out := startLoopback(t, nil, secure, http2)
	out.approach.Connections.Proxy = startProxy(t).URL
	return out
}

// Whatever the way, an answer is what it is, and so is each failure. net/http goes the same ways.
func TestWays(t *testing.T) {
	for name, start := range ways {
		for _, reference := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " by net/http"}[reference], func(t *testing.T) {
				l := start(t)
				l.tryAll(t, reference)
			})
		}
	}
}

func (l *loopback) tryAll(t *testing.T, reference bool) {
	change := func(c *Config) { c.Reference = reference }
	for _, tt := range []struct {
		how   string
		class Class
		text  string
		words string
	}{{"ok", OK, "ab", ""}, {"short", Truncated, "a", "without a finish reason"}, {"cut", Truncated, "a", ""}, {"reset", Truncated, "a", "connection"},
		{"limited", RateLimited, "", "slow down"}, {"gzip", Malformed, "", "compressed"}} {
		e := l.open(t, tt.how, change)
		for range 2 { // the second may use the first one's connection
			obs := &events{}
			r := e.Do(t.Context(), &testRequest, obs)
			if r.Class != tt.class || r.Text != tt.text && tt.how != "reset" || !strings.Contains(r.Error, tt.words) || r.Protocol != l.protocol {
				t.Errorf("%s: %+v", tt.how, r)
			}
			last := Event{}
			for _, ev := range obs.all {
				if ev.At < last.At && ev.Kind != Headers { // the answer's head can overtake our look at the clock
					t.Errorf("%s: %v at %s after %v at %s", tt.how, ev.Kind, ev.At, last.Kind, last.At)
				}
				last = ev
			}
			l.checkSetUp(t, &r)
		}
	}
	if l.roots != nil {
		r := l.open(t, "ok", func(c *Config) { c.RootCAs, c.Reference = nil, reference }).Do(t.Context(), &testRequest, &events{})
		if r.Class != TLSFailed || !strings.Contains(r.Error, "certificate") || r.SetUp.TCP == nil || r.SetUp.TLS != nil {
			t.Errorf("wrong certificate: %+v", r)
		}
	}
	e := l.open(t, "ok", change)
	l.stop()
	r := e.Do(t.Context(), &testRequest, &events{})
	switch { // a proxy is still there, and says so itself
	case l.approach.Connections.Proxy != "" && l.roots == nil:
		if r.Class != HTTPStatus || r.Status != http.StatusBadGateway {
			t.Errorf("refused: %+v", r)
		}
	case l.approach.Connections.Proxy != "":
		if r.Class != ConnectFailed || !strings.Contains(r.Error, "502 Bad Gateway") {
			t.Errorf("refused: %+v", r)
		}
	case r.Class != ConnectFailed:
		t.Errorf("refused: %+v", r)
	}
}

// checkSetUp: a new connection has the parts of its way and no others, one used again has none.
func (l *loopback) checkSetUp(t *testing.T, r *Result) {
	t.Helper()
	c := &l.approach.Connections
	want := [4]bool{strings.Contains(l.url, "localhost") && c.UnixSocket == "", r.NewConnection,
		r.NewConnection && c.Proxy != "" && l.roots != nil, r.NewConnection && l.roots != nil}
	s := &r.SetUp
	if got := [4]bool{s.DNS != nil, s.TCP != nil, s.Proxy != nil, s.TLS != nil}; got != want {
		t.Errorf("parts of the connection (DNS, TCP, proxy, TLS): %v, want %v", got, want)
	}
}

// What a name took to resolve is not TCP's.
func TestDNSIsAPartOfItsOwn(t *testing.T) {
	l := startLoopback(t, nil, false, false)
	l.url = strings.Replace(l.url, "127.0.0.1", "localhost", 1)
	for _, reference := range []bool{false, true} {
		r := l.open(t, "ok", func(c *Config) { c.Reference = reference }).Do(t.Context(), &testRequest, &events{})
		if r.Class != OK || r.SetUp.DNS == nil || r.SetUp.TCP == nil {
			t.Errorf("%+v", r)
		}
	}
}

// What a proxy answers in place of the target.
func TestProxyAnswers(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, reference := range []bool{false, true} {
			l, p := startLoopback(t, nil, secure, false), startProxy(t)
			l.approach.Connections.Proxy = strings.Replace(p.URL, "http://", "http://user:proxy-secret@", 1)
			change := func(c *Config) {
				c.Reference, c.Approach.Timeouts.Connect = reference, workload.Duration(50*time.Millisecond)
			}
			if r := l.open(t, "ok", func(c *Config) { c.Reference = reference }).Do(t.Context(), &testRequest, &events{}); r.Class != OK || p.user.Load() != "Basic dXNlcjpwcm94eS1zZWNyZXQ=" {
				t.Errorf("%+v, authorization %v", r, p.user.Load())
			}
			if n := map[bool]int32{false: p.requests.Load(), true: p.tunnels.Load()}[secure]; n != 1 {
				t.Errorf("TLS %v: the proxy saw %d", secure, n)
			}
			for _, code := range []int32{http.StatusProxyAuthRequired, http.StatusBadGateway} {
				p.answer.Store(code)
				r := l.open(t, "ok", change).Do(t.Context(), &testRequest, &events{})
				want := HTTPStatus
				if secure {
					want = ConnectFailed
				}
				if r.Class != want || !strings.Contains(r.Error, http.StatusText(int(code))) || strings.Contains(r.Error, "proxy-secret") {
					t.Errorf("TLS %v: proxy answers %d: %+v", secure, code, r)
				}
			}
			if secure {
				p.answer.Store(-1)
				if r := l.open(t, "ok", change).Do(t.Context(), &testRequest, &events{}); r.Class != TimeoutConnect || !strings.Contains(r.Error, "the proxy did not answer") {
					t.Errorf("proxy says nothing: %+v", r)
				}
			}
			p.CloseClientConnections()
			p.Listener.Close()
			if r := l.open(t, "ok", change).Do(t.Context(), &testRequest, &events{}); r.Class != ConnectFailed || !strings.Contains(r.Error, "refused") {
				t.Errorf("no proxy there: %+v", r)
			}
		}
	}
}

// environmentProxy is where HTTP_PROXY points in all tests of the package: net/http reads it once. Whoever does not ask
// for it must not use it.
var environmentProxy = func() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	os.Setenv("HTTP_PROXY", "http://"+l.Addr().String())
	os.Setenv("NO_PROXY", "direct.example")
	return l.Addr().String()
}()

func TestProxyOfTheEnvironment(t *testing.T) {
	l, err := net.Listen("tcp", environmentProxy)
	if err != nil {
		t.Skip("the port was taken meanwhile")
	}
	p := serveProxy(t, l)
	p.answer.Store(http.StatusTeapot)
	for proxy, class := range map[string]Class{workload.ProxyEnvironment: HTTPStatus, workload.ProxyNone: ConnectFailed, "": ConnectFailed} {
		for _, reference := range []bool{false, true} {
			e := onLoopback(t, "http://infbench.invalid/v1", func(c *Config) {
				c.Reference, c.Approach.Connections.Proxy = reference, proxy
			})
			if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != class {
				t.Errorf("proxy %q: %+v", proxy, r)
			}
		}
	}
	u, err := targetURL("http://direct.example/v1", "/x")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := proxyFor(workload.ProxyEnvironment, u); p != nil || err != nil {
		t.Errorf("NO_PROXY: %v %v", p, err)
	}
}

// Certificates out of files: of the authority, of the client, and under another name than the URL's.
func TestCertificatesOfTheApproach(t *testing.T) {
	dir := t.TempDir()
	s := httptest.NewUnstartedServer(http.HandlerFunc(misbehaving))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	pair := s.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"ca.pem": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := workload.TLS{CA: "ca.pem", Cert: "ca.pem", Key: "key.pem"}
	for _, tt := range []struct {
		name  string
		tls   workload.TLS
		class Class
		words string
	}{
		{"good", good, OK, ""},
		{"a name that it has", workload.TLS{CA: good.CA, Cert: good.Cert, Key: good.Key, ServerName: "example.com"}, OK, ""},
		{"a name that it has not", workload.TLS{CA: good.CA, Cert: good.Cert, Key: good.Key, ServerName: "other.test"}, TLSFailed, "other.test"},
		{"no client certificate", workload.TLS{CA: good.CA}, TLSFailed, "certificate required"},
		{"the system's authorities", workload.TLS{Cert: good.Cert, Key: good.Key}, TLSFailed, "certificate"},
	} {
		e := onLoopback(t, s.URL+"/ok/v1", func(c *Config) { c.Dir, c.Approach.TLS = dir, tt.tls })
		if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != tt.class || !strings.Contains(r.Error, tt.words) {
			t.Errorf("%s: %s %q", tt.name, r.Class, r.Error)
		}
	}
	_, err = Open(Config{Approach: workload.Approach{URL: s.URL, TLS: workload.TLS{CA: "none.pem"}}, Epoch: time.Now(), Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "tls.ca: there is no file "+filepath.Join(dir, "none.pem")) {
		t.Errorf("%v", err)
	}
}

// A server that does not speak HTTP/2 is a failure, never another protocol than was asked for.
func TestNoHTTP2There(t *testing.T) {
	for _, secure := range []bool{false, true} {
		l := startLoopback(t, nil, secure, false)
		l.approach.Connections.Protocol = map[bool]string{false: h2c, true: h2}[secure]
		r := l.open(t, "ok", nil).Do(t.Context(), &testRequest, &events{})
		if want := map[bool]Class{false: Malformed, true: TLSFailed}[secure]; r.Class != want || !secure && r.Error != errForeign.Error() {
			t.Errorf("TLS %v: %+v", secure, r)
		}
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

// An event has the time and the number of the read that brought it, though its stream is read late and other streams'
// bytes came meanwhile on the same connection.
func TestStreamsKeepTheirStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		s := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			if strings.Contains(string(b), "other") {
				time.Sleep(35 * time.Millisecond)
			}
			for range 3 {
				time.Sleep(10 * time.Millisecond)
				io.WriteString(w, content("x"))
				w.(http.Flusher).Flush()
			}
			io.WriteString(w, doneEvent)
		})}
		s.Protocols.SetUnencryptedHTTP2(true)
		go s.Serve(l)
		e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1", Connections: workload.Connections{Protocol: h2c}}, Epoch: time.Now(), Dial: l.Dial})
		if err != nil {
			t.Fatal(err)
		}
		if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != OK { // the connection is there
			t.Fatalf("%+v", r)
		}
		start := time.Since(e.(*remote).client.carrier.(*reference).epoch)
		slow, quick := &sleeper{pause: 100 * time.Millisecond}, &events{}
		var both sync.WaitGroup
		both.Go(func() { e.Do(t.Context(), &testRequest, slow) })
		both.Go(func() {
			e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: "other"}}}, quick)
		})
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
		for _, obs := range [][]Event{slow.all, quick.all} {
			if ev := obs[1]; ev.Kind != Sent || ev.At != start {
				t.Errorf("%+v, want it sent at %s", ev, start)
			}
		}
		e.Close()
		s.Close()
		l.Close()
		synctest.Wait()
	})
}

// Reach goes the way of the requests.
func TestReach(t *testing.T) {
	for name, start := range ways {
		l := start(t)
		cfg := Config{Approach: l.approach, Epoch: time.Now(), RootCAs: l.roots}
		cfg.Approach.URL = l.url + "/v1"
		if err := Reach(t.Context(), cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		l.stop()
		if err := Reach(t.Context(), cfg); (err == nil) != (name == "proxy") { // which is all that is reached
			t.Errorf("%s: %v after the server has stopped", name, err)
		}
	}
}
