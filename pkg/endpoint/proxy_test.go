package endpoint

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

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
	out := &http.Transport{DisableKeepAlives: true} // a client that leaves may spoil a connection that rests by then
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
				hasty := func(c *Config) {
					c.Reference, c.Approach.Timeouts.Connect = reference, workload.Duration(50*time.Millisecond)
				}
				if r := l.open(t, "ok", hasty).Do(t.Context(), &testRequest, &events{}); r.Class != TimeoutConnect || !strings.Contains(r.Error, "the proxy did not answer") {
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
}

// What the environment says of a proxy is told; what it says and net/http would pass over is an error.
func TestProxyOfTheEnvironmentIsTold(t *testing.T) {
	for _, tt := range []struct {
		target, variable, value string
		told, err               string
	}{
		{"http://far.example", "HTTP_PROXY", "http://" + environmentProxy, environmentProxy, ""},
		{"http://far.example", "http_proxy", environmentProxy, environmentProxy, ""},
		{"http://direct.example", "HTTP_PROXY", "http://" + environmentProxy, "none: NO_PROXY covers direct.example", ""},
		{"http://127.0.0.1:1", "HTTP_PROXY", "http://" + environmentProxy, "none: HTTP_PROXY is not for this machine itself", ""},
		{"http://far.example", "HTTPS_PROXY", "http://proxy.example", "none: HTTP_PROXY is not set", ""},
		{"https://far.example", "HTTP_PROXY", "http://proxy.example", "none: HTTPS_PROXY is not set", ""},
		{"http://far.example", "HTTP_PROXY", "http://me:secret@[::1", "", "HTTP_PROXY is no URL"},
		{"http://far.example", "http_proxy", "me:secret@proxy example:3128", "", "http_proxy is no URL"},
		{"http://far.example", "HTTP_PROXY", "http://", "", "HTTP_PROXY is no URL"},
		{"https://far.example", "https_proxy", "http://me:secret@proxy:31x8", "", "https_proxy is no URL"},
	} {
		u, err := url.Parse(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		_, told, err := proxyFor(workload.ProxyEnvironment, u, func(name string) string {
			return map[string]string{tt.variable: tt.value}[name]
		})
		if told != tt.told || (err != nil) != (tt.err != "") {
			t.Errorf("%s with %s=%s: %q, %v", tt.target, tt.variable, tt.value, told, err)
		}
		if err != nil && (!strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s with %s=%s: %v", tt.target, tt.variable, tt.value, err)
		}
	}
	e := onLoopback(t, "http://far.example/v1", func(c *Config) { c.Approach.Connections.Proxy = "http://me:secret@proxy.example" })
	if told := ProxyOf(e); told != "proxy.example:80" {
		t.Errorf("a proxy of the scenario's own: %q", told)
	}
}
