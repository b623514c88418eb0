package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	case "hang":
		<-r.Context().Done()
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
	e := l.open(t, "hang", func(c *Config) {
		c.Reference, c.Approach.Timeouts.Idle = reference, workload.Duration(30*time.Millisecond)
	})
	if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != TimeoutIdle {
		t.Errorf("hang: %+v", r)
	}
	if l.roots != nil {
		r := l.open(t, "ok", func(c *Config) { c.RootCAs, c.Reference = nil, reference }).Do(t.Context(), &testRequest, &events{})
		if r.Class != TLSFailed || !strings.Contains(r.Error, "certificate") || r.SetUp.TCP == nil || r.SetUp.TLS != nil {
			t.Errorf("wrong certificate: %+v", r)
		}
	}
	e = l.open(t, "ok", change)
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

// A server that does not speak the HTTP/2 that is asked for is found before the first request.
func TestReachFindsNoHTTP2(t *testing.T) {
	hangsUp := rawServer(t, func(c net.Conn) { io.ReadFull(c, make([]byte, len(h2Preface)+9)) })
	other := rawServer(t, func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n") })
	for name, l := range map[string]*loopback{
		"h2c on HTTP/1":            startLoopback(t, nil, false, false),
		"h2 on HTTP/1":             startLoopback(t, nil, true, false),
		"h2c on one that hangs up": {url: hangsUp},
		"h2c on something else":    {url: other},
	} {
		cfg := Config{Approach: l.approach, Epoch: time.Now(), RootCAs: l.roots}
		cfg.Approach.URL, cfg.Approach.Connections.Protocol = l.url+"/v1", h2c
		if l.roots != nil {
			cfg.Approach.Connections.Protocol = h2
		}
		if err := Reach(t.Context(), cfg); !errors.Is(err, ErrNoHTTP2) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What did not answer is named, and waited for as long as the approach says.
func TestReachNamesTheStage(t *testing.T) {
	silent := func(ctx context.Context, l *memnet.Listener) func(context.Context, string, string) (net.Conn, error) {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				context.AfterFunc(ctx, func() { c.Close() })
			}
		}()
		return l.Dial
	}
	never := func(ctx context.Context, _ *memnet.Listener) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	}
	for _, tt := range []struct {
		url         string
		connections workload.Connections
		dial        func(context.Context, *memnet.Listener) func(context.Context, string, string) (net.Conn, error)
		want        string
	}{
		{"http://host.example/v1", workload.Connections{}, never, "DNS did not answer for host.example"},
		{"http://10.0.0.1/v1", workload.Connections{}, never, "10.0.0.1:80 did not answer"},
		{"https://10.0.0.1/v1", workload.Connections{Proxy: "http://10.0.0.2:3128"}, never, "10.0.0.2:3128 did not answer"},
		{"https://10.0.0.1/v1", workload.Connections{Proxy: "http://10.0.0.2:3128"}, silent, "the proxy did not answer"},
		{"https://10.0.0.1/v1", workload.Connections{}, silent, "in the TLS handshake"},
		{"http://10.0.0.1/v1", workload.Connections{Protocol: h2c}, silent, "the server did not answer the HTTP/2 preface"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := memnet.Listen()
			ctx, over := context.WithCancel(t.Context())
			cfg := Config{Approach: workload.Approach{URL: tt.url, Connections: tt.connections}, Epoch: time.Now(), Dial: tt.dial(ctx, l)}
			cfg.Approach.Timeouts.Connect = workload.Duration(7 * time.Second)
			start := time.Now()
			err := Reach(t.Context(), cfg)
			if took := time.Since(start); !errors.Is(err, ErrConnectTimeout) || !strings.Contains(err.Error(), "of 7s: "+tt.want) || took != 7*time.Second {
				t.Errorf("%s: %v after %s, want %s", tt.url, err, took, tt.want)
			}
			over()
			l.Close()
			synctest.Wait()
		})
	}
}
