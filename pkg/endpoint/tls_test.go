package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

func streamHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, roleEvent)
	w.(http.Flusher).Flush()
	io.WriteString(w, content("a"))
	w.(http.Flusher).Flush()
	io.WriteString(w, usageEvent+doneEvent)
}

// do drives one request over the real loopback.
func do(t *testing.T, url string, roots *x509.CertPool) (Result, *events) {
	t.Helper()
	e, err := Open(Config{Approach: workload.Approach{URL: url + "/v1"}, Epoch: time.Now(), RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	obs := &events{}
	return e.Do(t.Context(), &testRequest, obs), obs
}

func TestTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.HandlerFunc(streamHandler))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plainServer := httptest.NewServer(http.HandlerFunc(streamHandler))
	defer plainServer.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(secure.Certificate())

	r, obs := do(t, secure.URL, trusted)
	if r.Class != OK || r.Protocol != "HTTP/1.1" {
		t.Fatalf("%+v", r)
	}
	// the stamps lie below the encryption and must still be in order
	last := Event{}
	for _, e := range obs.all {
		if e.At < last.At {
			t.Errorf("kind %d at %s after kind %d at %s", e.Kind, e.At, last.Kind, last.At)
		}
		last = e
	}
	if sent, ok := obs.first(Sent); !ok || sent.At == 0 {
		t.Errorf("sent %+v", sent)
	}
	for name, tt := range map[string]struct{ url, text string }{
		"unknown authority": {secure.URL, "certificate"},
		"no TLS there":      {strings.Replace(plainServer.URL, "http:", "https:", 1), "tls"},
	} {
		if r, _ := do(t, tt.url, nil); r.Class != TLSFailed || !strings.Contains(r.Error, tt.text) {
			t.Errorf("%s: %s %q", name, r.Class, r.Error)
		}
	}
}

// In TLS 1.3 the client learns of some refusals only after its own handshake is done, when it reads the answer.
func TestTLSRefusedAfterTheHandshake(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(streamHandler))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(s.Certificate())
	if r, _ := do(t, s.URL, trusted); r.Class != TLSFailed || !strings.Contains(r.Error, "certificate required") {
		t.Errorf("%s %q", r.Class, r.Error)
	}
}

// A peer that accepts and then says nothing in the handshake is a connect timeout: DNS, TCP and TLS have one limit.
func TestTLSHandshakeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
			}
		}()
		e, err := Open(Config{Approach: workload.Approach{URL: "https://mem/v1", Timeouts: workload.Timeouts{Connect: workload.Duration(3 * time.Second)}}, Epoch: time.Now(), Dial: l.Dial})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != TimeoutConnect || time.Since(start) != 3*time.Second || !strings.Contains(r.Error, "3s: in the TLS handshake") {
			t.Errorf("%s %q after %s", r.Class, r.Error, time.Since(start))
		}
		e.Close()
		l.Close()
		synctest.Wait()
	})
}

// Under TLS the stamp is that of the ciphertext's arrival, taken below the encryption, and it is exact.
func TestTLSStamps(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(cert.Certificate())
	pair := cert.TLS.Certificates
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			s := tls.Server(c, &tls.Config{Certificates: pair, Time: func() time.Time { return cert.Certificate().NotBefore.Add(time.Hour) }})
			if _, err := s.Read(make([]byte, 1<<16)); err != nil {
				t.Error(err)
			}
			for _, piece := range []string{sseHead, chunked(content("a")), chunked(content("b") + content("c")), chunked(doneEvent) + lastChunk} {
				time.Sleep(7 * time.Millisecond)
				io.WriteString(s, piece)
			}
			s.Read(make([]byte, 1)) // until the client is gone
		}()
		e, err := Open(Config{Approach: workload.Approach{URL: "https://example.com/v1"}, Epoch: time.Now(), RootCAs: trusted, Dial: l.Dial})
		if err != nil {
			t.Fatal(err)
		}
		obs := &events{}
		r := e.Do(t.Context(), &testRequest, obs)
		var at []time.Duration
		for _, ev := range obs.all {
			if ev.Kind == Headers || ev.Kind == Answer || ev.Kind == Done {
				at = append(at, ev.At/time.Millisecond)
			}
		}
		if r.Class != OK || !slices.Equal(at, []time.Duration{7, 14, 21, 21, 28}) {
			t.Errorf("%s %s, at %v ms", r.Class, r.Error, at)
		}
		e.Close()
		l.Close()
		synctest.Wait()
	})
}

func TestRefusedAndReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	go func() { // resets every connection after the first token
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, sseHead+chunked(content("a")))
			io.ReadFull(c, make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	if r, obs := do(t, url, nil); r.Class != Truncated {
		t.Errorf("reset: %s %q after %d tokens", r.Class, r.Error, obs.count(Answer))
	}
	l.Close()
	if r, _ := do(t, url, nil); r.Class != ConnectFailed || !strings.Contains(r.Error, "refused") {
		t.Errorf("refused: %s %q", r.Class, r.Error)
	}
}

func BenchmarkWholeRequest(b *testing.B) {
	const tokens = 100
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range tokens {
			io.WriteString(w, content("a"))
			w.(http.Flusher).Flush()
		}
		io.WriteString(w, usageEvent+doneEvent)
	}))
	defer s.Close()
	e, err := Open(Config{Approach: workload.Approach{URL: s.URL + "/v1"}, Epoch: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	b.ReportAllocs()
	for b.Loop() {
		obs := &counting{}
		if r := e.Do(b.Context(), &testRequest, obs); r.Class != OK {
			b.Fatal(r.Error)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tokens, "ns/event")
}

type counting struct{ n int }

func (c *counting) Observe(Event) { c.n++ }
